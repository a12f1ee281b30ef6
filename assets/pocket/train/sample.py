"""Lets a trained model paint and answer: contact sheets and a rough score, `python sample.py --out RUN`.

Everything is computed anew at each step, without a cache: slow, short, and the same as in training.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from draw import draw, plot
from judge import painted_right
from loop import pick_device
from model import Bagel, LATENT_PATCH, ModelShape
from pack import Packer, Page, latent_size
from presets import PRESETS
from tasks import Paint, Picture, Tasks, Text
from vae import load_autoencoder, unpatchify

KEEP_ALL = dict(prompt=0.0, pictures=0.0, vit=0.0, vae=0.0)


class Studio:
    """A trained model with all that it needs."""

    def __init__(self, run: Path, device):
        saved = torch.load(run / "model.pt", map_location="cpu", weights_only=False)
        self.device, self.preset, self.step = device, PRESETS[saved["preset"]], saved["step"]
        self.model = Bagel(ModelShape(**saved["shape"]))
        self.model.load_state_dict(saved["average"])
        self.model.to(device).eval()
        self.vae = load_autoencoder(run / "vae.pt", device)
        self.vocabulary_path = run / "tokenizer.json"

    def _batch(self, samples, canvas, **drop):
        packer = Packer(self.preset.world, self.vocabulary_path, len(samples), {}, KEEP_ALL | drop, copies=1)
        remaining = iter(samples)
        batch = packer.pack(canvas, lambda: next(remaining), np.random.default_rng(0), len(samples)).to(self.device)
        return batch, *batch.pictures(self.vae, self.device)

    @torch.no_grad()
    def paint(self, samples, canvas, steps=20, text=3.0, image=1.5, shift=2.0, renorm="global", interval=0.0, seed=0):
        """Pictures (n, height, width, 3) of 8 bits, one for each sample."""
        branches = [self._batch(samples, canvas)]
        edits = any(isinstance(item, Picture) for item in samples[0].items)
        thinks = any(isinstance(item, Text) and item.text.startswith("<think>") for item in samples[0].items)
        scales = []
        if text > 1:
            branches.append(self._batch(samples, canvas, prompt=1.0))
            scales.append(text)
            if image > 1 and (edits or thinks):
                branches.append(self._batch(samples, canvas, pictures=1.0))
                scales.append(image)
        height, width = latent_size(canvas)
        noise = torch.randn(len(samples), height * width, 64, generator=torch.Generator().manual_seed(seed))
        x = noise.to(self.device)
        times = torch.linspace(1, 0, steps)
        times = shift * times / (1 + (shift - 1) * times)
        for t, after in zip(times[:-1].tolist(), times[1:].tolist()):
            guided = branches if t > interval else branches[:1]
            v, *others = (self._velocity(branch, x, t) for branch in guided)
            x = x - guide(v, others, scales, renorm) * (t - after)
        latent = unpatchify(x, height * LATENT_PATCH, width * LATENT_PATCH, LATENT_PATCH)
        pictures = self.vae.decode(latent).float() * 0.5 + 0.5
        return (pictures.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).cpu().numpy()

    def _velocity(self, branch, x, t):
        batch, latents, patches = branch
        noisy = latents.clone()
        noisy[batch.latent_noised] = x
        hidden, velocity = self.model(batch, noisy, t * batch.latent_noised.float(), patches)
        return velocity[batch.latent_noised]

    @torch.no_grad()
    def write(self, samples, canvas, limit=80):
        """The words that the model says where each sample has its last learned text, greedily."""
        packer = Packer(self.preset.world, self.vocabulary_path, len(samples), {}, KEEP_ALL, copies=1)
        packer.pack(canvas, lambda: None, None, 0)
        vocabulary, (height, width) = packer.vocabulary, latent_size(canvas)
        prefixes = []
        for sample in samples:
            splits = packer.splits(sample, np.random.default_rng(0), 0)
            last = max(i for i, split in enumerate(splits) if split.get("learn"))
            prefixes.append(splits[:last])
        said = [[vocabulary.start] for _ in samples]
        done = [False] * len(samples)
        seen = None
        for _ in range(limit):
            page = Page(None, height * width, height * width)
            for prefix, ids in zip(prefixes, said):
                page.place(prefix + [dict(kind="text", ids=ids, learn=False, task="answer")])
            batch = page.batch(canvas, vocabulary)
            batch.plot = plot(page.scenes)
            batch = batch.to(self.device)
            seen = seen or batch.pictures(self.vae, self.device)
            hidden, _ = self.model(batch, seen[0], torch.zeros(len(seen[0]), device=self.device), seen[1])
            ends = torch.tensor([int((batch.text_sample == i).nonzero().max()) for i in range(len(samples))], device=self.device)
            for i, token in enumerate(self.model.language_model.lm_head(hidden[ends]).argmax(-1).tolist()):
                done[i] = done[i] or token == vocabulary.end
                if not done[i]:
                    said[i].append(token)
            if all(done):
                break
        return [vocabulary.decode(ids[1:]) for ids in said]


def guide(v, others, scales, renorm):
    """Text guidance, then picture guidance, scaled back to the conditional velocity's length."""
    if not others:
        return v
    axes = (1, 2) if renorm == "global" else (2,)
    shorten = lambda w, axes: w * (v.norm(dim=axes, keepdim=True) / w.norm(dim=axes, keepdim=True).clamp(min=1e-8)).clamp(max=1)
    u = others[0] + scales[0] * (v - others[0])
    if renorm == "text_channel":
        u = shorten(u, axes)
    if len(others) > 1:
        u = others[1] + scales[1] * (u - others[1])
    return u if renorm == "text_channel" else shorten(u, axes)


