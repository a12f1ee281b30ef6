"""Writes the held-out cases of the final score: `python cases.py --to FOLDER --preset small --n 200`.

Each kind gets `KIND.json`: prompts, the scenes of the input pictures as numbers (the scorer draws them),
and what is expected, one case to a line. Fixed seed: the same cases every time.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from draw import DISTANCES
from presets import PRESETS
from tasks import Picture, Tasks, Text, facts
from world import SHAPES

KINDS = ("create", "think_create", "edit", "ask", "combine", "compare")


def numbers(scene, texture: int) -> dict:
    """All that it takes to draw a scene, but for its texture, of which only the seed is given."""
    whole = lambda rgb: [round(v) for v in rgb]
    return dict(
        size=list(scene.canvas), background=[whole(rgb) for rgb in scene.background_rgb], split=scene.split,
        light=[round(v, 2) for v in scene.light], texture=texture,
        things=[dict(shape=SHAPES[t.shape], rgb=whole(t.rgb), x=round(t.x, 4), y=round(t.y, 4), radius=round(t.radius, 4),
                     angle=round(t.angle, 3)) for t in scene.things],
    )


def case(sample, index: int, kind: str) -> dict:
    pictures = [item.scene for item in sample.items if isinstance(item, Picture)]
    texts = [item.text for item in sample.items if isinstance(item, Text) and not item.text.startswith("You should first")]
    made = dict(id=f"{kind}-{index:03}", seed=index, prompt=texts[0],
                inputs=[dict(scene=numbers(s, 10 * index + i), shows=facts(s)) for i, s in enumerate(pictures)], expect=sample.expect)
    target = getattr(sample.items[-1], "scene", None)
    if target is not None:
        made["size"] = list(target.canvas)
    if kind == "think_create":
        made["plan"] = texts[1]
    return made


def outlines() -> dict:
    """Every shape as rows of 27 points inside (#) and outside, against which the scorer's own outlines are held."""
    points = (torch.arange(27) - 13) / 10 + 0.013
    v, u = torch.meshgrid(points, points, indexing="ij")
    rows = lambda inside: ["".join(".#"[int(point)] for point in row) for row in inside]
    return {name: rows(distance(u, v) < 0) for name, distance in zip(SHAPES, DISTANCES)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="pocket")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS[:4])
    parser.add_argument("--seed", type=int, default=2026)
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    for kind in args.kinds:
        rng = np.random.default_rng((args.seed, KINDS.index(kind)))
        tasks = Tasks(PRESETS[args.preset].world, rng, test=True, unseen_words=True)
        lines = [json.dumps(case(getattr(tasks, kind)(), index, kind), ensure_ascii=False) for index in range(args.n)]
        text = '{"world": "%s", "cases": [\n%s\n]}\n' % (args.preset, ",\n".join(lines))
        (args.to / f"{kind}.json").write_text(text)
    (args.to / "outlines.json").write_text(json.dumps(outlines(), indent=1) + "\n")
    print(args.to, "written")


if __name__ == "__main__":
    main()
