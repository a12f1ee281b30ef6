"""Puts scenes, things and changes into words, in English or Chinese."""

import numpy as np

from lexicon import LANGUAGES
from world import COLOUR_NAMES, SHAPES, SIZES, Scene, Thing

# How often an imperative is made polite in training. Before it was, each list of wordings was learned by heart: of edits
# with held-out things 323 of 400 were right in words of the training, and 306 of 400 in held-out ones; removing 30 of 34
# and 22 of 36.
POLITE = 0.45


class Speaker:
    """One voice: a language, and whether it uses the wordings that training never hears."""

    def __init__(self, rng: np.random.Generator, language: str, test: bool = False):
        self.rng, self.language, self.test = rng, language, test
        self.lexicon = LANGUAGES[language]
        self.english = language == "en"

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def wording(self, name: str) -> str:
        """One of the ways to say it; the last one only in a test, and then always.

        In training an imperative is made polite now and then, unless that would give the last one.
        """
        options = self.lexicon[name]
        if self.test:
            return options[-1]
        said = self.pick(options[:-1])
        if said.startswith(self.lexicon["verbs"]) and self.chance(POLITE):
            polite = self.pick(self.lexicon["polite"]).format(said)
            return polite if polite != options[-1] else said
        return said

    def fixed(self, name: str, **slots) -> str:
        """A canonical sentence, for answers and plans."""
        text = self.lexicon[name].format(**slots)
        return text[0].upper() + text[1:]

    # Words for parts. `plain` takes the canonical word instead of a random one.

    def colour(self, colour: int, plain=False) -> str:
        options = self.lexicon["colours"][COLOUR_NAMES[colour]]
        return options[0] if plain else self.pick(options)

    def shape(self, shape: int, plain=False) -> str:
        options = self.lexicon["shapes"][SHAPES[shape]]
        return options[0] if plain else self.pick(options)

    def size(self, size: int, plain=False) -> str:
        options = self.lexicon["sizes"][SIZES[size]]
        return options[0] if plain else self.pick(options)

    def place(self, cell: int, plain=False) -> str:
        options = self.lexicon["places"][cell]
        return options[0] if plain else self.pick(options)

    def a(self, words: str) -> str:
        """With the indefinite article."""
        if not self.english:
            return "一个" + words
        return ("an " if words[0] in "aeiou" else "a ") + words

    def the(self, words: str) -> str:
        return "the " + words if self.english else words

    def join(self, parts: list[str]) -> str:
        if len(parts) == 1:
            return parts[0]
        if self.english:
            return ", ".join(parts[:-1]) + " and " + parts[-1]
        return "，".join(parts) if len(parts) > 2 else "和".join(parts)

    def noun(self, thing: Thing, size: bool, colour: bool = True, shape: bool = True, plain=False) -> str:
        """"small red circle", with only the parts asked for."""
        parts = [self.size(thing.size, plain)] if size else []
        if colour:
            parts.append(self.colour(thing.colour, plain) + ("" if self.english or shape else "的"))
        parts.append(self.shape(thing.shape, plain) if shape else self.lexicon["shape_word"])
        return (" " if self.english else "").join(parts)

    def placed(self, noun: str, cell: int, plain=False) -> str:
        place = self.place(cell, plain)
        return f"{noun} {place}" if self.english else place + noun

    def related(self, one: str, two: str, relation: str) -> str:
        word = self.pick(self.lexicon["relations"][relation])
        return f"{one} {word} {two}" if self.english else f"{one}在{two}的{word}"

    def background(self, scene: Scene, plain=False) -> str:
        names = [self.colour(c, plain) for c in scene.background]
        kind = scene.split or "plain"
        article = "an" if names[0][0] in "aeiou" else "a"
        return self.lexicon[kind].format(a=names[0], b=names[-1], article=article)

    def background_colours(self, scene: Scene) -> str:
        """The colours alone: "red", "red above and blue below"."""
        names = [self.colour(c) for c in scene.background]
        return self.lexicon[(scene.split or "plain") + "_colours"].format(a=names[0], b=names[-1])

    def full(self, thing: Thing, plain=True) -> str:
        """Everything that can be said of a thing."""
        return self.placed(self.a(self.noun(thing, True, plain=plain)), thing.cell, plain)

    def description(self, scene: Scene) -> str:
        """The canonical description of a picture, things from top left to bottom right."""
        things = self.join([self.full(thing) for thing in in_order(scene)])
        if self.english:
            text = f"{things} on {self.background(scene, True)}."
        else:
            text = f"{self.background(scene, True)}，{things}。"
        return text[0].upper() + text[1:]

    def plan(self, scene: Scene) -> str:
        """The canonical plan of a picture: the background, then thing by thing."""
        lines = [self.fixed("needs", background=self.background(scene, True))]
        for thing in in_order(scene):
            place, noun = self.place(thing.cell, True), self.a(self.noun(thing, True, plain=True))
            lines.append(f"{place[0].upper()}{place[1:]} {noun}." if self.english else f"{place}{noun}。")
        return (" " if self.english else "").join(lines)

    def target(self, scene: Scene, index: int, plain=False) -> str:
        """A way to point at one thing that fits no other thing of the scene."""
        thing = scene.things[index]
        others = [other for i, other in enumerate(scene.things) if i != index]
        ways = [dict(size=False)]
        if all(other.shape != thing.shape for other in others):
            ways += [dict(size=False, colour=False)] * 2
        if all(other.colour != thing.colour for other in others):
            ways.append(dict(size=False, shape=False))
        if all(other.size != thing.size for other in others):
            ways.append(dict(size=True, colour=self.chance(0.5)))
        return self.the(self.noun(thing, plain=plain, **(ways[0] if plain else self.pick(ways))))

    def finish(self, text: str) -> str:
        """How people type: capitals and full stops or none, now and then a slip."""
        if not self.english:
            return text if text[-1] in "？。" or self.chance(0.7) else text + "。"
        if self.chance(0.03):
            spot = int(self.rng.integers(1, max(2, len(text) - 1)))
            text = text[: spot - 1] + text[spot] + text[spot - 1] + text[spot + 1 :]
        if self.chance(0.4):
            text = text[0].upper() + text[1:]
        return text if text[-1] in "?." or self.chance(0.7) else text + "."


def in_order(scene: Scene) -> list[Thing]:
    """Things in reading order."""
    return sorted(scene.things, key=lambda thing: thing.cell)


def relation(one: Thing, two: Thing) -> str | None:
    """Where the first thing stands as seen from the second, if that can be said."""
    if one.column == two.column and one.row != two.row:
        return "above" if one.row < two.row else "below"
    if one.row == two.row and one.column != two.column:
        return "left" if one.column < two.column else "right"
    return None
