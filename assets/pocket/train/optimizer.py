"""Muon for matrices and convolutions inside a network, AdamW for everything else.

Muon replaces a matrix's momentum by the nearest orthogonal matrix (five Newton-Schulz steps), which
makes all directions of a layer learn at the same pace. Matrices of one shape are treated together.
"""

from collections import defaultdict

import torch

from loop import working_type


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """(n, rows, columns) to nearly orthogonal matrices of the same directions."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices.to(working_type(matrices.device.type))
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, lr: float, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    by_shape[weight.shape].append(weight)
            for weights in by_shape.values():
                self._step(group, weights)

    def _step(self, group, weights):
        grads = torch.stack([weight.grad for weight in weights]).float()  # (n, rows, columns[, 3, 3])
        for weight in weights:
            if "momentum" not in self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight, dtype=torch.float32)
        buffers = [self.state[weight]["momentum"] for weight in weights]
        torch._foreach_lerp_(buffers, list(grads), 1 - group["momentum"])
        update = torch.lerp(grads, torch.stack(buffers), group["momentum"])
        update = orthogonal(update.flatten(2)).view_as(update)
        # The same size of change for every shape, about that of Adam.
        rate = group["lr"] * 0.2 * max(weights[0].flatten(1).shape) ** 0.5
        torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(weights, list(update), alpha=-rate)


def make_optimizers(model, rate: float, inside):
    """Muon for the matrices whose names `inside` accepts, AdamW for tables, edges, norms and biases."""
    trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    chosen = [weight for name, weight in trained if weight.ndim > 1 and inside(name)]
    others = [weight for name, weight in trained if weight.ndim == 1 or not inside(name)]
    adam = torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.0, fused=others[0].is_cuda)
    return [Muon(chosen, lr=rate), adam]
