"""Trains the autoencoder on drawn scenes: `python train_vae.py --out RUN`.

The loss is the difference of pixels and of their gradients (which keeps edges sharp), both heavier
along outlines, and a light Kullback-Leibler term that leaves channels that carry nothing at zero.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F

from draw import draw
from feed import scene_stream
from loop import Average, Clock, Journal, learning_rate_factor, mixed_precision, pick_device, save
from optimizer import make_optimizers
from vae import AutoEncoder, VaeShape
from presets import PRESETS

KL_WEIGHT = 1e-3
# How much more a pixel at an outline counts than one of a plain area, of which there are many more.
OUTLINE_WEIGHT = 8.0


def gradients(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def outline_weights(picture):
    """(n, 1, height, width): 1, and more within two pixels of where colours meet; their mean is 1."""
    down, across = (step.abs().amax(1, keepdim=True) for step in gradients(picture))
    steps = F.pad(down, (0, 0, 0, 1)) + F.pad(across, (0, 1, 0, 0))
    weights = 1 + OUTLINE_WEIGHT * F.max_pool2d((steps > 0.15).float(), 5, stride=1, padding=2)
    return weights / weights.mean()


def losses(vae, picture):
    mean, log_variance = vae.posterior(picture)
    latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
    again = vae.decoder(latent).float()
    weights, error = outline_weights(picture), again - picture
    pixels = (weights * (error.abs() + error**2)).mean()
    edges = (weights[..., 1:, :] * gradients(error)[0].abs()).mean() + (weights[..., 1:] * gradients(error)[1].abs()).mean()
    mean, log_variance = mean.float(), log_variance.float()
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).mean()
    return pixels, edges, kl


@torch.no_grad()
def fit_scale(vae, scenes, device):
    """Sets scale and shift so that latents have mean 0 and deviation 1 over everything."""
    means = [vae.posterior(draw(group, device) * 2 - 1)[0].flatten() for group in scenes]
    values = torch.cat(means)
    vae.shift, vae.scale = float(values.mean()), float(1 / values.std())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6, help="the whole budget of training time")
    parser.add_argument("--stop", type=float, help="end this run when so many minutes of the budget are spent")
    parser.add_argument("--preset", choices=PRESETS, default="pocket", help="whose world is drawn")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--crop", type=int, default=0, help="train on random squares of this side (for slow machines)")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--decoder-only", action="store_true", help="keep the latents as they are: the model knows them already")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--report", type=int, default=500, help="steps between checkpoints")
    parser.add_argument("--base", type=int, default=32)
    parser.add_argument("--multiples", type=int, nargs=4, default=(3, 2, 4, 4))
    args = parser.parse_args()

    torch.manual_seed(0)
    device = pick_device()
    path, light = args.out / "vae_training.pt", args.out / "vae.pt"
    shape = dict(base=args.base, multiples=tuple(args.multiples))
    source = next((p for p in (path, light) if p.exists()), None)
    saved = torch.load(source, map_location="cpu", weights_only=False) if source else None
    vae = AutoEncoder(VaeShape(**(saved["shape"] if saved else shape)))
    if saved:
        vae.load_state_dict(saved.get("model", saved["average"]))
    vae.to(device)
    if args.decoder_only:
        vae.encoder.requires_grad_(False)
    optimizers = make_optimizers(vae, args.rate, lambda name: "conv_in" not in name and "conv_out" not in name)
    # A run that trains other parts than the last one starts its optimizers anew.
    if saved and saved.get("decoder_only", False) == args.decoder_only:
        for optimizer, state in zip(optimizers, saved.get("optimizers", [])):
            optimizer.load_state_dict(state)
    if saved and args.decoder_only:
        # The encoder that the model knows is the averaged one.
        vae.encoder.load_state_dict({k[8:]: v for k, v in saved["average"].items() if k.startswith("encoder.")})
    average = Average(vae, saved["average"] if saved else None)
    step = saved["step"] if saved else 0
    clock = Clock(device, saved["spent"] if saved else 0.0, args.minutes, args.stop)
    journal = Journal(args.out / "vae.jsonl")
    stream = scene_stream(PRESETS[args.preset].world, args.batch, args.workers, seed=1000 + step)
    fitting = [next(stream) for _ in range(max(1, 128 // args.batch))]

    def checkpoint():
        judged = AutoEncoder(vae.shape).to(device).eval()
        judged.load_state_dict(average.weights)
        if args.decoder_only:
            judged.scale, judged.shift = saved["scale"], saved["shift"]
        else:
            fit_scale(judged, fitting, device)
        about = dict(shape=vars(vae.shape), step=step, spent=clock.spent, scale=judged.scale, shift=judged.shift, decoder_only=args.decoder_only)
        save(path, about | dict(model=vae.state_dict(), average=average.weights, optimizers=[o.state_dict() for o in optimizers]))
        save(light, about | dict(average={name: value.half() for name, value in average.weights.items()}))
        error = sum(F.l1_loss(judged.decode(judged.encode(p)), p).item()
                    for p in (draw(group, device)[:64] * 2 - 1 for group in fitting[:2])) / len(fitting[:2])
        journal.write(step=step, spent=clock.spent, error=error * 127.5, scale=judged.scale, shift=judged.shift)

    while not clock.over:
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = args.rate * learning_rate_factor(step, clock.progress)
        picture = draw(next(stream), device) * 2 - 1
        if args.crop:
            top, left = (int(torch.randint(max(0, side - args.crop) + 1, ())) for side in picture.shape[2:])
            picture = picture[..., top : top + args.crop, left : left + args.crop]
        with mixed_precision(device):
            pixels, edges, kl = losses(vae, picture)
        (pixels + edges + KL_WEIGHT * kl).backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        average.update(vae, step)
        if step % 50 == 0:
            journal.write(step=step, spent=clock.spent, pixels=pixels.item(), edges=edges.item(), kl=kl.item())
        if step % args.report == 0:
            with torch.no_grad():
                checkpoint()
    with torch.no_grad():
        checkpoint()
    clock.leave()


if __name__ == "__main__":
    main()
