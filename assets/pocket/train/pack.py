"""Packs samples into rows of a few lengths: what stands where, who sees whom, what is learned.

All samples of a batch share one canvas, so that pictures, latents and patches are plain tensors.
Attention follows the reference: text is causal, a picture sees itself and everything before it, and
latents that are noise are seen by nobody else.
"""

from dataclasses import dataclass, field, fields
from itertools import groupby

import numpy as np
import torch
import torch.nn.functional as F

from draw import Plot, draw, plot
from loop import mixed_precision
from model import LATENT_PATCH, ROPE_THETA, VIT_PATCH
from tasks import Paint, Picture, Sample, Tasks, Text, meant, random_sample
from tokenizer import Vocabulary
from vae import DOWNSAMPLE, patchify
from world import World

CAUSAL, FULL, NOISE = 0, 1, 2
TOKEN_PIXELS = DOWNSAMPLE * LATENT_PATCH
# Chances that the prompt (with the plan), the pictures (with the plan), only the ViT's or only the VAE's view is left out.
DROP = dict(prompt=0.1, pictures=0.1, vit=0.06, vae=0.03)


def attention(q, k, v, mask):
    """The library's own; on a processor its gradient is three times as slow as plain products of bf16."""
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2)) + mask
    return torch.matmul(scores.softmax(-1).to(v.dtype), v)


@dataclass
class Layout:
    """Where the tokens of both experts stand in the rows, who sees whom, and their rotations.

    Rows of one length are a block (rows, length); blocks follow one another in the numbering of places.
    """

    slots: torch.Tensor
    blocks: list
    masks: list
    cosine: torch.Tensor
    sine: torch.Tensor

    def attend(self, q, k, v):
        """Attention of (tokens, heads, head) over the rows, in the order of the tokens."""
        places = sum(rows * length for rows, length in self.blocks)
        q, k, v = (x.new_zeros((places, *x.shape[1:])).index_copy(0, self.slots, x) for x in (q, k, v))
        done, start = [], 0
        for (rows, length), mask in zip(self.blocks, self.masks):
            cut = lambda x: x[start : start + rows * length].unflatten(0, (rows, length)).transpose(1, 2)
            out = attention(cut(q), cut(k), cut(v), mask.to(q.dtype))
            done.append(out.transpose(1, 2).flatten(0, 1).flatten(1))
            start += rows * length
        return torch.cat(done).index_select(0, self.slots)


