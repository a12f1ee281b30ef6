"""Teaches the decoder to finish the outlines that the model leaves unfinished:

    python outlines.py --out RUN --paint 4000 --judge ../../../target/debug/judge
    python outlines.py --out RUN --minutes 30

The decoder has learned from latents of whole pictures, and is given those that the model paints, whose outlines are
less sure: a star with a blunt point is read as something else. The first call paints requests of the training and
finds out where and how large each thing was painted; the second trains the decoder to show there what was asked for,
beside drawn scenes as before. Latents stay as they are.
"""

import argparse
import json
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from draw import DISTANCES, draw
from feed import scene_stream
from judge import AREAS, COLOUR_VALUES, components, likenesses
from loop import Average, Clock, Journal, learning_rate_factor, mixed_precision, pick_device, save
from model import LATENT_PATCH
from optimizer import make_optimizers
from presets import PRESETS
from quick import load_quick
from rollouts import Judge, Painter, bytes_of
from tasks import Picture, Tasks
from train_vae import differences
from vae import AutoEncoder, VaeShape, unpatchify
from world import SHAPES

FOLDER = "outlines"
KINDS = ("create", "edit", "create", "think_create")
# Below this overlap of what is there with what was asked for, or where it is so much more like another shape, the model
# has painted something else.
LEAST_OVERLAP, MOST_UNLIKE = 0.55, 0.1
# Pixels around an outline that are drawn anew; the rest of the picture is left to the decoder.
BAND = 4


def coverage(shape: int, x, y, radius, angle, side: int):
    """(n, side, side): how much of each pixel a thing covers; x, y and radius (n,) in pixels."""
    at = torch.arange(side) + 0.5
    u = (at[None, None, :] - x[:, None, None]) / radius[:, None, None]
    v = (at[None, :, None] - y[:, None, None]) / radius[:, None, None]
    cosine, sine = torch.cos(angle)[:, None, None], torch.sin(angle)[:, None, None]
    distance = DISTANCES[shape](u * cosine + v * sine, v * cosine - u * sine)
    return (0.5 - distance * radius[:, None, None]).clamp(0, 1)


def fitted(thing, mask: np.ndarray):
    """How a thing of this shape lies best over a mask: its coverage and the overlap, 0 to 1."""
    rows, columns = np.nonzero(mask)
    # Only what it can cover is looked at.
    top, left = max(0, rows.min() - BAND), max(0, columns.min() - BAND)
    side = max(np.ptp(rows), np.ptp(columns)) + 2 * BAND + 1
    target = torch.zeros(side, side)
    part = torch.from_numpy(mask[top : top + side, left : left + side])
    target[: part.shape[0], : part.shape[1]] = part.float()
    rows, columns = rows - top, columns - left
    radius = float(np.sqrt(len(rows) / AREAS[thing.shape]))
    best = torch.tensor([float(columns.mean()) + 0.5, float(rows.mean()) + 0.5, radius, 0.0])
    # A triangle's middle is not where its pixels are on average.
    if SHAPES[thing.shape] == "triangle":
        best[1] -= 0.2 * radius
    overlap = 0.0
    for reach in (0.16, 0.06, 0.025):
        spread = torch.tensor([reach * radius * 1.5, reach * radius * 1.5, reach * radius, min(reach, 0.06)])
        steps = torch.tensor([-1.0, 0.0, 1.0])
        for _ in range(3 if reach > 0.1 else 2):
            tries = best + torch.cartesian_prod(steps, steps, steps, steps) * spread
            tries[:, 3].clamp_(-0.12, 0.12)
            covered = coverage(thing.shape, *tries.unbind(1), side)
            overlaps = torch.minimum(covered, target).sum((1, 2)) / torch.maximum(covered, target).sum((1, 2))
            overlap, index = float(overlaps.max()), int(overlaps.argmax())
            if torch.equal(best, tries[index]):
                break
            best = tries[index]
    return best + torch.tensor([float(left), float(top), 0.0, 0.0]), overlap


