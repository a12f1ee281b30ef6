"""Trains the model on an endless stream of samples: `python train.py --out RUN` after train_vae.py.

BAGEL's two losses: cross-entropy on the words to be learned, and the squared error of the velocity
(noise - picture) at a random time of each painted picture. Stops and resumes anywhere; the learning
rate follows the time spent of the budget.
"""

import argparse
import queue
import random
import threading
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from feed import stream
from heads import Heads, patch_facts
from loop import Average, Clock, Journal, learning_rate_factor, mixed_precision, pick_device, save
from model import Bagel, ModelShape
from optimizer import make_optimizers
from pack import Packer
from presets import PRESETS
from tasks import TOLD
from vae import load_autoencoder

# Weights of the words of answers and of plans, and of what the heads are asked. An instruction has one word to ask,
# a picture 36 patches: at ten times this weight its gradient was eight times that of the pictures, which got worse.
ANSWER_WEIGHT, PLAN_WEIGHT, HEAD_WEIGHT, MEANT_WEIGHT = 0.6, 0.2, 0.1, 0.02

# Weight of what the model's own pictures teach.
LESSON_WEIGHT = 0.7
# How many of them one step takes.
MOST_LESSONS = 2

# Part of the learning rate that the ViT has.
VIT_RATE = 0.3


class Pool:
    """Batches with their latents and patches; on slow machines each is used `reuse` times with new noise.

    What is kept lies in `folder` too, so that a resumed run need not draw and encode it again.
    """

    def __init__(self, batches, vae, device, reuse: int, size: int, folder: Path):
        self.batches, self.vae, self.device, self.reuse, self.size, self.folder = batches, vae, device, reuse, size, folder
        # Drawn and encoded beside the training, on a second core where there is one.
        self.ahead = queue.Queue(1)
        threading.Thread(target=self.go_ahead, daemon=True).start()
        self.kept = []
        if reuse > 1:
            folder.mkdir(exist_ok=True)
            self.kept = [torch.load(path, map_location=device, weights_only=False) for path in sorted(folder.glob("*.pt"))[:size]]

    def go_ahead(self):
        try:
            for batch in self.batches:
                batch = batch.to(self.device)
                self.ahead.put((batch, *batch.pictures(self.vae, self.device)))
        except BaseException as error:
            self.ahead.put(error)

    def fresh(self):
        made = self.ahead.get()
        if isinstance(made, BaseException):
            raise made
        return made

    def keep(self, index: int):
        made = self.fresh()
        self.kept[index : index + 1] = [made]
        save(self.folder / f"{index:05}.pt", made)
        return made

    def next(self):
        if self.reuse == 1:
            return self.fresh()
        if random.random() < max(1 / self.reuse, 1 - len(self.kept) / 12):
            return self.keep(len(self.kept) if len(self.kept) < self.size else random.randrange(self.size))
        return random.choice(self.kept)


class Lessons:
    """What `rollouts.py` writes into `folder`; each is learned once, the oldest first."""

    def __init__(self, folder: Path | None):
        self.folder = folder

    def next(self):
        """A lesson, or None while none waits."""
        waiting = sorted(self.folder.glob("*.pt")) if self.folder else []
        if not waiting:
            return None
        lesson = torch.load(waiting[0], weights_only=False)
        waiting[0].unlink()
        return lesson


def lesson_loss(model, lesson) -> torch.Tensor:
    """Mean squared distance of the velocities of the model's own pictures from where they should go."""
    batch, times = lesson["batch"], torch.zeros(len(lesson["latents"]))
    latents, painted = lesson["latents"].clone(), batch.latent_noised
    latents[painted], times[painted] = lesson["noisy"], lesson["t"]
    with mixed_precision(latents.device):
        velocity = model(batch, latents, times, lesson["patches"])[1]
    return F.mse_loss(velocity[painted], lesson["target"])