@dataclass
class Batch:
    """A packed batch. Sizes are (height, width) in tokens; slots number the places of all rows."""

    canvas: tuple
    blocks: list  # (rows, length), shortest rows first.
    plot: Plot | None
    vit_size: tuple
    latent_size: tuple
    text_ids: torch.Tensor
    text_slots: torch.Tensor
    labels: torch.Tensor  # The next token where it is learned, -1 elsewhere.
    text_sample: torch.Tensor  # Which sample a text token belongs to.
    meant_text: torch.Tensor  # The last token of every instruction that changes a picture, as a number of text tokens,
    meant: torch.Tensor  # and (instructions, 4) what it means: see tasks.meant.
    vit_scene: torch.Tensor
    vit_slots: torch.Tensor
    latent_scene: torch.Tensor
    latent_before: torch.Tensor  # The scene that is edited into latent_scene; the same where nothing is edited.
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
        return Layout(slots, self.blocks, self.masks(), angles.cos(), angles.sin())

    def masks(self) -> list[torch.Tensor]:
        """(rows, 1, length, length) of each block: 0 where a query (third axis) sees a key (last axis)."""
        masks, start = [], 0
        for rows, length in self.blocks:
            cut = slice(start, start + rows * length)
            sample, split, mode = (x[cut].view(rows, length) for x in (self.sample, self.split, self.mode))
            place = torch.arange(length, device=sample.device)
            same_split = split[:, :, None] == split[:, None, :]
            sees = (place[:, None] >= place[None, :]) | (same_split & (mode != CAUSAL)[:, :, None])
            sees &= same_split | (mode != NOISE)[:, None, :]
            sees &= sample[:, :, None] == sample[:, None, :]
            masks.append(torch.zeros(sees.shape, device=sees.device).masked_fill(~sees, -1e4)[:, None])
            start += rows * length
        return masks

    @torch.no_grad()
    def pictures(self, vae, device):
        """Draws the scenes: latents (n, tokens, 64) of those to be painted or edited, ViT patches of those seen."""
        latents, patches = torch.zeros(0, 1, 64, device=device), torch.zeros(0, 1, 588, device=device)
        if self.plot is None:
            return latents, patches
        drawn = draw(self.plot, device) * 2 - 1
        if len(self.latent_scene):
            used, back = torch.unique(self.latent_scene, return_inverse=True)
            with mixed_precision(device):
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
        """Packs samples until a few running found no room, or exactly `n_samples`."""
        self.vocabulary = self.vocabulary or Vocabulary(self.vocabulary_path)
        tokens = latent_size(canvas)[0] * latent_size(canvas)[1]
        places = None if n_samples is not None else self.rows * row_lengths(tokens)[-1]
        page = Page(places, tokens, tokens)
        misses = done = 0
        while misses < 3 and (n_samples is None or done < n_samples):
            splits = self.splits(next_sample(), rng, tokens)
            if page.place(splits):
                done += 1
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
        splits, before = [], None
        for item in sample.items:
            if isinstance(item, Text):
                plan = item.prompt and item.text.startswith("<think>")
                if item.prompt and no_prompt or plan and no_pictures:
                    continue
                ids = [vocabulary.start, *vocabulary.encode(item.text), vocabulary.end]
                is_instruction = item.prompt and not plan and any(s["kind"] == "vit" for s in splits)
                splits.append(dict(kind="text", ids=ids, learn=item.learn, meant=meant(sample) if is_instruction else None))
            elif isinstance(item, Picture):
                if no_pictures or no_vit and no_vae:
                    continue
                if item.edited:
                    before = item.scene
                if item.edited and not no_vae:
                    splits.append(dict(kind="latent", scene=item.scene, noised=False))
                if not (item.edited and no_vit):
                    splits.append(dict(kind="vit", scene=item.scene))
            else:
                copies = self.copies if any(s["kind"] == "latent" for s in splits) else 1
                splits += [dict(kind="latent", scene=item.scene, before=before or item.scene, noised=True)] * copies
        return [dict(split, task=sample.kind) for split in splits]