def redrawn(scene, picture: np.ndarray, reasons: dict):
    """The picture with its things drawn where they were painted, as they were asked for; None where they were not."""
    def no(reason):
        reasons[reason] = reasons.get(reason, 0) + 1

    side = len(picture)
    labels = ((picture[:, :, None].astype(np.float32) - COLOUR_VALUES) ** 2).sum(-1).argmin(-1)
    grounds = set(scene.background)
    left = [(label, cells) for label, cells in components(labels) if label not in grounds and len(cells) >= 0.01 * side * side]
    if len(left) != len(scene.things):
        return no("number")
    target, smooth = torch.from_numpy(picture).float(), torch.from_numpy(picture).float()
    touched = torch.zeros(side, side, dtype=torch.bool)
    covers = []
    for thing in scene.things:
        same = [entry for entry in left if entry[0] == thing.colour]
        if not same:
            return no("colours")
        near = lambda entry: abs(entry[1][:, 1].mean() / side - thing.x) + abs(entry[1][:, 0].mean() / side - thing.y)
        chosen = min(same, key=near)
        left = [entry for entry in left if entry is not chosen]
        mask = np.zeros((side, side), bool)
        mask[tuple(chosen[1].T)] = True
        alike = likenesses(mask)
        best, overlap = fitted(thing, mask)
        if overlap < LEAST_OVERLAP or max(alike) - alike[thing.shape] > MOST_UNLIKE:
            return no("shape")
        cover = coverage(thing.shape, *(value[None] for value in best), side)[0]
        inner = torch.from_numpy(mask) & (cover > 0.9)
        if inner.sum() < 9:
            return no("shape")
        covers.append((cover, target[inner].median(0).values))
        near = torch.from_numpy(mask) | (cover > 0)
        touched |= F.max_pool2d(near.float()[None, None], 2 * BAND + 1, stride=1, padding=BAND)[0, 0] > 0
    far = ~touched
    at = (torch.arange(side) + 0.5) / side
    halves = [torch.ones(side, side, dtype=torch.bool)]
    if scene.split:
        first = (at[:, None] < 0.5).expand(side, side) if scene.split == "rows" else (at < 0.5).expand(side, side)
        halves = [first, ~first]
    for half in halves:
        if (half & far).sum() < 30:
            return no("ground")
        smooth[half & touched] = target[half & far].median(0).values
    for cover, rgb in covers:
        smooth = torch.lerp(smooth, rgb, cover[..., None])
    target[touched] = smooth[touched]
    reasons["taken"] = reasons.get("taken", 0) + 1
    return target.round().byte()


