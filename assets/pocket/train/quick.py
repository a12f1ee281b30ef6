"""A small copy of the decoder for `rollouts.py`: `python quick.py --out RUN` learns it from pictures that the decoder made.

The autoencoder's decoder takes more than twice as long as painting does; what the judge must see of a picture
needs a twentieth of it. `rollouts.py --pairs` collects what it is learned from.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from loop import Average, Clock, Journal, learning_rate_factor, mixed_precision, pick_device, save
from optimizer import make_optimizers
from vae import LATENT_CHANNELS


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


class QuickDecoder(nn.Module):
    """Latents (n, 16, height, width) to pictures (n, 3, 8 height, 8 width) in -1..1."""

    def __init__(self):
        super().__init__()
        wide, middle, fine = 96, 48, 32
        self.first = nn.Conv2d(LATENT_CHANNELS, wide, 3, padding=1)
        self.coarse = nn.Sequential(Block(wide), Block(wide), Block(wide))
        self.up1, self.mid = nn.Conv2d(wide, 4 * middle, 3, padding=1), Block(middle)
        self.up2, self.fine = nn.Conv2d(middle, 4 * fine, 3, padding=1), Block(fine)
        self.last = nn.Conv2d(fine, 12, 3, padding=1)

    def forward(self, z):
        h = self.coarse(self.first(z))
        h = self.mid(F.pixel_shuffle(self.up1(F.silu(h)), 2))
        h = self.fine(F.pixel_shuffle(self.up2(F.silu(h)), 2))
        return F.pixel_shuffle(self.last(F.silu(h)), 2)


def load_quick(path: Path, device) -> QuickDecoder:
    quick = QuickDecoder()
    quick.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["average"])
    return quick.to(device).eval().requires_grad_(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=4e-3)
    args = parser.parse_args()

    torch.manual_seed(0)
    device = pick_device()
    pairs = [torch.load(path, weights_only=True) for path in sorted((args.out / "pairs").glob("*.pt"))]
    latents, pictures = torch.cat([p["latents"] for p in pairs]), torch.cat([p["pictures"] for p in pairs])
    kept_back = len(latents) // 20
    quick = QuickDecoder().to(device)
    optimizers = make_optimizers(quick, args.rate, lambda name: "first" not in name and "last" not in name)
    average, clock, journal, step, total = Average(quick), Clock(device, 0.0, args.minutes, None), Journal(args.out / "quick.jsonl"), 0, 0.0
    as_floats = lambda part: part.to(device).float().permute(0, 3, 1, 2) / 127.5 - 1
    while not clock.over:
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = args.rate * learning_rate_factor(step, clock.progress, warmup=20)
        chosen = kept_back + torch.randint(len(latents) - kept_back, (args.batch,))
        with mixed_precision(device):
            loss = F.l1_loss(quick(latents[chosen].to(device)).float(), as_floats(pictures[chosen]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(quick.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, total = step + 1, total + loss.item()
        average.update(quick, step)
        if step % 50 == 0:
            journal.write(step=step, spent=clock.spent, error=total / 50 * 127.5)
            total = 0.0
    quick.load_state_dict(average.weights)
    with torch.no_grad():
        error = F.l1_loss(quick(latents[:kept_back].to(device)), as_floats(pictures[:kept_back]))
    journal.write(step=step, pairs=len(latents), error_on_new=error.item() * 127.5)
    save(args.out / "quick.pt", dict(average=average.weights))
    clock.leave()


if __name__ == "__main__":
    main()