def row_lengths(tokens: int) -> list[int]:
    """Lengths of rows for pictures of so many tokens: short ones, because every place of a row looks at all others."""
    picture = tokens + 2
    most = 5 * picture + 100
    steps = [picture + 26, 2 * picture + 20, 3 * picture + 30, 4 * picture + 24, most]
    return [-(-length // 16) * 16 for length in steps]


class Page:
    """Rows being filled, of at most `places` in all (or as many as needed)."""

    def __init__(self, places: int | None, vit_tokens: int, latent_tokens: int):
        self.places = places
        self.lengths = row_lengths(latent_tokens)
        self.tokens = dict(vit=vit_tokens, latent=latent_tokens)
        self.rows = []  # [length, used, [(first place, size, position, sample, split, mode)]]
        self.scenes, self.text, self.pictures, self.kinds = [], [], dict(vit=[], latent=[]), []
        self.meant = []  # [(entry of text, what it means)]
        self.n_splits = 0

    def row_for(self, need: int) -> int | None:
        """A row with room, a new one of the shortest length that will do, or none."""
        best = min((r for r, (length, used, _) in enumerate(self.rows) if used + need <= length), default=None,
                   key=lambda r: self.rows[r][0] - self.rows[r][1])
        if best is not None:
            return best
        length = next((n for n in self.lengths if n >= need), -(-need // 16) * 16)
        if self.places is not None and sum(row[0] for row in self.rows) + length > self.places:
            return None
        self.rows.append([length, 0, []])
        return len(self.rows) - 1

    def place(self, splits: list[dict]) -> bool:
        need = sum(len(s["ids"]) if s["kind"] == "text" else self.tokens[s["kind"]] + 2 for s in splits)
        number = self.row_for(need)
        if number is None:
            return False
        row, position, sample = self.rows[number], 0, len(self.kinds)
        self.kinds.append(splits[0]["task"])
        for split in splits:
            start = row[1]
            if split["kind"] == "text":
                size, mode = len(split["ids"]), CAUSAL
                positions = np.arange(position, position + size)
                labels = split["ids"][1:] + [-1] if split["learn"] else [-1] * size
                if split.get("meant"):
                    self.meant.append((len(self.text), split["meant"]))
                self.text.append((split["ids"], number, np.arange(start, start + size), labels, sample))
                position += size
            else:
                size = self.tokens[split["kind"]] + 2
                noised = split.get("noised", False)
                mode, positions = NOISE if noised else FULL, position
                slots = np.arange(start, start + size)
                self.text.append(("markers", number, slots[[0, -1]], [-1, -1], sample))
                before = self.scene(split.get("before", split["scene"]))
                self.pictures[split["kind"]].append((self.scene(split["scene"]), number, slots[1:-1], noised, before))
                position += 0 if noised else 1
            row[2].append((start, size, positions, sample, self.n_splits, mode))
            row[1] += size
            self.n_splits += 1
        return True

    def scene(self, scene) -> int:
        for index in range(max(0, len(self.scenes) - 4), len(self.scenes)):
            if self.scenes[index] is scene:
                return index
        self.scenes.append(scene)
        return len(self.scenes) - 1

    def batch(self, canvas, vocabulary) -> Batch:
        order = sorted(range(len(self.rows)), key=lambda r: self.rows[r][0])
        blocks = [(len(list(rows)), length) for length, rows in groupby(order, key=lambda r: self.rows[r][0])]
        starts = np.zeros(len(order), np.int64)
        starts[order] = np.cumsum([0, *(self.rows[r][0] for r in order)])[:-1]
        layout = np.zeros((4, sum(rows * length for rows, length in blocks)), np.int64)
        layout[1] = -1
        for first, (*_, splits) in zip(starts, self.rows):
            for start, size, *values in splits:
                layout[:, first + start : first + start + size] = np.stack([np.broadcast_to(v, size) for v in values])
        markers = [vocabulary.image_start, vocabulary.image_end]
        texts = [(markers if ids == "markers" else ids, slots + starts[row], labels, [sample] * len(slots))
                 for ids, row, slots, labels, sample in self.text]
        ids, slots, labels, kinds = (torch.tensor([n for t in texts for n in t[i]], dtype=torch.long) for i in range(4))
        ends = np.cumsum([len(t[0]) for t in texts], dtype=np.int64) - 1
        meant_text = torch.from_numpy(ends[[entry for entry, _ in self.meant]])
        meant_facts = torch.tensor([facts for _, facts in self.meant], dtype=torch.long).view(-1, 4)
        columns = {}
        for kind, entries in self.pictures.items():
            where = [slots + starts[row] for _, row, slots, *_ in entries]
            where = np.stack(where) if entries else np.zeros((0, 1), np.int64)
            scenes, noised, before = (torch.tensor([e[i] for e in entries], dtype=kind_of) for i, kind_of in ((0, torch.long), (3, torch.bool), (4, torch.long)))
            columns[kind] = (scenes, torch.from_numpy(where), noised, before)
        position, sample, split, mode = (torch.from_numpy(x.copy()) for x in layout)
        vit, latent = columns["vit"], columns["latent"]
        return Batch(canvas, blocks, None, vit_size(canvas), latent_size(canvas), ids, slots, labels, kinds,
                     meant_text, meant_facts, vit[0], vit[1], latent[0], latent[3], latent[2], latent[1], position, sample, split, mode, self.kinds)
