"""Lays scored pictures out as a contact sheet: `python sheet.py PICTURES --to sheet.png`.

PICTURES is the folder that the scoring program filled. Cases are taken in their order, not by how
well they came out (without `--font`, one that has Chinese, only those in English). Green means right.
"""

import argparse
import json
import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

TITLES = dict(Create="Create", Edit="Edit: before and after", Ask="Ask", Think="Think first", Plan="A plan by hand")
SIDE, GAP, CAPTION = 96, 8, 68


def entries(index: list[dict], kind: str, chinese: bool) -> list[dict]:
    return [e for e in index if e["kind"] == kind and (chinese or e["prompt"].isascii())]


def caption(entry: dict) -> str:
    said = entry["said"].partition("[")[0].replace("<think>", "").replace("</think>", "").strip()
    return f"{entry['prompt']} > {said}" if said else entry["prompt"]


def lines(text: str, room: int) -> list[str]:
    """Text in lines of so many letters; a Chinese one is two wide."""
    if text.isascii():
        return textwrap.wrap(text, room)
    return [text[i : i + room // 2] for i in range(0, len(text), room // 2)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=2, help="rows of each kind")
    parser.add_argument("--font", type=Path)
    args = parser.parse_args()
    index = json.loads((args.pictures / "index.json").read_text())
    font = ImageFont.truetype(args.font, 10) if args.font else ImageFont.load_default(9)
    width = 8 * (SIDE + GAP) + GAP
    placed, y = [], GAP
    for kind, title in TITLES.items():
        chosen = entries(index, kind, bool(args.font))
        if not chosen:
            continue
        placed.append((None, title, GAP, y))
        y += 16
        cell = len(chosen[0]["files"]) * SIDE + GAP + (SIDE if kind in ("Ask", "Think", "Plan") else 0)
        columns = (width - GAP) // cell
        for number, entry in enumerate(chosen[: args.rows * columns]):
            placed.append((entry, cell, GAP + number % columns * cell, y + number // columns * (SIDE + CAPTION)))
        y += min(args.rows, -(-len(chosen) // columns)) * (SIDE + CAPTION)
    page = Image.new("RGB", (width, y), "white")
    pen = ImageDraw.Draw(page)
    for entry, cell, x, top in placed:
        if entry is None:
            pen.text((x, top), cell, fill="black", font=ImageFont.load_default(12))
            continue
        for number, name in enumerate(entry["files"]):
            page.paste(Image.open(args.pictures / name), (x + number * SIDE, top))
        beside = cell - GAP > SIDE * len(entry["files"])
        text_x, text_y = (x + SIDE * len(entry["files"]) + 3, top) if beside else (x, top + SIDE + 4)
        room = (cell - GAP - (text_x - x)) // 5
        pen.line((x, top + SIDE + 1, x + SIDE * len(entry["files"]) - 1, top + SIDE + 1), "#c03030" if entry["wrong"] else "#20a040", 2)
        pen.multiline_text((text_x, text_y), "\n".join(lines(caption(entry), room)[: 9 if beside else 4]), fill="black", font=font, spacing=1)
    page.quantize(128).save(args.to, optimize=True)


if __name__ == "__main__":
    main()
