"""Reads a picture back into facts, roughly: enough to watch a training, not to publish a score."""

import numpy as np
import torch

from draw import DISTANCES
from world import COLOUR_NAMES, COLOUR_VALUES, RADII, SHAPES, SIZES, THIRDS

GRID = 32


def _template(shape: int, angle: float) -> np.ndarray:
    """The shape filling a square of GRID x GRID."""
    fine = torch.linspace(-1.3, 1.3, 261)
    v, u = torch.meshgrid(fine, fine, indexing="ij")
    c, s = np.cos(angle), np.sin(angle)
    return _fill_square((DISTANCES[shape](u * c + v * s, v * c - u * s) < 0).numpy())


def _fill_square(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(mask)
    side = max(np.ptp(rows), np.ptp(columns)) + 1
    middle = (rows.min() + np.ptp(rows) / 2, columns.min() + np.ptp(columns) / 2)
    places = (np.arange(GRID) + 0.5) / GRID - 0.5
    r = np.clip(np.round(middle[0] + places * side).astype(int), 0, mask.shape[0] - 1)
    c = np.clip(np.round(middle[1] + places * side).astype(int), 0, mask.shape[1] - 1)
    return mask[np.ix_(r, c)]


TEMPLATES = [(shape, _template(shape, angle)) for shape in range(len(SHAPES)) for angle in (-0.08, 0.0, 0.08)]
# Area of each shape as a multiple of its radius squared.
AREAS = [float((DISTANCES[s](*torch.meshgrid(*[torch.linspace(-1.3, 1.3, 521)] * 2, indexing="xy")) < 0).float().mean()) * 2.6**2
         for s in range(len(SHAPES))]


def _components(labels: np.ndarray):
    """Areas of one label that hang together, largest first."""
    seen = np.zeros(labels.shape, bool)
    found = []
    for start in np.ndindex(labels.shape):
        if seen[start]:
            continue
        label, stack, cells = labels[start], [start], []
        seen[start] = True
        while stack:
            y, x = stack.pop()
            cells.append((y, x))
            for a, b in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if 0 <= a < labels.shape[0] and 0 <= b < labels.shape[1] and not seen[a, b] and labels[a, b] == label:
                    seen[a, b] = True
                    stack.append((a, b))
        found.append((int(label), np.array(cells)))
    return sorted(found, key=lambda entry: -len(entry[1]))


def _core(mask: np.ndarray) -> np.ndarray:
    """What is left when a pixel is taken off all around."""
    inner = np.pad(mask, 1)
    return inner[1:-1, 1:-1] & inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]


def read(picture: np.ndarray) -> dict:
    """Facts of a picture (height, width, 3; 0..255), shaped as `tasks.facts` shapes them."""
    height, width = picture.shape[:2]
    short = min(height, width)
    labels = ((picture[:, :, None].astype(np.float32) - COLOUR_VALUES) ** 2).sum(-1).argmin(-1)
    things, background = [], []
    for label, cells in _components(labels):
        if len(cells) < 0.004 * short * short:
            break
        mask = np.zeros(labels.shape, bool)
        mask[tuple(cells.T)] = True
        edge = mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum()
        if edge > 0.15 * (height + width):
            background.append(label)
        elif label not in background and _core(mask).sum() > 0.2 * mask.sum():
            filled = _fill_square(mask)
            overlap = [(filled & t).sum() / (filled | t).sum() for _, t in TEMPLATES]
            shape, likeness = TEMPLATES[int(np.argmax(overlap))][0], max(overlap)
            top, left = cells.min(0)
            bottom, right = cells.max(0)
            x, y = (left + right + 1) / 2 / width, (top + bottom + 1) / 2 / height
            radius = float(np.sqrt(len(cells) / AREAS[shape]) / short)
            size = int(np.abs(np.log(np.array(RADII) / radius)).argmin())
            cell = int(np.abs(np.array(THIRDS) - y).argmin()) * 3 + int(np.abs(np.array(THIRDS) - x).argmin())
            things.append(dict(shape=SHAPES[shape] if likeness > 0.75 else "?", colour=COLOUR_NAMES[label], size=SIZES[size], place=cell,
                               x=x, y=y, radius=radius, likeness=float(likeness)))
    return dict(things=things, background=sorted(COLOUR_NAMES[b] for b in set(background)))


def _matches(thing: dict, wanted: dict) -> bool:
    return all(thing[name] == wanted[name] for name in ("shape", "colour", "size", "place") if name in wanted)


def _relation_holds(one, two, relation) -> bool:
    dx, dy = one["x"] - two["x"], one["y"] - two["y"]
    if relation in ("above", "below"):
        return abs(dy) > abs(dx) and (dy < 0) == (relation == "above")
    return abs(dx) > abs(dy) and (relation == "beside" or (dx < 0) == (relation == "left"))


def satisfies(found: dict, wanted_things: list, relations: list = (), background: dict | None = None) -> bool:
    """Whether exactly the wanted things are there, related as said, on the wanted background."""
    if len(found["things"]) != len(wanted_things):
        return False
    if background and found["background"] != sorted(background["colours"]):
        return False
    left, chosen = list(found["things"]), []
    for wanted in wanted_things:
        thing = next((t for t in left if _matches(t, wanted)), None)
        if thing is None:
            return False
        left.remove(thing)
        chosen.append(thing)
    return all(_relation_holds(chosen[r["first"]], chosen[r["second"]], r["relation"]) for r in relations)


def painted_right(expect: dict, picture: np.ndarray) -> bool:
    """Whether a picture is what a sample expects: its named attributes, the plan, or the scene after the edit."""
    found = read(picture)
    if "after" in expect:
        return satisfies(found, expect["after"]["things"], (), expect["after"]["background"])
    if "plan" in expect:
        return satisfies(found, expect["plan"]["things"], (), expect["plan"]["background"])
    return satisfies(found, expect["things"], expect["relations"], expect["background"])
