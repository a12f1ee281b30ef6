"""Packs samples into rows of one length: what stands where, who sees whom, what is learned.

All samples of a batch share one canvas, so that pictures, latents and patches are plain tensors.
Attention follows the reference: text is causal, a picture sees itself and everything before it, and
latents that are noise are seen by nobody else.
"""

from dataclasses import dataclass, field, fields

import numpy as np
import torch
import torch.nn.functional as F

from draw import Plot, draw, plot
from model import LATENT_PATCH, ROPE_THETA, VIT_PATCH
from tasks import Paint, Picture, Sample, Tasks, Text, random_sample
from tokenizer import Vocabulary
from vae import DOWNSAMPLE, patchify
from world import World

CAUSAL, FULL, NOISE = 0, 1, 2
TOKEN_PIXELS = DOWNSAMPLE * LATENT_PATCH
# Chances that the prompt (with the plan), the pictures (with the plan), only the ViT's or only the VAE's view is left out.
DROP = dict(prompt=0.1, pictures=0.1, vit=0.06, vae=0.03)


@dataclass
class Layout:
    """Where the tokens of both experts stand in the rows, who sees whom, and their rotations."""

    slots: torch.Tensor
    mask: torch.Tensor
    cosine: torch.Tensor
    sine: torch.Tensor

    def rows(self, x):
        """(tokens, heads, head) to (rows, heads, length, head)."""
        n_rows, length = self.mask.shape[0], self.mask.shape[-1]
        flat = x.new_zeros((n_rows * length, *x.shape[1:])).index_copy(0, self.slots, x)
        return flat.unflatten(0, (n_rows, length)).transpose(1, 2)

    def rotate(self, x):
        first, second = x.float().chunk(2, -1)
        turned = torch.cat([first * self.cosine - second * self.sine, second * self.cosine + first * self.sine], -1)
        return turned.to(x.dtype)


@dataclass
class Batch:
    """A packed batch. Sizes are (height, width) in tokens; slots number places in rows * length."""

    canvas: tuple
    length: int
    plot: Plot | None
    vit_size: tuple
    latent_size: tuple
    text_ids: torch.Tensor
    text_slots: torch.Tensor
    labels: torch.Tensor  # The next token where it is learned, -1 elsewhere.
    text_sample: torch.Tensor  # Which sample a text token belongs to.
    vit_scene: torch.Tensor
    vit_slots: torch.Tensor
    latent_scene: torch.Tensor
    latent_noised: torch.Tensor
    latent_slots: torch.Tensor
    position: torch.Tensor
    sample: torch.Tensor  # -1 where a row is empty.
    split: torch.Tensor
    mode: torch.Tensor
    kinds: list = field(default_factory=list)

    def to(self, device) -> "Batch":
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        moved = {k: v.to(device) if isinstance(v, torch.Tensor | Plot) else v for k, v in values.items()}
        return Batch(**moved)

    def layout(self, head: int) -> Layout:
        slots = torch.cat([self.text_slots, self.vit_slots.flatten(), self.latent_slots.flatten()])
        frequencies = ROPE_THETA ** (-torch.arange(0, head, 2, device=slots.device) / head)
        angles = self.position[slots].float()[:, None, None] * frequencies
        return Layout(slots, self.mask(), angles.cos(), angles.sin())

    def mask(self) -> torch.Tensor:
        """(rows, 1, length, length): whether a query (third axis) sees a key (last axis)."""
        sample, split, mode = (x.view(-1, self.length) for x in (self.sample, self.split, self.mode))
        place = torch.arange(self.length, device=sample.device)
        same_split = split[:, :, None] == split[:, None, :]
        before = place[:, None] >= place[None, :]
        sees = before | (same_split & (mode != CAUSAL)[:, :, None])
        sees &= same_split | (mode != NOISE)[:, None, :]
        sees &= sample[:, :, None] == sample[:, None, :]
        return sees[:, None]

    @torch.no_grad()
    def pictures(self, vae, device):
        """Draws the scenes: latents (n, tokens, 64) of those to be painted or edited, ViT patches of those seen."""
        latents, patches = torch.zeros(0, 1, 64, device=device), torch.zeros(0, 1, 588, device=device)
        if self.plot is None:
            return latents, patches
        drawn = draw(self.plot, device) * 2 - 1
        if len(self.latent_scene):
            used, back = torch.unique(self.latent_scene, return_inverse=True)
            with torch.autocast(device.type, torch.bfloat16):
                encoded = vae.encode(drawn[used])
            latents = patchify(encoded.float(), LATENT_PATCH)[back]
        if len(self.vit_scene):
            patches = vit_patches(drawn, self.vit_size)[self.vit_scene]
        return latents, patches


