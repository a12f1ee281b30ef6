"""Draws scenes as tensors, many at a time, on whatever device is given.

Shapes are signed distances in units of their radius, turned into coverage over one pixel: edges are
anti-aliased. A slow light and a soft texture lie over everything, so that no area is pixel-flat.
"""

import math
from dataclasses import dataclass, fields, replace
from itertools import groupby

import numpy as np
import torch
import torch.nn.functional as F

from world import Scene


def _circle(u, v):
    return torch.hypot(u, v) - 0.98


def _square(u, v):
    return torch.maximum(u.abs(), v.abs()) - 0.86


def _triangle(u, v):
    v = v - 0.2
    side = u.abs() * (math.sqrt(3) / 2) - v * 0.5
    return torch.maximum(v, side) - 0.58


def _star(u, v):
    outer, inner, step = 1.1, 0.46, math.pi / 5
    angle = torch.remainder(torch.atan2(u, -v) + step, 2 * step) - step
    length = torch.hypot(u, v)
    x, y = length * torch.cos(angle), length * torch.sin(angle.abs())
    edge_x, edge_y = inner * math.cos(step) - outer, inner * math.sin(step)
    return ((x - outer) * edge_y - y * edge_x) / math.hypot(edge_x, edge_y)


def _ring(u, v):
    return (torch.hypot(u, v) - 0.75).abs() - 0.24


def _cross(u, v):
    u, v = u.abs(), v.abs()
    return torch.minimum(torch.maximum(u - 0.98, v - 0.33), torch.maximum(u - 0.33, v - 0.98))


def _heart(u, v):
    scale = 0.58
    x, y = (u * scale).abs(), 0.55 - v * scale
    lobe = torch.hypot(x - 0.25, y - 0.75) - math.sqrt(2) / 4
    half = 0.5 * (x + y).clamp(min=0)
    point = torch.minimum(torch.hypot(x, y - 1), torch.hypot(x - half, y - half)) * torch.sign(x - y)
    return torch.where(x + y > 1, lobe, point) / scale


def _crescent(u, v):
    return torch.maximum(torch.hypot(u, v) - 1.0, 0.8 - torch.hypot(u - 0.5, v + 0.12))


DISTANCES = (_circle, _square, _triangle, _star, _heart, _ring, _cross, _crescent)


@dataclass
class Plot:
    """Scenes of one canvas as numbers. `groups` are runs of things of one layer and shape: (shape, start, stop, reach)."""

    canvas: tuple
    background: torch.Tensor  # (n, 2, 3)
    split: torch.Tensor  # (n, 2): whether the second colour lies below, or to the right.
    light: torch.Tensor  # (n, 2)
    texture: torch.Tensor  # (n, 8, 8)
    things: torch.Tensor  # (m, 8): x, y, radius in pixels, cosine, sine, red, green, blue
    owner: torch.Tensor  # (m,)
    kinds: torch.Tensor  # (m, 3): shape, colour, size
    grounds: torch.Tensor  # (n, 2): colours of the background; twice the same where it is plain.
    groups: list

    def to(self, device) -> "Plot":
        return replace(self, **{f.name: getattr(self, f.name).to(device, non_blocking=True)
                                for f in fields(self) if isinstance(getattr(self, f.name), torch.Tensor)})


def plot(scenes: list[Scene]) -> Plot:
    """Numbers of scenes that share one canvas."""
    width, height = scenes[0].canvas
    short = min(width, height)
    layered = [(layer, thing.shape, i, thing) for i, scene in enumerate(scenes) for layer, thing in enumerate(scene.things)]
    layered.sort(key=lambda entry: entry[:3])
    groups, start = [], 0
    for (_, shape), run in groupby(layered, key=lambda entry: entry[:2]):
        run = list(run)
        reach = int(max(thing.radius for *_, thing in run) * short * 1.2) + 2
        groups.append((shape, start, start + len(run), reach))
        start += len(run)
    things = [(t.x * width, t.y * height, t.radius * short, math.cos(t.angle), math.sin(t.angle), *t.rgb) for *_, t in layered]
    number = lambda rows: torch.from_numpy(np.array(rows, np.float32))
    return Plot(
        scenes[0].canvas,
        number([(scene.background_rgb[0], scene.background_rgb[-1]) for scene in scenes]),
        number([(scene.split == "rows", scene.split == "columns") for scene in scenes]),
        number([scene.light for scene in scenes]),
        number([scene.texture for scene in scenes]),
        number(things),
        torch.tensor([i for _, _, i, _ in layered]),
        torch.tensor([(t.shape, t.colour, t.size) for *_, t in layered]),
        torch.tensor([(scene.background[0], scene.background[-1]) for scene in scenes]),
        groups,
    )


def draw(scenes: list[Scene] | Plot, device="cpu") -> torch.Tensor:
    """Pictures: (n, 3, height, width) in 0..1."""
    numbers = (scenes if isinstance(scenes, Plot) else plot(scenes)).to(device)
    width, height = numbers.canvas
    y = torch.arange(height, device=device) + 0.5
    x = torch.arange(width, device=device) + 0.5
    picture = _background(numbers, x / width, y / height)
    for shape, start, stop, reach in numbers.groups:
        _stamp(picture, numbers.owner[start:stop], numbers.things[start:stop], shape, min(2 * reach, width, height))
    texture = F.interpolate(numbers.texture[:, None], (height, width), mode="bicubic", align_corners=False)
    return ((picture + texture) / 255).clamp(0, 1)


def _background(numbers: Plot, x, y):
    first, second = numbers.background[..., None, None].unbind(1)  # (n, 3, 1, 1)
    rows, columns = numbers.split[:, :, None, None].unbind(1)  # (n, 1, 1)
    light = numbers.light[:, :, None, None]
    beyond = torch.maximum(rows * (y[:, None] > 0.5), columns * (x > 0.5))[:, None]
    slope = light[:, 0] * (x - 0.5) + light[:, 1] * (y[:, None] - 0.5)
    return torch.lerp(first, second, beyond) + slope[:, None]


def _stamp(picture, owner, things, shape, window):
    """Paints things of one shape, each only inside the window that it can reach."""
    height, width = picture.shape[-2:]
    things = things[:, :, None, None]
    centre_x, centre_y, radius, cosine, sine = things[:, :5].unbind(1)  # (m, 1, 1)
    left = (centre_x - window / 2).round().long().clamp(0, width - window)
    top = (centre_y - window / 2).round().long().clamp(0, height - window)
    steps = torch.arange(window, device=picture.device)
    columns, rows = left + steps, top + steps[:, None]  # (m, 1, window), (m, window, 1)
    x, y = (columns + 0.5 - centre_x) / radius, (rows + 0.5 - centre_y) / radius
    distance = DISTANCES[shape](x * cosine + y * sine, y * cosine - x * sine)
    coverage = (0.5 - distance * radius).clamp(0, 1)  # (m, window, window)
    owner = owner[:, None, None]
    for channel in range(3):
        under = picture[owner, channel, rows, columns]
        picture[owner, channel, rows, columns] = torch.lerp(under, things[:, 5 + channel], coverage)