def sheet(entries, path: Path, columns=6):
    """Pictures side by side, each entry (pictures, caption)."""
    font = ImageFont.load_default(11)
    most = max(len(pictures) for pictures, _ in entries)
    height, width = entries[0][0][0].shape[:2]
    cell = (width * most + 8, height + 46)
    page = Image.new("RGB", (cell[0] * columns, cell[1] * -(-len(entries) // columns)), "white")
    pen = ImageDraw.Draw(page)
    for index, (pictures, caption) in enumerate(entries):
        x, y = index % columns * cell[0], index // columns * cell[1]
        for n, picture in enumerate(pictures):
            page.paste(Image.fromarray(picture), (x + n * width, y))
        letters = max(10, cell[0] // 6)
        for line in range(3):
            pen.text((x + 2, y + height + 2 + 14 * line), caption[line * letters : (line + 1) * letters], fill="black", font=font)
    page.save(path)


def as_pictures(scenes):
    return (draw(scenes) * 255).byte().permute(0, 2, 3, 1).numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--n", type=int, default=24, help="samples of each kind")
    parser.add_argument("--kinds", nargs="+", default=["create", "think_create", "edit", "ask"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--text", type=float, default=3.0)
    parser.add_argument("--image", type=float, default=1.5)
    parser.add_argument("--shift", type=float, default=2.0)
    parser.add_argument("--renorm", default="global")
    parser.add_argument("--interval", type=float, default=0.0)
    parser.add_argument("--seen", action="store_true", help="combinations and wordings of the training instead of held-out ones")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    studio = Studio(args.out, pick_device())
    tasks = Tasks(studio.preset.world, np.random.default_rng(args.seed), test=not args.seen, unseen_words=not args.seen)
    canvas = studio.preset.world.canvases[0]
    tasks.sampler.canvas = lambda: canvas
    scores = defaultdict(list)
    for kind in args.kinds:
        samples = [getattr(tasks, kind)() for _ in range(args.n)]
        entries = []
        for start in range(0, args.n, 64):
            part = samples[start : start + 64]
            if isinstance(part[0].items[-1], Paint):
                painted = studio.paint(part, canvas, args.steps, args.text, args.image, args.shift, args.renorm, args.interval, args.seed)
                for sample, picture in zip(part, painted):
                    scores[kind].append(painted_right(sample.expect, picture))
                    inputs = [item.scene for item in sample.items if isinstance(item, Picture)]
                    caption = next(i.text for i in sample.items if isinstance(i, Text) and i.prompt)
                    entries.append((list(as_pictures(inputs)) * bool(inputs) + [picture] if inputs else [picture], ("+ " if scores[kind][-1] else "- ") + caption))
            else:
                for sample, answer in zip(part, studio.write(part, canvas)):
                    wanted = [i.text for i in sample.items if isinstance(i, Text) and i.learn][-1]
                    scores[kind].append(answer == wanted)
                    question = [i.text for i in sample.items if isinstance(i, Text)][-2]
                    inputs = [item.scene for item in sample.items if isinstance(item, Picture)]
                    if inputs:
                        entries.append((list(as_pictures(inputs)), ("+ " if answer == wanted else "- ") + f"{question} | {answer}"))
        if entries:
            sheet(entries, args.out / f"sheet-{kind}.png")
    print(f"step {studio.step}:", {kind: f"{np.mean(right):.3f}" for kind, right in scores.items()}, flush=True)


if __name__ == "__main__":
    main()
