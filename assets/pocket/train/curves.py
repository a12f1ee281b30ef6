"""Draws the learning curves of a run: `python curves.py --out RUN` writes curves.png, and rollouts.png where it painted."""

import argparse
import json
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt


# Pictures are judged by the dozen; a curve of so many reports together is one that can be read.
TOGETHER = 40


def journal(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def curve(axis, samples: list, marks: list, label: str):
    """The mean of neighbouring marks over what the model had seen."""
    n = min(TOGETHER, len(marks))
    if n:
        mean = lambda values: np.convolve(values, np.ones(n) / n, "valid")
        axis.plot(mean(samples) / 1000, mean(marks) * 100, linewidth=1.1, label=label)


def draw_rollouts(lines: list, to: Path):
    """Which of the model's own pictures the judge calls right, by what was asked and by what was to be changed."""
    figure, axes = plt.subplots(1, 2, figsize=(13, 4.2), sharey=True)
    for kind in sorted({line["kind"] for line in lines}):
        mine = [line for line in lines if line["kind"] == kind]
        curve(axes[0], [line["samples"] for line in mine], [line["right"] for line in mine], kind)
    for change in sorted({change for line in lines for change in line.get("changes", {})}):
        mine = [(line["samples"], np.mean(line["changes"][change])) for line in lines if change in line.get("changes", {})]
        curve(axes[1], *zip(*mine), change)
    for axis, title in zip(axes, ("own pictures that are right, without guidance, %", "edits that are right, %")):
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("thousand samples")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.15), frameon=False)
    figure.tight_layout()
    figure.savefig(to, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.6))
    panels = [("vae", "pixels", "autoencoder: difference of pixels"), ("model", "mse", "velocity: squared error"), ("model", "ce", "words: cross-entropy")]
    for axis, (file, value, title) in zip(axes, panels):
        points = [(line["spent"] / 60, line[value]) for line in journal(args.out / f"{file}.jsonl") if value in line]
        if points:
            axis.plot(*zip(*points), linewidth=0.9)
            axis.set_yscale("log")
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("minutes")
        axis.grid(alpha=0.3, which="both")
    figure.tight_layout()
    figure.savefig(args.out / "curves.png", dpi=110)
    if rollouts := journal(args.out / "rollouts.jsonl"):
        draw_rollouts(rollouts, args.out / "rollouts.png")


if __name__ == "__main__":
    main()
