"""Paints with the model that is being trained, lets the judge mark the pictures, and writes lessons for it:

    python rollouts.py --out RUN --judge ../../../target/debug/judge

runs beside `train.py --lessons`. Drawn scenes show a model what is right, and never what it does wrong: most of its
wrong pictures hold one thing too many, which no scene does. So several pictures are painted for one request, and the
next model is moved towards those that the judge found better than the others and away from those it found worse.

The lesson is DiffusionNFT's (Zheng et al., 2025, arXiv 2509.16117): for a picture `x`, noise `n`, their velocity
`v = n - x` and the velocity `w` of the model that painted it, the target is `w + a (v - w)`, where `a` in -1..1 says
how much better the picture is than the others of its request. Only requests of the training are used, never cases.
"""

import argparse
import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from draw import draw, plot
from loop import Journal, mixed_precision, pick_device, save
from model import LATENT_PATCH, Bagel, ModelShape
from pack import NOISE, Packer, Page, attention, latent_size
from presets import PRESETS
from quick import load_quick
from tasks import Picture, Tasks
from tokenizer import Vocabulary
from vae import load_autoencoder, unpatchify

KEEP_ALL = dict(prompt=0.0, pictures=0.0, vit=0.0, vae=0.0)
# What a picture gets that is not right, for its background, its colours and the number of its things.
PARTS = dict(background=0.1, colours=0.1, number=0.2)
# A picture that is better than the others by this much is all that a lesson can ask for.
SCALE = 0.5