def vit_patches(drawn, vit_size):
    """Pictures (-1..1) resized for the ViT and cut into patches."""
    size = (vit_size[0] * VIT_PATCH, vit_size[1] * VIT_PATCH)
    small = F.interpolate(drawn, size, mode="bicubic", antialias=True).clamp(-1, 1)
    # The engine resizes pictures of 8 bits, so the ViT sees 8 bits.
    return patchify(((small * 0.5 + 0.5) * 255).round() / 127.5 - 1, VIT_PATCH)


def latent_size(canvas) -> tuple:
    return canvas[1] // TOKEN_PIXELS, canvas[0] // TOKEN_PIXELS


def vit_size(canvas) -> tuple:
    """The ViT sees seven eighths of the pixels, so that its patches of 14 match the latents' 16."""
    return latent_size(canvas)


class Packer:
    """Makes batches of random samples; called in worker processes."""

    def __init__(self, world: World, vocabulary_path, rows: int, mixture: dict, drop: dict = DROP, copies: int = 2, test=False):
        self.world, self.rows, self.mixture, self.drop, self.copies, self.test = world, rows, mixture, drop, copies, test
        self.vocabulary_path = vocabulary_path
        self.vocabulary = None

    def __call__(self, rng) -> Batch:
        tasks = Tasks(self.world, rng, test=self.test, unseen_words=self.test)
        canvas = tasks.sampler.canvas()
        tasks.sampler.canvas = lambda: canvas
        return self.pack(canvas, lambda: random_sample(tasks, self.mixture), rng)

    def pack(self, canvas, next_sample, rng, n_samples: int | None = None) -> Batch:
        """Fills rows until a few samples in a row found no room, or packs exactly `n_samples`."""
        self.vocabulary = self.vocabulary or Vocabulary(self.vocabulary_path)
        tokens = latent_size(canvas)[0] * latent_size(canvas)[1]
        length = -(-(5 * (tokens + 2) + 100) // 32) * 32
        page = Page(self.rows, length, tokens, tokens)
        misses = done = 0
        while misses < 3 and (n_samples is None or done < n_samples):
            splits = self.splits(next_sample(), rng, tokens)
            if page.place(splits):
                done += 1
            elif n_samples is not None:
                raise ValueError("the samples do not fit into the rows of the page")
            else:
                misses += 1
        batch = page.batch(canvas, self.vocabulary)
        batch.plot = plot(page.scenes) if page.scenes else None
        return batch

    def splits(self, sample: Sample, rng, tokens: int) -> list[dict]:
        """The sample as a list of splits, with conditions left out at random."""
        vocabulary, drop = self.vocabulary, self.drop
        paints = any(isinstance(item, Paint) for item in sample.items)
        draw_lot = rng.random() if paints else 1.0
        no_prompt = draw_lot < drop["prompt"]
        no_pictures = not no_prompt and draw_lot < drop["prompt"] + drop["pictures"]
        no_vit, no_vae = (paints and rng.random() < drop[view] for view in ("vit", "vae"))
        splits = []
        for item in sample.items:
            if isinstance(item, Text):
                plan = item.prompt and item.text.startswith("<think>")
                if item.prompt and no_prompt or plan and no_pictures:
                    continue
                ids = [vocabulary.start, *vocabulary.encode(item.text), vocabulary.end]
                splits.append(dict(kind="text", ids=ids, learn=item.learn))
            elif isinstance(item, Picture):
                if no_pictures or no_vit and no_vae:
                    continue
                if item.edited and not no_vae:
                    splits.append(dict(kind="latent", scene=item.scene, noised=False))
                if not (item.edited and no_vit):
                    splits.append(dict(kind="vit", scene=item.scene))
            else:
                copies = self.copies if any(s["kind"] == "latent" for s in splits) else 1
                splits += [dict(kind="latent", scene=item.scene, noised=True)] * copies
        return [dict(split, task=sample.kind) for split in splits]


class Page:
    """Rows being filled."""

    def __init__(self, rows: int, length: int, vit_tokens: int, latent_tokens: int):
        self.rows, self.length = rows, length
        self.tokens = dict(vit=vit_tokens, latent=latent_tokens)
        self.used = [0] * rows
        self.layout = np.zeros((4, rows * length), np.int64)  # position, sample, split, mode
        self.layout[1] = -1
        self.scenes, self.text, self.pictures, self.kinds = [], [], dict(vit=[], latent=[]), []
        self.n_splits = 0

    def place(self, splits: list[dict]) -> bool:
        need = sum(len(s["ids"]) if s["kind"] == "text" else self.tokens[s["kind"]] + 2 for s in splits)
        row = next((r for r in range(self.rows) if self.used[r] + need <= self.length), None)
        if row is None:
            return False
        position, number = 0, len(self.kinds)
        self.kinds.append(splits[0]["task"])
        for split in splits:
            start = row * self.length + self.used[row]
            if split["kind"] == "text":
                size, mode = len(split["ids"]), CAUSAL
                positions = np.arange(position, position + size)
                labels = split["ids"][1:] + [-1] if split["learn"] else [-1] * size
                self.text.append((split["ids"], np.arange(start, start + size), labels, number))
                position += size
            else:
                size = self.tokens[split["kind"]] + 2
                noised = split.get("noised", False)
                mode, positions = NOISE if noised else FULL, position
                slots = np.arange(start, start + size)
                self.text.append(("markers", slots[[0, -1]], [-1, -1], number))
                self.pictures[split["kind"]].append((self.scene(split["scene"]), slots[1:-1], noised))
                position += 0 if noised else 1
            self.layout[:, start : start + size] = np.stack(np.broadcast_arrays(positions, number, self.n_splits, mode * np.ones(size, np.int64)))
            self.n_splits += 1
            self.used[row] += size
        return True

    def scene(self, scene) -> int:
        for index in range(max(0, len(self.scenes) - 4), len(self.scenes)):
            if self.scenes[index] is scene:
                return index
        self.scenes.append(scene)
        return len(self.scenes) - 1

    def batch(self, canvas, vocabulary) -> Batch:
        markers = [vocabulary.image_start, vocabulary.image_end]
        texts = [(markers if ids == "markers" else ids, slots, labels, [number] * len(slots)) for ids, slots, labels, number in self.text]
        ids, slots, labels, kinds = (torch.tensor([n for t in texts for n in t[i]], dtype=torch.long) for i in range(4))
        columns = {}
        for kind, entries in self.pictures.items():
            scene, where, noised = ([e[i] for e in entries] for i in range(3))
            where = np.array(where, np.int64).reshape(len(entries), -1) if entries else np.zeros((0, 1), np.int64)
            columns[kind] = (torch.tensor(scene, dtype=torch.long), torch.from_numpy(where), torch.tensor(noised, dtype=torch.bool))
        position, sample, split, mode = (torch.from_numpy(x.copy()) for x in self.layout)
        vit, latent = columns["vit"], columns["latent"]
        return Batch(canvas, self.length, None, vit_size(canvas), latent_size(canvas), ids, slots, labels, kinds,
                     vit[0], vit[1], latent[0], latent[2], latent[1], position, sample, split, mode, self.kinds)