def losses(model, heads, batch, latents, patches, shift: float):
    """Mean losses of pictures, words, and the heads; the parts of words and of covered patches that are right."""
    n = len(latents)
    t = torch.sigmoid(torch.randn(n, device=latents.device))
    t = shift * t / (1 + (shift - 1) * t) * batch.latent_noised
    noise = torch.randn_like(latents)
    noisy = torch.lerp(latents, noise, t[:, None, None])
    with mixed_precision(latents.device):
        hidden, velocity = model(batch, noisy, t, patches)
        learned = (batch.labels >= 0).nonzero()[:, 0]
        logits = model.language_model.lm_head(hidden[learned]).float()
        facts = patch_facts(batch.plot, batch.latent_size)
        seen, meant, painted = heads(batch, facts)
    # No more weight where a thing is: a mean over what may be there would be moved towards things that are not.
    errors = ((velocity - (noise - latents)) ** 2).mean((1, 2))
    painted_ones = batch.latent_noised.float()
    mse = (errors * painted_ones).sum() / painted_ones.sum().clamp(min=1)
    labels = batch.labels[learned]
    ce = F.cross_entropy(logits, labels) if len(learned) else mse * 0
    right = (logits.argmax(-1) == labels).float().sum() / max(1, len(labels))
    return mse, ce, HEAD_WEIGHT * (seen[0] + painted[0]) + MEANT_WEIGHT * meant[0], right, seen[1], meant[1], painted[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="pocket")
    parser.add_argument("--minutes", type=float, default=20, help="the whole budget of training time")
    parser.add_argument("--stop", type=float, help="end this run when so many minutes of the budget are spent")
    parser.add_argument("--finish", help="HH:MM: end then, whatever the budget, with the rate falling over the last --fall minutes")
    parser.add_argument("--fall", type=float, default=20)
    parser.add_argument("--rows", type=int, default=128, help="rows of packed samples in a batch")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--shift", type=float, default=1.5, help="above 1, more of the noisy times are trained")
    parser.add_argument("--workers", type=int, default=14)
    parser.add_argument("--reuse", type=int, default=1, help="how often a batch is used, with new noise each time")
    parser.add_argument("--pool", type=int, default=2000, help="how many batches are kept for that")
    parser.add_argument("--lessons", action="store_true", help="learn from the pictures that rollouts.py marks, too")
    parser.add_argument("--report", type=int, default=100)
    parser.add_argument("--every", type=float, default=5, help="minutes between checkpoints")
    parser.add_argument("--compile", action="store_true", help="compile the layers; pays after a few minutes")
    args = parser.parse_args()

    preset = PRESETS[args.preset]
    path, light = args.out / "model.pt", args.out / "light.pt"
    source = next((p for p in (path, light) if p.exists()), None)
    saved = torch.load(source, map_location="cpu", weights_only=False) if source else None
    step, pictures = (saved["step"], saved["pictures"]) if saved else (0, 0)
    torch.manual_seed(step)
    random.seed(step)
    device = pick_device()
    vae = load_autoencoder(args.out / "vae.pt", device)
    model = Bagel(ModelShape(**saved["shape"]) if saved else preset.model)
    if saved:
        model.load_state_dict(saved.get("model", saved["average"]))
    if not (args.out / "vit.pt").exists():
        parser.error(f"{args.out / 'vit.pt'} is missing: run train_vit.py first")
    seeing = torch.load(args.out / "vit.pt", map_location="cpu", weights_only=True)
    if not saved:
        model.vit_model["vision_model"].load_state_dict(seeing["vit"])
    model.to(device)
    # It can see already; what is asked changes it slowly.
    model.vit_model.requires_grad_(False)
    optimizers = make_optimizers(model, args.rate, lambda name: ".layers." in name)
    model.vit_model.requires_grad_(True)
    average = Average(model, saved["average"] if saved else None)
    clock = Clock(device, saved["spent"] if saved else 0.0, args.minutes, args.stop, args.finish, args.fall)
    journal = Journal(args.out / "model.jsonl")
    heads = Heads(model, model.shape, preset.world).to(device)
    if saved and "heads" in saved:
        heads.load_state_dict(saved["heads"])
    else:
        heads.seen.load_state_dict(seeing["naming"])
    optimizers.append(torch.optim.AdamW(heads.parameters(), lr=args.rate, weight_decay=0.0))
    optimizers += make_optimizers(model.vit_model, args.rate, lambda name: ".layers." in name)
    scales = [1.0, 1.0, 1.0, VIT_RATE, VIT_RATE]
    for optimizer, state in zip(optimizers, saved.get("optimizers", []) if saved else []):
        optimizer.load_state_dict(state)

    # What is only told is cheap to make, and is learned by heart if it comes twice: it is always new.
    told = {kind: part for kind, part in preset.mixture.items() if kind in TOLD}
    painted = {kind: part for kind, part in preset.mixture.items() if kind not in TOLD}
    told_rows = max(1, round(args.rows * sum(told.values()) / sum(preset.mixture.values())))

    def pool_of(mixture, rows, reuse):
        packer = Packer(preset.world, args.out / "tokenizer.json", rows, mixture)
        return Pool(stream(packer, args.workers, seed=step + 1), vae, device, reuse, args.pool, args.out / "pool")

    pools = [(pool_of(painted, args.rows - told_rows, args.reuse), PLAN_WEIGHT), (pool_of(told, told_rows, 1), ANSWER_WEIGHT)]
    if args.compile:
        # Every layer is compiled anew for batches that paint and for those that do not.
        torch._dynamo.config.recompile_limit = 64
        for layer in model.language_model.model.layers:
            layer.compile_parts()

    def checkpoint():
        about = dict(preset=args.preset, shape=vars(model.shape), step=step, pictures=pictures, spent=clock.spent)
        save(path, about | dict(model=model.state_dict(), average=average.weights, optimizers=[o.state_dict() for o in optimizers], heads=heads.state_dict()))
        # The averaged weights alone are a fifth of that: enough to go on from, and small enough to be carried.
        save(light, about | dict(average={name: value.half() for name, value in average.weights.items()}))

    lessons = Lessons(args.out / "lessons" if args.lessons else None)
    totals, since, saved_at = torch.zeros(11, device=device), 0, time.monotonic()
    while not clock.over:
        factor = learning_rate_factor(step, clock.progress, warmup=100)
        for optimizer, scale in zip(optimizers, scales):
            for group in optimizer.param_groups:
                group["lr"] = args.rate * factor * scale
        said = []
        for pool, text_weight in pools:
            batch, latents, patches = pool.next()
            mse, ce, named, right, *known = losses(model, heads, batch, latents, patches, args.shift)
            (mse + text_weight * ce + named).backward()
            pictures += len(batch.kinds)
            said += [mse.detach(), ce.detach(), right, *known]
        taught, n_lessons = torch.zeros((), device=device), 0
        while n_lessons < MOST_LESSONS and (lesson := lessons.next()):
            loss = lesson_loss(model, lesson)
            (LESSON_WEIGHT * loss).backward()
            heads.heard.clear()
            taught, n_lessons = taught + loss.detach(), n_lessons + 1
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        average.update(model, step)
        (mse, plan_ce, plan_right, _, meant, planned), (_, ce, right, seen, *_) = said[:6], said[6:]
        totals += torch.stack([mse, ce, right, plan_ce, plan_right, seen, meant, planned, norm, taught, torch.tensor(float(n_lessons))])
        since += 1
        if step % args.report == 0 or clock.over:
            names = ["mse", "ce", "right", "plan_ce", "plan_right", "seen", "meant", "planned", "norm", "taught", "lessons"]
            means = dict(zip(names, (totals / since).tolist()))
            journal.write(step=step, samples=pictures, spent=clock.spent, **means, rate=factor)
            totals.zero_()
            since = 0
        if time.monotonic() - saved_at > 60 * args.every:
            checkpoint()
            saved_at = time.monotonic()
    checkpoint()
    clock.leave()


if __name__ == "__main__":
    main()
