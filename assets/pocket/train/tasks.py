"""Training samples: what is said, what is shown, what is to be painted or answered.

A sample is a list of items in the order in which the model reads them. The same functions make the
held-out cases of the final score, with words and combinations that training never uses.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from lexicon import LANGUAGES
from speak import Speaker, relation
from world import COLOUR_NAMES, SHAPES, SIZES, Sampler, Scene, World

# The official system prompts: a line of thinking is asked for in exactly these words.
PLAN_FIRST = (
    "You should first think about the planning process in the mind and then generate the image. \n"
    "The planning process is enclosed within <think> </think> tags, i.e. <think> planning process here </think> image here"
)
REASON_FIRST = (
    "You should first think about the reasoning process in the mind and then provide the user with the answer. \n"
    "The reasoning process is enclosed within <think> </think> tags, i.e. <think> reasoning process here </think> answer here"
)


@dataclass
class Text:
    """Words. `learn`: the model must be able to say them itself. `prompt`: left out to train guidance."""

    text: str
    learn: bool = False
    prompt: bool = False


@dataclass
class Picture:
    """A scene that is seen by the ViT, and by the VAE too if it is to be edited."""

    scene: Scene
    edited: bool


@dataclass
class Paint:
    """The scene to be painted."""

    scene: Scene


@dataclass
class Sample:
    kind: str
    items: list
    # What the final score checks: attributes that the picture must have, or the answer.
    expect: dict = field(default_factory=dict)


class Tasks:
    """Makes samples of a world in one language at a time."""

    def __init__(self, world: World, rng: np.random.Generator, test: bool = False, unseen_words: bool = False):
        self.world, self.rng = world, rng
        self.sampler = Sampler(world, rng, test)
        self.unseen_words = unseen_words

    def speaker(self) -> Speaker:
        return Speaker(self.rng, "en" if self.chance(0.6) else "zh", self.unseen_words)

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one_of(self, options):
        return options[int(self.rng.integers(len(options)))]

    # Create

    def request(self, speaker: Speaker, scene: Scene) -> tuple[str, dict]:
        """Words that ask for a scene, naming some of its attributes, and the attributes named."""
        named, phrases, expect = [], [], []
        often = NAMED_IN_TESTS if self.sampler.test else NAMED_IN_TRAINING
        by_relation = len(scene.things) == 2 and self.chance(often["relation"]) and relation(*scene.things)
        for thing in scene.things:
            size, place = self.chance(often["size"]), not by_relation and self.chance(often["place"])
            noun = speaker.a(speaker.noun(thing, size))
            phrases.append(speaker.placed(noun, thing.cell) if place else noun)
            fact = dict(shape=SHAPES[thing.shape], colour=COLOUR_NAMES[thing.colour])
            fact |= dict(size=SIZES[thing.size]) if size else {}
            named.append(fact | (dict(place=thing.cell) if place else {}))
        if by_relation:
            if by_relation in ("left", "right") and self.chance(0.3):
                by_relation = "beside"
            phrases = [speaker.related(*phrases, by_relation)]
            expect = [dict(first=0, relation=by_relation, second=1)]
        wanted = dict(things=named, relations=expect, background=None)
        things = speaker.join(phrases)
        if self.chance(0.85) or scene.split:
            wanted["background"] = dict(colours=[COLOUR_NAMES[c] for c in scene.background], split=scene.split)
            text = speaker.wording("CREATE").format(things=things, background=speaker.background(scene))
        else:
            text = speaker.wording("CREATE_FREE").format(things=things)
        return speaker.finish(text), wanted

    def asked(self) -> tuple[Scene, Speaker, str, dict]:
        """A scene and the words that ask for it; in training what they leave open is as it usually is."""
        while True:
            scene, speaker = self.sampler.scene(), self.speaker()
            text, wanted = self.request(speaker, scene)
            if not self.sampler.test:
                scene = self.sampler.as_usual(scene, wanted)
            if scene is not None:
                return scene, speaker, text, wanted

    def create(self) -> Sample:
        scene, _, text, wanted = self.asked()
        return Sample("create", [Text(text, prompt=True), Paint(scene)], wanted)

    def think_create(self) -> Sample:
        """Prompt, plan, picture; one plan in four was changed by hand, and the picture follows it."""
        scene, speaker, text, wanted = self.asked()
        by_hand = self.chance(0.25)
        if by_hand:
            scene = self.changed(scene, speaker)[1]
        plan = Text(thought(speaker.plan(scene)), learn=not by_hand, prompt=True)
        items = [Text(PLAN_FIRST), Text(text, prompt=True), plan, Paint(scene)]
        return Sample("think_create", items, wanted | dict(plan=facts(scene)))

    # Edit

    def changed(self, scene: Scene, speaker: Speaker, kinds=None):
        """A random change: (kind, new scene, instruction, what the second picture shows, plan)."""
        kinds = kinds or (list(CHANGES) if self.sampler.test else [kind for kind, weight in CHANGES.items() for _ in range(weight)])
        while True:
            change = getattr(self, "_" + self.one_of(kinds))(scene, speaker)
            if change is None:
                continue
            kind, after, instruction, said = change
            if after.things and self.sampler.acceptable(after):
                return kind, after, speaker.finish(instruction), said

    def _with(self, scene: Scene, index: int, thing) -> Scene | None:
        """The scene with one thing replaced, if that is allowed there."""
        if not self.sampler.fits(scene, thing, besides=index):
            return None
        return scene.with_things([thing if i == index else other for i, other in enumerate(scene.things)])

    def _recolour(self, scene, speaker):
        index = int(self.rng.integers(len(scene.things)))
        thing, colour = scene.things[index], int(self.rng.integers(self.world.n_colours))
        if colour == thing.colour:
            return None
        after = self._with(scene, index, replace(thing, colour=colour, rgb=self.sampler.shade(colour)))
        target, known = speaker.target(scene, index), speaker.target(scene, index, plain=True)
        text = speaker.wording("RECOLOUR").format(target=target, colour=speaker.colour(colour))
        said = speaker.fixed("became_colour", target=known, colour=speaker.colour(colour, True))
        return after and ("recolour", after, text, said)

    def _reshape(self, scene, speaker):
        index = int(self.rng.integers(len(scene.things)))
        thing, shape = scene.things[index], int(self.rng.integers(self.world.n_shapes))
        if shape == thing.shape:
            return None
        after = self._with(scene, index, replace(thing, shape=shape))
        target, known = speaker.target(scene, index), speaker.target(scene, index, plain=True)
        text = speaker.wording("RESHAPE").format(target=target, shape=speaker.a(speaker.shape(shape)))
        said = speaker.fixed("became_shape", target=known, shape=speaker.a(speaker.shape(shape, True)))
        return after and ("reshape", after, text, said)

    def _add(self, scene, speaker):
        if len(scene.things) >= self.world.most_things:
            return None
        thing = self.sampler.thing(scene.canvas)
        if not self.sampler.fits(scene, thing):
            return None
        after, noun = scene.with_things([*scene.things, thing]), speaker.a(speaker.noun(thing, size=True))
        beside = next((i for i, other in enumerate(scene.things) if relation(thing, other)), None)
        if beside is not None and self.chance(0.3):
            where = speaker.related(noun, speaker.target(scene, beside), relation(thing, scene.things[beside]))
        else:
            where = speaker.placed(noun, thing.cell)
        said = speaker.fixed("appeared", thing=speaker.full(thing))
        return "add", after, speaker.wording("ADD").format(thing=where), said

    def _remove(self, scene, speaker):
        if len(scene.things) < 2:
            return None
        index = int(self.rng.integers(len(scene.things)))
        after = scene.with_things(thing for i, thing in enumerate(scene.things) if i != index)
        text = speaker.wording("REMOVE").format(target=speaker.target(scene, index))
        return "remove", after, text, speaker.fixed("vanished", target=speaker.target(scene, index, plain=True))

    def _move(self, scene, speaker):
        index = int(self.rng.integers(len(scene.things)))
        thing, cell = scene.things[index], int(self.rng.integers(9))
        if cell == thing.cell:
            return None
        x, y = self.sampler.position(scene.canvas, cell, thing.radius)
        after = self._with(scene, index, replace(thing, cell=cell, x=x, y=y))
        at = speaker.place(cell)
        to = "to " + at.partition(" ")[2]
        text = speaker.wording("MOVE").format(target=speaker.target(scene, index), to=to, at=at, place=at)
        said = speaker.fixed("moved", target=speaker.target(scene, index, plain=True), place=speaker.place(cell, True))
        return after and ("move", after, text, said)

    def _resize(self, scene, speaker):
        index = int(self.rng.integers(len(scene.things)))
        thing, size = scene.things[index], int(self.rng.integers(3))
        if size == thing.size:
            return None
        radius = self.sampler.thing(scene.canvas, size=size).radius
        after = self._with(scene, index, replace(thing, size=size, radius=radius))
        target, known = speaker.target(scene, index), speaker.target(scene, index, plain=True)
        text = speaker.wording("RESIZE").format(target=target, size=speaker.size(size))
        said = speaker.fixed("resized", target=known, size=speaker.size(size, True))
        return after and ("resize", after, text, said)

    def _background(self, scene, speaker):
        after = self.sampler.background(scene)
        if after.background == scene.background:
            return None
        text = speaker.wording("BACKGROUND").format(background=speaker.background(after), colours=speaker.background_colours(after))
        return "background", after, text, speaker.fixed("back_changed", background=speaker.background(after, True))

    def edit(self) -> Sample:
        scene, speaker = self.sampler.scene(), self.speaker()
        if not self.sampler.test and len(scene.things) == 1 and self.chance(0.75):
            # With one thing there is no wrong one to change.
            scene = self.sampler.scene()
        kind, after, text, _ = self.changed(scene, speaker)
        items = [Picture(scene, edited=True), Text(text, prompt=True), Paint(after)]
        return Sample("edit", items, dict(change=kind, before=facts(scene), after=facts(after)))

    def think_edit(self) -> Sample:
        scene, speaker = self.sampler.scene(), self.speaker()
        kind, after, text, said = self.changed(scene, speaker)
        space = " " if speaker.english else ""
        plan = said + space + speaker.lexicon["stays"] + space + speaker.plan(after)
        items = [Text(PLAN_FIRST), Picture(scene, edited=True), Text(text, prompt=True),
                 Text(thought(plan), learn=True, prompt=True), Paint(after)]
        return Sample("think_edit", items, dict(change=kind, before=facts(scene), after=facts(after)))

    def combine(self) -> Sample:
        """One thing of the first picture goes into the second, to the place that it had."""
        speaker, canvas = self.speaker(), self.sampler.canvas()
        most = self.world.most_things
        while True:
            first = self.sampler.scene(canvas=canvas)
            second = self.sampler.scene(n_things=1 + int(self.rng.integers(max(1, most - 1))), canvas=canvas)
            index = int(self.rng.integers(len(first.things)))
            thing = first.things[index]
            after = second.with_things([*second.things, thing])
            if self.sampler.fits(second, thing) and self.sampler.acceptable(after):
                break
        text = speaker.finish(speaker.wording("COMBINE").format(target=speaker.target(first, index)))
        items = [Picture(first, True), Picture(second, True), Text(text, prompt=True), Paint(after)]
        return Sample("combine", items, dict(change="combine", before=facts(second), after=facts(after)))

    # Ask

    def question(self, scene: Scene, speaker: Speaker) -> tuple[str, str]:
        """A question about a picture and its answer."""
        say, things = speaker.wording, scene.things
        index = int(self.rng.integers(len(things)))
        thing, target = things[index], speaker.target(scene, index)
        kind = self.one_of(["what", "describe", "describe", "colour", "back", "count", "count_of", "where", "there", "larger"])
        full_stop = "." if speaker.english else "。"
        capital = lambda text: text[0].upper() + text[1:] + full_stop
        if kind == "what" and len(things) == 1:
            return say("WHAT"), capital(speaker.a(speaker.noun(thing, False, plain=True)))
        if kind == "colour":
            target = speaker.the(speaker.shape(thing.shape))
            if sum(other.shape == thing.shape for other in things) == 1:
                return say("COLOUR").format(target=target), capital(speaker.colour(thing.colour, True))
        if kind == "back":
            names = [speaker.colour(c, True) for c in scene.background]
            return say("BACK"), capital(speaker.join(names))
        if kind == "count":
            return say("COUNT"), self.number(speaker, len(things))
        if kind == "count_of":
            return self.count_of(scene, speaker)
        if kind == "where":
            return say("WHERE").format(target=target), capital(speaker.place(thing.cell, True))
        if kind == "there":
            asked = thing if self.chance(0.5) else self.sampler.thing(scene.canvas)
            found = any((asked.shape, asked.colour) == (other.shape, other.colour) for other in things)
            noun = speaker.a(speaker.noun(asked, False))
            return say("THERE").format(thing=noun), speaker.lexicon["yes" if found else "no"]
        if kind == "larger" and len(things) > 1 and len({t.size for t in things[:2]}) == 2:
            one, two = (speaker.the(speaker.noun(t, False)) for t in things[:2])
            winner = max(things[:2], key=lambda t: t.size)
            return say("LARGER").format(one=one, two=two), capital(speaker.the(speaker.noun(winner, False, plain=True)))
        return say("DESCRIBE"), speaker.description(scene)

    def count_of(self, scene: Scene, speaker: Speaker) -> tuple[str, str]:
        """How many things have a colour or a shape that is there, or, one time in five, is not."""
        model = self.one_of(scene.things) if self.chance(0.8) else self.sampler.thing(scene.canvas)
        by_colour = self.chance(0.5)
        if by_colour:
            kind = speaker.noun(model, False, shape=False)
            number = sum(thing.colour == model.colour for thing in scene.things)
        else:
            kind = speaker.shape(model.shape)
            number = sum(thing.shape == model.shape for thing in scene.things)
        kind += "es" if speaker.english and kind.endswith(("s",)) else speaker.lexicon["plural"]
        return speaker.wording("COUNT_OF").format(kind=kind), self.number(speaker, number)

    def number(self, speaker: Speaker, n: int) -> str:
        word = speaker.lexicon["numbers"][n]
        return ("None." if n == 0 else word.capitalize() + ".") if speaker.english else word + "个。"

    def ask(self) -> Sample:
        """A picture and one to three questions in a row."""
        scene, speaker = self.sampler.scene(), self.speaker()
        items, answers = [Picture(scene, edited=False)], []
        for _ in range(1 if self.sampler.test else int(self.rng.integers(1, 4))):
            question, answer = self.question(scene, speaker)
            items += [Text(speaker.finish(question)), Text(answer, learn=True)]
            answers.append(answer)
        return Sample("ask", items, dict(answer=answers[0], scene=facts(scene)))

    def think_ask(self) -> Sample:
        """A reasoned answer: what is seen, then what was asked."""
        scene, speaker = self.sampler.scene(), self.speaker()
        question, answer = self.question(scene, speaker)
        seen = speaker.fixed("see", things=speaker.description(scene)[:-1].lower())
        items = [Text(REASON_FIRST), Picture(scene, edited=False), Text(speaker.finish(question)),
                 Text(thought(seen) + " " + answer, learn=True)]
        return Sample("think_ask", items, dict(answer=answer, scene=facts(scene)))

    def compare(self) -> Sample:
        """Two pictures and what changed between them."""
        scene, speaker = self.sampler.scene(), self.speaker()
        _, after, _, said = self.changed(scene, speaker)
        items = [Picture(scene, False), Picture(after, False), Text(speaker.finish(speaker.wording("CHANGED"))), Text(said, learn=True)]
        return Sample("compare", items, dict(answer=said))

    def talk(self) -> Sample:
        """Small talk, so that a greeting is answered."""
        speaker = self.speaker()
        said, answer = self.one_of(LANGUAGES[speaker.language]["talk"])
        shapes = speaker.join([speaker.shape(i, True) for i in range(self.world.n_shapes)])
        colours = speaker.join([speaker.colour(i, True) for i in range(self.world.n_colours)])
        answer = answer.format(shapes=shapes.capitalize(), colours=colours.capitalize())
        return Sample("talk", [Text(speaker.finish(said)), Text(answer, learn=True)], dict(answer=answer))


# What an edit may change, and how often it is trained: copying all is learned first, and what must vanish last.
CHANGES = dict(recolour=5, reshape=4, add=2, remove=6, move=5, resize=7, background=2)

# How often a request names a size, a place, and how two things stand to each other where that can be said. What is
# left open, and what is said in relations, is learned last: with places named nine times in ten 95 of 100 requests with
# places were painted rightly, 36 of 100 without, and 6 of 100 with relations.
NAMED_IN_TESTS = dict(size=0.6, place=0.75, relation=0.5)
NAMED_IN_TRAINING = dict(size=0.65, place=0.5, relation=0.85)

# Kinds that paint nothing.
TOLD = ("ask", "think_ask", "compare", "talk")

# How often each kind is trained.
MIXTURE = dict(create=0.34, think_create=0.12, edit=0.24, think_edit=0.05, combine=0.07, ask=0.11, think_ask=0.03, compare=0.03, talk=0.01)


def thought(text: str) -> str:
    return f"<think> {text} </think>"


def meant(sample: Sample) -> tuple | None:
    """What an instruction is about: shape, colour, size and place, from 1, of the thing that it changes or adds.

    Zeros where it is the background; None where nothing is changed.
    """
    before = [item.scene for item in sample.items if isinstance(item, Picture)]
    after = [item.scene for item in sample.items if isinstance(item, Paint)]
    if len(before) != 1 or not after:
        return None
    was, becomes = before[0].things, after[0].things
    changed = [thing for thing in was if thing not in becomes] or [thing for thing in becomes if thing not in was]
    return next(((t.shape + 1, t.colour + 1, t.size + 1, t.cell + 1) for t in changed), (0, 0, 0, 0))


def facts(scene: Scene) -> dict:
    """A scene in words that a scorer in another language reads."""
    return dict(
        things=[dict(shape=SHAPES[t.shape], colour=COLOUR_NAMES[t.colour], size=SIZES[t.size], place=t.cell,
                     x=round(t.x, 4), y=round(t.y, 4), radius=round(t.radius, 4)) for t in scene.things],
        background=dict(colours=[COLOUR_NAMES[c] for c in scene.background], split=scene.split),
    )


def random_sample(tasks: Tasks, mixture: dict) -> Sample:
    kinds = list(mixture)
    weights = np.array([mixture[kind] for kind in kinds])
    return getattr(tasks, kinds[int(tasks.rng.choice(len(kinds), p=weights / weights.sum()))])()