def paint(args):
    """Paints requests and keeps what can be drawn anew, until there are as many as asked for."""
    painter, judge = Painter(args.out, 2, pick_device(), True), Judge(args.judge)
    seed = int(time.time())
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    tasks = Tasks(painter.preset.world, rng)
    canvas = painter.preset.world.canvases[0]
    tasks.sampler.canvas = lambda: canvas
    folder = args.out / FOLDER
    folder.mkdir(exist_ok=True)
    reasons, marks, n_kept, number = {}, dict(pictures=0, right=0, right_redrawn=0), 0, 0
    while n_kept < args.paint:
        samples = [getattr(tasks, KINDS[number % len(KINDS)])() for _ in range(32)]
        sheet = painter.lay_out(samples, canvas)
        x = painter.paint(sheet, 12, 2.5, generator)
        kept, targets = [], []
        for index, picture in enumerate(painter.decode(x, sheet.batch.latent_size)):
            sample = samples[index // painter.copies]
            target = redrawn(sample.items[-1].scene, picture, reasons)
            shown = [item.scene for item in sample.items if isinstance(item, Picture)]
            before = bytes_of(draw(shown[-1:]))[0] if shown else None
            is_right = judge.mark(sample.expect, picture, before)["right"]
            marks["pictures"] += 1
            marks["right"] += is_right
            marks["right_redrawn"] += is_right if target is None else judge.mark(sample.expect, target.numpy(), before)["right"]
            if target is not None:
                kept.append(index)
                targets.append(target)
        if kept:
            latents = unpatchify(x[kept], *(side * LATENT_PATCH for side in sheet.batch.latent_size), LATENT_PATCH)
            save(folder / f"{seed}-{number}.pt", dict(latents=latents.half(), pictures=torch.stack(targets)))
        number, n_kept = number + 1, n_kept + len(kept)
        print(json.dumps(reasons | marks), flush=True)


def train(args):
    """Trains the decoder on what was painted, and one time in four on a drawn scene."""
    torch.manual_seed(0)
    device = pick_device()
    pairs = [torch.load(path, weights_only=True) for path in sorted((args.out / FOLDER).glob("*.pt"))]
    latents, pictures = torch.cat([pair["latents"] for pair in pairs]), torch.cat([pair["pictures"] for pair in pairs])
    n_kept_back = len(latents) // 20
    as_floats = lambda part: part.to(device).float().permute(0, 3, 1, 2) / 127.5 - 1
    saved = torch.load(args.out / "vae.pt", map_location="cpu", weights_only=False)
    vae = AutoEncoder(VaeShape(**saved["shape"]))
    vae.load_state_dict({name: value.float() for name, value in saved["average"].items()})
    vae.scale, vae.shift = saved["scale"], saved["shift"]
    vae.to(device, memory_format=torch.channels_last).encoder.requires_grad_(False)
    # What the decoder shows otherwise than it should is shown to it more often; a quick copy of it tells roughly.
    quick = load_quick(args.out / "quick.pt", device)
    with torch.no_grad():
        shown = torch.cat([quick(part.to(device).float()).cpu() for part in latents.split(16)])
    outside = torch.stack([differences(one[None], as_floats(picture[None]).cpu())[0] for one, picture in zip(shown, pictures)])
    often = outside / outside.mean() + 0.3
    optimizers = make_optimizers(vae, args.rate, lambda name: "conv_in" not in name and "conv_out" not in name)
    average, clock = Average(vae), Clock(device, 0.0, args.minutes, None)
    journal, step, total = Journal(args.out / "outlines.jsonl"), 0, 0.0
    n_drawn = args.batch // 4
    scenes = scene_stream(PRESETS[args.preset].world, n_drawn, 0, seed=2000)
    @torch.no_grad()
    def error() -> float:
        judged = AutoEncoder(vae.shape).to(device).eval()
        judged.load_state_dict(average.weights)
        decoded = torch.cat([judged.decoder(part.float() / vae.scale + vae.shift) for part in latents[:n_kept_back].split(16)])
        return F.l1_loss(decoded, as_floats(pictures[:n_kept_back])).item() * 127.5

    journal.write(step=step, painted=len(latents), error_on_new=error())
    while not clock.over:
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = args.rate * learning_rate_factor(step, clock.progress, warmup=20)
        chosen = n_kept_back + torch.multinomial(often[n_kept_back:], args.batch - n_drawn)
        drawn = draw(next(scenes), device) * 2 - 1
        with torch.no_grad():
            mean, log_variance = vae.posterior(drawn)
            seen = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        picture = torch.cat([as_floats(pictures[chosen]), drawn])
        # On a processor, convolutions of bf16 take longer than those of f32 also where products do not.
        with mixed_precision(device) if device.type == "cuda" else nullcontext():
            again = vae.decoder(torch.cat([latents[chosen].to(device).float() / vae.scale + vae.shift, seen]).to(memory_format=torch.channels_last))
        loss = sum(differences(again.float(), picture))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.decoder.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, total = step + 1, total + loss.item()
        average.update(vae, step)
        if step % 25 == 0:
            journal.write(step=step, spent=clock.spent, loss=total / 25)
            total = 0.0
        if step % 300 == 0:
            journal.write(step=step, error_on_new=error())
    journal.write(step=step, spent=clock.spent, error_on_new=error())
    about = saved | dict(step=saved["step"] + step, spent=saved["spent"] + clock.spent)
    save(args.out / "vae.pt", about | dict(average={name: value.half() for name, value in average.weights.items()}))
    clock.leave()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--paint", type=int, default=0, help="paint until so many pictures can be drawn anew, in place of training")
    parser.add_argument("--judge", type=Path, default=Path("../../../target/debug/judge"))
    parser.add_argument("--preset", choices=PRESETS, default="small", help="whose world is drawn")
    parser.add_argument("--minutes", type=float, default=30, help="of training")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=7e-4)
    args = parser.parse_args()
    (paint if args.paint else train)(args)


if __name__ == "__main__":
    main()
