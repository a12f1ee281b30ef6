"""Draws the learning curves of a run: `python curves.py --out RUN` writes curves.png."""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.6))
    panels = [("vae", "pixels", "autoencoder: difference of pixels"), ("model", "mse", "velocity: squared error"), ("model", "ce", "words: cross-entropy")]
    for axis, (file, value, title) in zip(axes, panels):
        path = args.out / f"{file}.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        points = [(line["spent"] / 60, line[value]) for line in lines if value in line]
        if points:
            axis.plot(*zip(*points), linewidth=0.9)
            axis.set_yscale("log")
        axis.set_title(title, fontsize=10)
        axis.set_xlabel("minutes")
        axis.grid(alpha=0.3, which="both")
    figure.tight_layout()
    figure.savefig(args.out / "curves.png", dpi=110)


if __name__ == "__main__":
    main()
