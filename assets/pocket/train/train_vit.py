"""Trains the ViT alone to name what covers each patch: `python train_vit.py --out RUN` before train.py.

BAGEL starts from a ViT that can see (SigLIP), and so must this one: beside the whole model, questions
teach a blind ViT far too slowly. Every picture is new. `train.py` begins with what is written here.
"""

import argparse
from pathlib import Path

import torch

from draw import draw
from feed import scene_stream
from heads import Naming, patch_facts
from loop import Average, Clock, Journal, learning_rate_factor, mixed_precision, pick_device, save
from model import VisionTransformer, grid_places
from optimizer import make_optimizers
from pack import vit_patches, vit_size
from presets import PRESETS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="pocket")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--workers", type=int, default=8)
    args = parser.parse_args()

    torch.manual_seed(0)
    preset, device = PRESETS[args.preset], pick_device()
    vit = VisionTransformer(preset.model)
    naming = Naming(preset.model.vit_hidden, preset.world)
    both = torch.nn.ModuleDict(dict(vit=vit, naming=naming)).to(device)
    for name, weight in both.named_parameters():
        if name.endswith("weight") and weight.ndim > 1:
            torch.nn.init.normal_(weight, std=0.02 if "position" in name else 0.7 * weight.shape[1] ** -0.5)
    optimizers = make_optimizers(both, args.rate, lambda name: ".layers." in name)
    average, step = Average(both), 0
    clock, journal = Clock(device, 0.0, args.minutes, None), Journal(args.out / "vit.jsonl")
    batches, total = scene_stream(preset.world, args.batch, args.workers, seed=5000), torch.zeros(2)
    while not clock.over:
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = args.rate * learning_rate_factor(step, clock.progress)
        plot = next(batches).to(device)
        grid = vit_size(plot.canvas)
        with mixed_precision(device):
            patches = vit_patches(draw(plot, device) * 2 - 1, grid)
            seen = vit(patches, grid_places(*grid, preset.model.vit_grid, device))
            loss, right = naming(seen, patch_facts(plot, grid))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        average.update(both, step)
        total += torch.stack([loss.detach(), right]).cpu()
        if step % 100 == 0:
            journal.write(step=step, pictures=step * args.batch, spent=clock.spent, loss=(total[0] / 100).item(), right=(total[1] / 100).item())
            total.zero_()
    cut = {part: {k[len(part) + 1 :]: v for k, v in average.weights.items() if k.startswith(part)} for part in ("vit", "naming")}
    save(args.out / "vit.pt", cut)
    clock.leave()


if __name__ == "__main__":
    main()
