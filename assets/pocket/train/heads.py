"""Heads that help the training and are not shipped: what covers each patch, and what an instruction is about.

The two losses of BAGEL reach shapes only through a whole answer or a few pixels. One linear layer
behind the ViT, and one in the painting expert, learn to name the shape, colour and size that covers
each token's patch, so that both parts are told directly what they should know. The second is REPA's
idea (Yu et al., 2024, arXiv 2410.06940) with the scene itself in place of another model's features.
A third stands behind the last word of an instruction that changes a picture, and names the thing that
is meant and its place: without it edits changed the wrong one of two things, or none.
"""

import torch
import torch.nn.functional as F
from torch import nn

from draw import Plot
from model import ModelShape
from world import SIZES, World

# A patch belongs to the thing whose centre is nearer to it than this part of the thing's radius.
REACH = 0.85

# How often a patch counts that an edit changes: most of them are only copied, and the rest was learned last.
CHANGED = 6


def patch_facts(plot: Plot | None, grid: tuple) -> torch.Tensor:
    """(scenes, patches, 3): shape, colour and size of the thing that covers a patch, from 1.

    Where there is none, shape and size are 0 and the colour is the background's.
    """
    if plot is None:
        return torch.zeros(0, 1, 3, dtype=torch.long)
    (rows, columns), (width, height) = grid, plot.canvas
    device = plot.things.device
    top = torch.arange(rows, device=device) * (height / rows)
    left = torch.arange(columns, device=device) * (width / columns)
    x, y, radius = plot.things[:, :3, None].unbind(1)  # (things, 1)
    beside = torch.maximum(left - x, x - left - width / columns).clamp(min=0)
    above = torch.maximum(top - y, y - top - height / rows).clamp(min=0)
    distance = (torch.hypot(above[:, :, None], beside[:, None, :]) / radius[:, :, None]).flatten(1)  # (things, patches)
    owner = plot.owner[:, None].expand_as(distance)
    nearest = torch.full((len(plot.background), rows * columns), REACH, device=device).scatter_reduce(0, owner, distance, "amin")
    thing, patch = ((distance == nearest.gather(0, owner)) & (distance < REACH)).nonzero().unbind(1)
    facts = plot.kinds.new_zeros((*nearest.shape, 3))
    below = (torch.arange(rows, device=device) * 2 >= rows)[:, None].expand(rows, columns).flatten()
    beyond = (torch.arange(columns, device=device) * 2 >= columns).expand(rows, columns).flatten()
    second = (plot.split[:, :1] > 0) & below | (plot.split[:, 1:] > 0) & beyond
    facts[..., 1] = torch.where(second, plot.grounds[:, 1:], plot.grounds[:, :1]) + 1
    facts[plot.owner[thing], patch] = plot.kinds[thing] + 1
    return facts


class Naming(nn.Module):
    """Names what covers a token's patch."""

    def __init__(self, width: int, world: World):
        super().__init__()
        self.sizes = [world.n_shapes + 1, world.n_colours + 1, len(SIZES) + 1]
        self.linear = nn.Linear(width, sum(self.sizes))

    def forward(self, tokens, facts, before=None):
        """Mean cross-entropy, and the part of the covered patches of which all is right.

        Where a patch is another than it was before, it counts CHANGED times, and the right part is of such patches
        and of those that are covered.
        """
        logits, facts = self.linear(tokens).float().flatten(0, -2), facts.flatten(0, -2)
        counted, weight = facts[:, 0] > 0, 1.0
        if before is not None:
            changed = (before.flatten(0, -2) != facts).any(-1)
            counted, weight = counted | changed, 1 + (CHANGED - 1) * changed
        parts = logits.split(self.sizes, -1)
        loss = sum((F.cross_entropy(part, fact, reduction="none") * weight).mean() for part, fact in zip(parts, facts.unbind(-1)))
        right = torch.stack([part.argmax(-1) == fact for part, fact in zip(parts, facts.unbind(-1))]).all(0)
        return loss, (right & counted).float().sum() / counted.sum().clamp(min=1)


class Meaning(nn.Module):
    """Names the thing that an instruction is about."""

    def __init__(self, width: int, world: World):
        super().__init__()
        self.sizes = [world.n_shapes + 1, world.n_colours + 1, len(SIZES) + 1, 10]
        self.linear = nn.Linear(width, sum(self.sizes))

    def forward(self, tokens, meant):
        """Mean cross-entropy, and the part of the instructions of which the place is right."""
        parts = self.linear(tokens).float().split(self.sizes, -1)
        loss = sum(F.cross_entropy(part, fact) for part, fact in zip(parts, meant.unbind(-1)))
        return loss, (parts[-1].argmax(-1) == meant[:, -1]).float().mean()


class Heads(nn.Module):
    """Listens to a model while it runs, and then says how well its tokens knew their patches."""

    def __init__(self, model: nn.Module, shape: ModelShape, world: World):
        super().__init__()
        self.seen, self.painted = Naming(shape.vit_hidden, world), Naming(shape.hidden, world)
        self.meant = Meaning(shape.hidden, world)
        self.heard = {}
        layers = model.language_model.model.layers
        model.vit_model["vision_model"].register_forward_hook(lambda _m, _i, out: self.heard.update(seen=out))
        # What is meant is known one layer before it is painted.
        layers[shape.n_layers // 2].register_forward_hook(lambda _m, _i, out: self.heard.update(meant=out[0]))
        layers[shape.n_layers // 2 + 1].register_forward_hook(lambda _m, _i, out: self.heard.update(painted=out[1]))

    def forward(self, batch, facts):
        """Losses and right parts of what was seen, is meant, and is painted; zeros where a batch has none."""
        none = torch.zeros((), device=facts.device)
        seen = meant = painted = (none, none)
        if len(batch.vit_scene):
            seen = self.seen(self.heard["seen"], facts[batch.vit_scene])
        if len(batch.meant):
            meant = self.meant(self.heard["meant"][batch.meant_text], batch.meant)
        if batch.latent_noised.any():
            tokens = self.heard["painted"].unflatten(0, (len(batch.latent_scene), -1))[batch.latent_noised]
            painted = self.painted(tokens, *(facts[scene[batch.latent_noised]] for scene in (batch.latent_scene, batch.latent_before)))
        self.heard.clear()
        return seen, meant, painted
