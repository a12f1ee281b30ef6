"""Endless batches of scenes and samples, made in worker processes when there are any."""

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from draw import plot
from world import SHAPES, Sampler, World


class Stream(IterableDataset):
    """Calls `make(rng)` for ever, with a random stream of its own in each worker."""

    def __init__(self, make, seed: int):
        self.make, self.seed = make, seed

    def __iter__(self):
        worker = get_worker_info()
        rng = np.random.default_rng((self.seed, worker.id if worker else 0))
        while True:
            yield self.make(rng)


def stream(make, workers: int, seed: int):
    """An endless iterator over what `make` makes."""
    if workers:
        # The usual way of sharing tensors holds a file open for each, and runs out of them.
        torch.multiprocessing.set_sharing_strategy("file_system")
    options = dict(num_workers=workers, prefetch_factor=8, persistent_workers=True) if workers else {}
    return iter(DataLoader(Stream(make, seed), batch_size=None, **options))


class SceneBatch:
    """Makes scenes that share one canvas, as numbers ready to be drawn.

    Two of three have a star, whose points an autoencoder is last to keep.
    """

    def __init__(self, world: World, batch: int):
        self.world, self.batch = world, batch

    def __call__(self, rng):
        sampler = Sampler(self.world, rng)
        canvas = sampler.canvas()
        return plot([self.scene(sampler, canvas) for _ in range(self.batch)])

    @staticmethod
    def scene(sampler, canvas):
        for _ in range(3):
            scene = sampler.scene(canvas=canvas)
            if any(SHAPES[thing.shape] == "star" for thing in scene.things):
                break
        return scene


def scene_stream(world: World, batch: int, workers: int, seed: int):
    return stream(SceneBatch(world, batch), workers, seed)
