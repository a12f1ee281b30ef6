"""Writes the held-out cases of the final score: `python cases.py --to FOLDER --preset pocket --n 200`.

Each kind gets `cases/KIND.json`: prompts, input pictures (PNG files beside it), and what is expected,
in words that a scorer in another language reads. Fixed seed: the same cases every time.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from draw import draw
from presets import PRESETS
from tasks import Picture, Tasks, Text, facts

KINDS = ("create", "think_create", "edit", "combine", "ask", "compare")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="pocket")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    for number, kind in enumerate(KINDS):
        tasks = Tasks(PRESETS[args.preset].world, np.random.default_rng((args.seed, number)), test=True, unseen_words=True)
        cases = []
        for index in range(args.n):
            sample = getattr(tasks, kind)()
            inputs = []
            for item in sample.items:
                if isinstance(item, Picture):
                    name = f"{kind}-{index:03}-{len(inputs)}.png"
                    pixels = (draw([item.scene])[0] * 255).round().byte().permute(1, 2, 0).numpy()
                    Image.fromarray(pixels).save(args.to / name, optimize=True)
                    inputs.append(dict(picture=name, shows=facts(item.scene)))
            texts = [item.text for item in sample.items if isinstance(item, Text)]
            prompt = next((item.text for item in sample.items if isinstance(item, Text) and item.prompt), texts[0])
            target = getattr(sample.items[-1], "scene", None)
            case = dict(id=f"{kind}-{index:03}", prompt=prompt, inputs=inputs, seed=index, expect=sample.expect)
            if target is not None:
                case["size"] = list(target.canvas)
            if kind == "think_create":
                case["plan"] = next(text for text in texts if text.startswith("<think>"))
            cases.append(case)
        (args.to / f"{kind}.json").write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n")
    print(args.to, "written")


if __name__ == "__main__":
    main()
