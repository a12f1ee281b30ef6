"""The pocket world: coloured shapes on a background, with their ground truth.

A scene is a list of things on a 3 x 3 grid of places. Everything a picture shows is a number here,
so that a prompt, an edit, a question and its answer can all be derived from the same scene.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

# Shared with the scorer of the final figures, so that both speak of the same world.
DEFINED = json.loads((Path(__file__).parent.parent / "world.json").read_text())
SHAPES = tuple(DEFINED["shapes"])
COLOURS = {colour["name"]: tuple(colour["rgb"]) for colour in DEFINED["colours"]}
COLOUR_NAMES = tuple(COLOURS)
COLOUR_VALUES = np.array(list(COLOURS.values()), np.float32)
SIZES = tuple(size["name"] for size in DEFINED["sizes"])
# Radius as a part of the shorter side of the picture; neighbours differ by 1.4 so that they can be told apart.
RADII = tuple(size["radius"] for size in DEFINED["sizes"])
# Centres of the three columns and rows as parts of the width and height.
THIRDS = tuple(DEFINED["thirds"])

# Where one, two and three things stand, and in which order backgrounds are taken, when nothing is said of it.
USUAL_CELLS = ((4,), (3, 5), (1, 6, 8))
USUAL_CELLS_RELATED = dict(above=(1, 7), below=(7, 1), left=(3, 5), right=(5, 3), beside=(3, 5))
USUAL_SIZES = ("large", "medium", "medium")
USUAL_BACKGROUNDS = ("white", "blue", "black")


@dataclass(frozen=True)
class World:
    """Which part of the vocabulary is used, and how large pictures are (width, height)."""

    n_shapes: int
    n_colours: int
    most_things: int
    # The longer side is always the same: that is what the engine scales every picture to.
    canvases: tuple

    @property
    def longest(self) -> int:
        return max(max(canvas) for canvas in self.canvases)


def defined_world(name: str) -> World:
    world = DEFINED["worlds"][name]
    return World(world["shapes"], world["colours"], world["things"], tuple(map(tuple, world["canvases"])))


FULL, SMALL = defined_world("pocket"), defined_world("small")


@dataclass(frozen=True)
class Thing:
    """One shape: what it is, and exactly where and how it is drawn (x, y, radius as parts of the canvas)."""

    shape: int
    colour: int
    size: int
    cell: int
    x: float
    y: float
    radius: float
    angle: float
    rgb: tuple

    @property
    def column(self) -> int:
        return self.cell % 3

    @property
    def row(self) -> int:
        return self.cell // 3


@dataclass(frozen=True)
class Scene:
    """A picture before it is drawn. `split` is "" (plain), "rows" or "columns" (two colours, first above or left)."""

    canvas: tuple
    background: tuple
    background_rgb: tuple
    split: str
    things: tuple
    texture: np.ndarray = field(repr=False)
    light: tuple = (0.0, 0.0)

    def with_things(self, things) -> "Scene":
        return replace(self, things=tuple(things))


def held_out(thing: Thing) -> bool:
    """Whether this combination of shape, colour, size and place is kept from training for the final score."""
    return (7 * thing.shape + 3 * thing.colour + 5 * thing.size + thing.cell) % 11 == 0


class Sampler:
    """Draws random scenes; with `test` it insists on combinations that training never shows."""

    def __init__(self, world: World, rng: np.random.Generator, test: bool = False):
        self.world, self.rng, self.test = world, rng, test

    def integer(self, n: int) -> int:
        return int(self.rng.integers(n))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def canvas(self) -> tuple:
        """Square three times out of five."""
        rest = self.world.canvases[1:]
        return rest[self.integer(len(rest))] if rest and self.chance(0.4) else self.world.canvases[0]

    def shade(self, colour: int) -> tuple:
        """A colour's ordinary value, a little lighter or darker and shifted, as paint would be."""
        value = COLOUR_VALUES[colour] + self.rng.normal(0, 5) + self.rng.normal(0, 3, 3)
        return tuple(float(v) for v in np.clip(value, 0, 255))

    def thing(self, canvas: tuple, shape=None, colour=None, size=None, cell=None) -> Thing:
        """A thing with the given attributes, the others at random."""
        shape = self.integer(self.world.n_shapes) if shape is None else shape
        colour = self.integer(self.world.n_colours) if colour is None else colour
        size = self.integer(3) if size is None else size
        cell = self.integer(9) if cell is None else cell
        angle = float(self.rng.uniform(-0.1, 0.1))
        radius = RADII[size] * float(self.rng.uniform(0.96, 1.04))
        x, y = self.position(canvas, cell, radius)
        return Thing(shape, colour, size, cell, x, y, radius, angle, self.shade(colour))

    def position(self, canvas: tuple, cell: int, radius: float) -> tuple:
        """A point in a cell of the grid, kept off the edges."""
        short = min(canvas)
        point = []
        for third, side in zip((THIRDS[cell % 3], THIRDS[cell // 3]), canvas):
            margin = (radius * 1.1 + 0.02) * short / side
            point.append(float(np.clip(third + self.rng.uniform(-0.025, 0.025), margin, 1 - margin)))
        return tuple(point)

    def background(self, scene: Scene, plain: bool | None = None) -> Scene:
        """The scene on a new background whose colours no thing of it has."""
        taken = {thing.colour for thing in scene.things}
        free = [c for c in range(self.world.n_colours) if c not in taken]
        two = len(free) > 1 and (self.chance(0.25) if plain is None else not plain)
        chosen = [int(c) for c in self.rng.permutation(free)[: 2 if two else 1]]
        if not two and self.chance(0.3) and COLOUR_NAMES.index("white") in free:
            chosen = [COLOUR_NAMES.index("white")]
        split = ("rows", "columns")[self.integer(2)] if two else ""
        rgb = tuple(self.shade(c) for c in chosen)
        return replace(scene, background=tuple(chosen), background_rgb=rgb, split=split)

    def scene(self, n_things: int | None = None, canvas: tuple | None = None, plain: bool | None = None) -> Scene:
        """A scene of things that neither overlap nor share a place; any two differ in shape or colour."""
        canvas = canvas or self.canvas()
        if n_things is None:
            n_things = 1 + int(self.rng.choice(self.world.most_things, p=self.counts()))
        light = tuple(float(v) for v in self.rng.uniform(-6, 6, 2))
        texture = self.rng.normal(0, 2.5, (8, 8)).astype(np.float32)
        scene = Scene(canvas, (), (), "", (), texture, light)
        while True:
            things = []
            for _ in range(30):
                thing = self.thing(canvas)
                if self.fits(scene.with_things(things), thing):
                    things.append(thing)
                if len(things) == n_things:
                    done = scene.with_things(things)
                    if self.acceptable(done):
                        return self.background(done, plain)
                    break

    def as_usual(self, scene: Scene, wanted: dict) -> Scene | None:
        """The scene with all that a request leaves open made as it usually is; None where that is not allowed.

        Were it left to chance, the first steps of painting would begin a thing in all the places that it might have,
        and a small model finishes more than one of them.
        """
        named, related = wanted["things"], wanted["relations"]
        usual = USUAL_CELLS_RELATED[related[0]["relation"]] if related else USUAL_CELLS[len(named) - 1]
        facing = [8 - thing.cell for thing, said in zip(scene.things, named) if "place" in said]
        size = SIZES.index(USUAL_SIZES[len(named) - 1])
        sized = [t if "size" in said else replace(t, size=size, radius=t.radius * RADII[size] / RADII[t.size])
                 for t, said in zip(scene.things, named)]
        made = scene.with_things(sized)
        if wanted["background"] is None:
            colour = next(c for c in map(COLOUR_NAMES.index, USUAL_BACKGROUNDS) if all(t.colour != c for t in sized))
            made = replace(made, background=(colour,), background_rgb=(self.shade(colour),), split="")
        settled = {index: thing for index, thing in enumerate(sized) if "place" in named[index]}
        for index, thing in enumerate(sized):
            if index in settled:
                continue
            cells = facing + list(range(9)) if facing else [usual[index]]
            moved = [replace(thing, cell=cell, x=x, y=y) for cell in cells for x, y in [self.position(scene.canvas, cell, thing.radius)]]
            others = made.with_things(settled.values())
            fitting = next((thing for thing in moved if self.fits(others, thing)), None)
            if fitting is None:
                return None
            settled[index] = fitting
        made = made.with_things(settled[index] for index in range(len(sized)))
        is_distinct = all(self.fits(made, thing, besides=index) for index, thing in enumerate(made.things))
        return made if is_distinct and self.acceptable(made) else None

    def counts(self) -> list:
        """How often scenes have one, two and three things."""
        return [[1.0], [0.5, 0.5], [0.4, 0.35, 0.25]][self.world.most_things - 1]

    def acceptable(self, scene: Scene) -> bool:
        """In training no thing may be a held-out combination; in a test at least one must be."""
        kept_back = [held_out(thing) for thing in scene.things]
        return any(kept_back) if self.test else not any(kept_back)

    def fits(self, scene: Scene, thing: Thing, besides: int = -1) -> bool:
        """Whether a thing can stand in the scene (without its thing number `besides`)."""
        if thing.colour in scene.background:
            return False
        width, height = scene.canvas
        short = min(width, height)
        for index, other in enumerate(scene.things):
            if index == besides:
                continue
            gap = np.hypot((thing.x - other.x) * width, (thing.y - other.y) * height) / short
            if gap < 1.08 * (thing.radius + other.radius) + 0.03 or thing.cell == other.cell:
                return False
            if thing.shape == other.shape and thing.colour == other.colour:
                return False
        return True