class RowEach(Page):
    """A page on which every sample has a row of its own."""

    def row_for(self, need: int) -> int:
        self.rows.append([-(-need // 16) * 16, 0, []])
        return len(self.rows) - 1


class Recorder:
    """A layout that keeps the keys and values of all places, layer by layer."""

    def __init__(self, layout):
        self.layout, self.kept = layout, []
        self.cosine, self.sine = layout.cosine, layout.sine

    def attend(self, q, k, v):
        places = sum(rows * length for rows, length in self.layout.blocks)
        self.kept.append([x.new_zeros((places, *x.shape[1:])).index_copy(0, self.layout.slots, x) for x in (k, v)])
        return self.layout.attend(q, k, v)


class Painted:
    """A layout of the painted pictures alone: all that they look at is there already."""

    def __init__(self, recorder: Recorder, tokens: torch.Tensor, n_rows: int):
        layout = recorder.layout
        self.kept, self.at = recorder.kept, 0
        self.cosine, self.sine = layout.cosine[tokens], layout.sine[tokens]
        self.slots = layout.slots[tokens]
        # Every row holds as many painted places as any other, so in the order of their places they make a table.
        self.order = self.slots.argsort()
        self.back = self.order.argsort()
        self.per_row = len(tokens) // n_rows
        self.blocks, self.masks, start = layout.blocks, [], 0
        ordered, row = self.slots[self.order].view(n_rows, self.per_row), 0
        for (rows, length), mask in zip(layout.blocks, layout.masks):
            firsts = start + torch.arange(rows) * length
            places = ordered[row : row + rows] - firsts[:, None]
            self.masks.append(mask.gather(2, places[:, None, :, None].expand(rows, 1, self.per_row, length)))
            start, row = start + rows * length, row + rows

    def attend(self, q, k, v):
        keys, values = self.kept[self.at]
        self.at = (self.at + 1) % len(self.kept)
        keys.index_copy_(0, self.slots, k.to(keys.dtype))
        values.index_copy_(0, self.slots, v.to(values.dtype))
        q, done, start, row = q[self.order], [], 0, 0
        for (rows, length), mask in zip(self.blocks, self.masks):
            cut = lambda x: x[start : start + rows * length].unflatten(0, (rows, length)).transpose(1, 2)
            mine = q[row * self.per_row : (row + rows) * self.per_row].unflatten(0, (rows, self.per_row)).transpose(1, 2)
            out = attention(mine, cut(keys), cut(values), mask.to(q.dtype))
            done.append(out.transpose(1, 2).flatten(0, 1).flatten(1))
            start, row = start + rows * length, row + rows
        return torch.cat(done).index_select(0, self.back)


@dataclass
class Sheet:
    """Requests laid out with `copies` pictures to be painted for each."""

    batch: object
    latents: torch.Tensor  # Of every picture, those to be painted among them.
    patches: torch.Tensor


class Painter:
    """A model that paints many pictures at once, each request read once."""

    def __init__(self, run: Path, copies: int, device, is_compiled: bool = False):
        self.run, self.copies, self.device, self.is_compiled = run, copies, device, is_compiled
        torch._dynamo.config.recompile_limit = 64
        self.vae = load_autoencoder(run / "vae.pt", device)
        self.load()
        self.packer = Packer(self.preset.world, run / "tokenizer.json", 0, {}, KEEP_ALL, copies=1)

    def load(self):
        saved = torch.load(self.run / "light.pt" if (self.run / "light.pt").exists() else self.run / "model.pt", map_location="cpu", weights_only=False)
        self.preset, self.seen = PRESETS[saved["preset"]], saved["pictures"]
        self.model = Bagel(ModelShape(**saved["shape"]))
        self.model.load_state_dict({name: value.float() for name, value in saved["average"].items()})
        self.model.to(self.device).eval().requires_grad_(False)
        if self.is_compiled:
            for layer in self.model.language_model.model.layers:
                layer.compile_parts()

    def lay_out(self, samples, canvas) -> Sheet:
        self.packer.vocabulary = self.packer.vocabulary or Vocabulary(self.packer.vocabulary_path)
        tokens = latent_size(canvas)[0] * latent_size(canvas)[1]
        page = RowEach(None, tokens, tokens)
        for sample in samples:
            *context, last = self.packer.splits(sample, np.random.default_rng(0), tokens)
            page.place(context + [last] * self.copies)
        batch = page.batch(canvas, self.packer.vocabulary)
        batch.plot = plot(page.scenes)
        return Sheet(batch, *batch.pictures(self.vae, self.device))

    @torch.no_grad()
    def paint(self, sheet: Sheet, steps: int, shift: float, generator) -> torch.Tensor:
        """Latents (pictures, tokens, 64) painted from noise, without guidance."""
        batch, model = sheet.batch, self.model
        painted = batch.latent_noised
        latents = sheet.latents.clone()
        x = torch.randn(latents[painted].shape, generator=generator)
        times = torch.linspace(1, 0, steps)
        times = (shift * times / (1 + (shift - 1) * times)).tolist()
        with mixed_precision(self.device):
            layout = batch.layout(model.shape.head)
            recorder = Recorder(layout)
            text = model.language_model.model.embed_tokens(batch.text_ids)
            seen = model.see(sheet.patches, *batch.vit_size).flatten(0, 1) if len(sheet.patches) else text[:0]
            latents[painted] = x
            t = painted.float() * times[0]
            und = torch.cat([text, seen.to(text.dtype)])
            drawn = model.latent_tokens(latents, t, *batch.latent_size)
            _, gen = model.language_model.model(und, drawn.flatten(0, 1).to(text.dtype), recorder)
            velocity = model.llm2vae(gen).float().unflatten(0, drawn.shape[:2])[painted]
            # The places that change with the noise: painted latents, and the markers around them.
            is_noise = batch.mode == NOISE
            markers = is_noise[batch.text_slots].nonzero()[:, 0]
            width = drawn.shape[1]
            pictures = painted.nonzero()[:, 0]
            gen_tokens = (pictures[:, None] * width + torch.arange(width)).flatten() + len(und)
            part = Painted(recorder, torch.cat([markers, gen_tokens]), len(batch.kinds))
            for index, (now, after) in enumerate(zip(times[:-1], times[1:])):
                if index:
                    drawn = model.latent_tokens(x, torch.full((len(x),), now), *batch.latent_size)
                    _, gen = model.language_model.model(text[markers], drawn.flatten(0, 1).to(text.dtype), part)
                    velocity = model.llm2vae(gen).float().unflatten(0, drawn.shape[:2])
                x = x - velocity * (now - after)
        return x

    @torch.no_grad()
    def velocity(self, sheet: Sheet, noisy: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        batch = sheet.batch
        latents, times = sheet.latents.clone(), torch.zeros(len(sheet.latents))
        latents[batch.latent_noised], times[batch.latent_noised] = noisy, t
        with mixed_precision(self.device):
            return self.model(batch, latents, times, sheet.patches)[1][batch.latent_noised]

    @torch.no_grad()
    def decode(self, x: torch.Tensor, size: tuple, quick=None) -> np.ndarray:
        latent = unpatchify(x, size[0] * LATENT_PATCH, size[1] * LATENT_PATCH, LATENT_PATCH)
        with mixed_precision(self.device):
            decoded = torch.cat([(quick or self.vae.decode)(part).float() for part in latent.split(16)])
        return bytes_of(decoded * 0.5 + 0.5)


def bytes_of(pictures: torch.Tensor) -> np.ndarray:
    """Pictures (n, 3, height, width) in 0..1 as (n, height, width, 3) of 8 bits."""
    return (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()


class Judge:
    """The judge of the final score, as a process that marks pictures."""

    def __init__(self, program: Path):
        self.process = subprocess.Popen([program, "--marks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def mark(self, expect: dict, picture: np.ndarray, before: np.ndarray | None) -> dict:
        height, width = picture.shape[:2]
        self.process.stdin.write(json.dumps(dict(width=width, height=height, expect=expect)).encode() + b"\n")
        if "after" in expect:
            self.process.stdin.write(before.tobytes())
        self.process.stdin.write(picture.tobytes())
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def reward(mark: dict) -> float:
    return 1.0 if mark["right"] else sum(worth for part, worth in PARTS.items() if mark[part])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--judge", type=Path, default=Path("../../../target/debug/judge"))
    parser.add_argument("--kinds", nargs="+", default=["create", "edit", "edit", "edit", "think_create"])
    parser.add_argument("--requests", type=int, default=11, help="requests to a lesson")
    parser.add_argument("--copies", type=int, default=6, help="pictures for each request")
    parser.add_argument("--draws", type=int, default=4, help="lessons from the same pictures, with other noise")
    parser.add_argument("--lesson-shift", type=float, default=5, help="above 1, more of the noisy times are taught, which decide how many things there are")
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--shift", type=float, default=2.5)
    parser.add_argument("--most", type=int, default=60, help="lessons that may wait; beyond that it rests")
    parser.add_argument("--pairs", action="store_true", help="keep latents and pictures, for quick.py to learn from")
    parser.add_argument("--quick", action="store_true", help="show the judge what quick.py's decoder makes")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    folder = args.out / "lessons"
    folder.mkdir(exist_ok=True)
    device = pick_device()
    painter, judge = Painter(args.out, args.copies, device, True), Judge(args.judge)
    journal = Journal(args.out / "rollouts.jsonl")
    seed = args.seed or int(time.time())
    quick = load_quick(args.out / "quick.pt", device) if args.quick else None
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    tasks = Tasks(painter.preset.world, rng)
    canvas = painter.preset.world.canvases[0]
    tasks.sampler.canvas = lambda: canvas
    loaded, number = time.time(), 0
    while True:
        while len(os.listdir(folder)) > args.most:
            time.sleep(1)
        light = args.out / "light.pt"
        if light.exists() and light.stat().st_mtime > loaded:
            loaded = time.time()
            painter.load()
        start = time.process_time()
        kind = args.kinds[number % len(args.kinds)]
        samples = [getattr(tasks, kind)() for _ in range(args.requests)]
        sheet = painter.lay_out(samples, canvas)
        x = painter.paint(sheet, args.steps, args.shift, generator)
        painted = time.process_time()
        pictures = painter.decode(x, sheet.batch.latent_size, quick)
        if args.pairs:
            size = [side * LATENT_PATCH for side in sheet.batch.latent_size]
            save(args.out / "pairs" / f"{int(time.time() * 1000)}.pt",
                 dict(latents=unpatchify(x, *size, LATENT_PATCH).clone(), pictures=torch.from_numpy(pictures)))
        decoded = time.process_time()
        shown = [[item.scene for item in sample.items if isinstance(item, Picture)] for sample in samples]
        before = [bytes_of(draw(scenes[-1:]))[0] if scenes else None for scenes in shown]
        marked = lambda place, picture: judge.mark(samples[place // args.copies].expect, picture, before[place // args.copies])
        marks = [marked(place, picture) for place, picture in enumerate(pictures)]
        # What is wrong in its outlines alone may be so in the small decoder only, and must not be unlearned.
        doubtful = [place for place, mark in enumerate(marks) if not mark["right"] and all(mark[part] for part in PARTS)] if quick else []
        if doubtful:
            for place, picture in zip(doubtful, painter.decode(x[doubtful], sheet.batch.latent_size)):
                marks[place] = marked(place, picture)
        cleared = sum(bool(marks[place]["right"]) for place in doubtful)
        rewards = np.array([reward(mark) for mark in marks], np.float32).reshape(len(samples), args.copies)
        better = ((rewards - rewards.mean(1, keepdims=True)) / SCALE).clip(-1, 1)
        useful = [index for index in range(len(samples)) if np.abs(better[index]).max() > 0.05]
        if useful:
            chosen = painter.lay_out([samples[index] for index in useful], canvas)
            kept = x.view(len(samples), args.copies, *x.shape[1:])[useful].flatten(0, 1)
            amount = torch.from_numpy(better[useful]).flatten()
            for draw_number in range(args.draws):
                t = torch.sigmoid(torch.randn(len(kept), generator=generator))
                t = args.lesson_shift * t / (1 + (args.lesson_shift - 1) * t)
                noise = torch.randn(kept.shape, generator=generator)
                noisy = torch.lerp(kept, noise, t[:, None, None])
                velocity = painter.velocity(chosen, noisy, t)
                target = velocity + amount[:, None, None] * ((noise - kept) - velocity)
                save(folder / f"{int(time.time() * 1000)}-{draw_number}.pt",
                     dict(batch=chosen.batch, latents=chosen.latents, patches=chosen.patches, noisy=noisy, t=t, target=target, kind=kind))
        number += 1
        changes = {}
        for sample, right in zip(samples, (rewards == 1).mean(1).tolist()):
            if "change" in sample.expect:
                changes.setdefault(sample.expect["change"], []).append(round(right, 2))
        means = {name: round(float(np.mean([mark[name] for mark in marks])), 3) for name in ("right", "background", "colours", "number")}
        seconds = dict(paint=round(painted - start, 2), decode=round(decoded - painted, 2), all=round(time.process_time() - start, 2))
        journal.write(kind=kind, samples=painter.seen, **means, useful=len(useful), doubtful=len(doubtful), cleared=cleared,
                      changes=changes, **seconds)


if __name__ == "__main__":
    main()
