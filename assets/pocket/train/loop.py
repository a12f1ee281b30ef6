"""What both training loops share: the learning rate over a time budget, averaged weights, saving, a journal."""

import functools
import json
import math
import os
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import torch


class Clock:
    """Seconds trained so far, over all runs, against the whole budget.

    On a GPU they are seconds of the wall; on a processor, which others may be using, its own seconds.
    With `finish` (HH:MM) the run ends then, and the rate falls over the last `fall` minutes before.
    """

    def __init__(self, device, spent: float, total_minutes: float, stop_minutes: float | None, finish: str | None = None, fall: float = 20):
        self.finish, self.fall = time_of_day(finish) if finish else None, fall * 60
        self.now = time.monotonic if device.type == "cuda" else time.process_time
        self.before, self.started = spent, self.now()
        self.total = total_minutes * 60
        self.stop = (stop_minutes or total_minutes) * 60
        self.asked_to_end = False
        # Asked to end (kill, Ctrl+C), the loop finishes its step and saves, and `leave` tells the caller.
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._end)

    def _end(self, *_):
        self.stop, self.asked_to_end = 0, True

    def leave(self):
        """Ends the program; with a failure if it was asked to end, so that a script does not go on."""
        sys.exit(143 if self.asked_to_end else 0)

    @property
    def spent(self) -> float:
        return self.before + self.now() - self.started

    @property
    def progress(self) -> float:
        if self.finish:
            return min(max(0.5, 1 - 0.5 * (self.finish - time.time()) / self.fall), 1.0)
        return min(self.spent / self.total, 1.0)

    @property
    def over(self) -> bool:
        return self.spent >= self.stop or self.finish is not None and time.time() >= self.finish


def time_of_day(text: str) -> float:
    """The next time that the clock shows HH:MM, in seconds of the epoch."""
    hour, minute = map(int, text.split(":"))
    now = datetime.now()
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (then if then > now else then + timedelta(days=1)).timestamp()


def learning_rate_factor(step: int, progress: float, warmup: int = 100) -> float:
    """Rises over the first steps, stays, and falls as a cosine over the last half of the budget."""
    fall = max(0.0, progress - 0.5) / 0.5
    return min(1.0, (step + 1) / warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * fall)))


class Average:
    """Weights averaged over about the last tenth of all steps, whatever their number."""

    def __init__(self, model: torch.nn.Module, saved: dict | None = None):
        source = saved or model.state_dict()
        self.weights = {name: value.detach().clone().float() for name, value in source.items()}
        device = next(model.parameters()).device
        self.weights = {name: value.to(device) for name, value in self.weights.items()}

    @torch.no_grad()
    def update(self, model: torch.nn.Module, step: int):
        keep = (1 - 1 / (step + 1)) ** 12
        current = model.state_dict()
        names = [name for name in self.weights if current[name].is_floating_point()]
        torch._foreach_lerp_([self.weights[n] for n in names], [current[n].float() for n in names], 1 - keep)


def save(path: Path, state: dict):
    """Replaces the file whole, so that an interrupted run never leaves half a checkpoint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


class Journal:
    """One JSON line for each report, beside the checkpoint; the curves are drawn from it."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(path, "a", encoding="utf-8")

    def write(self, **values):
        line = json.dumps({k: round(v, 5) if isinstance(v, float) else v for k, v in values.items()})
        self.file.write(line + "\n")
        self.file.flush()
        print(line, flush=True)


@functools.cache
def working_type(device_kind: str) -> torch.dtype:
    """What products are fastest in: bf16 on a GPU; on a processor f32 or bf16, whichever a trial finds.

    Some processors have instructions for bf16 that are half as fast as those for f32, others twice as fast.
    """
    if device_kind == "cuda":
        return torch.bfloat16

    def seconds(kind):
        x, weight = torch.randn(4096, 256).to(kind), torch.randn(512, 256).to(kind)
        times = []
        for _ in range(8):
            start = time.process_time()
            torch.nn.functional.linear(x, weight)
            times.append(time.process_time() - start)
        return min(times)

    return min((torch.float32, torch.bfloat16), key=seconds)


def mixed_precision(device: torch.device):
    """Products inside are in the working type."""
    kind = working_type(device.type)
    return torch.autocast(device.type, kind, enabled=kind != torch.float32)


def pick_device() -> torch.device:
    """The GPU if there is one."""
    if torch.cuda.is_available():
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
        return torch.device("cuda")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return torch.device("cpu")
