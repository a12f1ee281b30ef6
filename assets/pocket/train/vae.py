"""The autoencoder: FLUX.1's architecture and names with few channels, so that the engine needs no special case.

A picture becomes 16 channels at an eighth of its size. The encoder gives a mean and a log-variance;
training samples from them, the model reads the mean.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

LATENT_CHANNELS = 16
DOWNSAMPLE = 8


@dataclass(frozen=True)
class VaeShape:
    """Widths of the four levels are `base * multiples`, multiples of 32 for GroupNorm(32).

    The last norms (over the first level in the decoder, the last in the encoder) need three channels
    to a group or more: of a flat area one channel keeps nothing, and two keep only which is larger,
    so that colours come out in steps.
    """

    base: int = 32
    multiples: tuple = (3, 2, 4, 4)
    n_blocks: int = 1


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-6)


def conv(n_in: int, n_out: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, size, stride, padding=size // 2 if stride == 1 else 0)


class Residual(nn.Module):
    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.norm1, self.conv1 = norm(n_in), conv(n_in, n_out)
        self.norm2, self.conv2 = norm(n_out), conv(n_out, n_out)
        if n_in != n_out:
            self.nin_shortcut = conv(n_in, n_out, 1)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x) + h


class Attention(nn.Module):
    """One head over all pixels of the smallest level."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k, self.v, self.proj_out = (conv(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (part(h).flatten(2).transpose(1, 2) for part in (self.q, self.k, self.v))
        h = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        return x + self.proj_out(h.transpose(1, 2).unflatten(2, x.shape[2:]))


class Downsample(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = conv(channels, channels, stride=2)

    def forward(self, x):
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Upsample(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = conv(channels, channels)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    def __init__(self, n_in: int, n_out: int, n_blocks: int):
        super().__init__()
        self.block = nn.ModuleList(Residual(n_in if i == 0 else n_out, n_out) for i in range(n_blocks))


class Middle(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.block_1, self.attn_1, self.block_2 = Residual(channels, channels), Attention(channels), Residual(channels, channels)

    def forward(self, x):
        return self.block_2(self.attn_1(self.block_1(x)))


class Encoder(nn.Module):
    def __init__(self, shape: VaeShape):
        super().__init__()
        widths = [shape.base * multiple for multiple in shape.multiples]
        self.conv_in = conv(3, shape.base)
        self.down = nn.ModuleList()
        for index, (n_in, n_out) in enumerate(zip([shape.base, *widths], widths)):
            level = Level(n_in, n_out, shape.n_blocks)
            if index + 1 < len(widths):
                level.downsample = Downsample(n_out)
            self.down.append(level)
        self.mid = Middle(widths[-1])
        self.norm_out, self.conv_out = norm(widths[-1]), conv(widths[-1], 2 * LATENT_CHANNELS)

    def forward(self, x):
        h = self.conv_in(x)
        for level in self.down:
            for block in level.block:
                h = block(h)
            if hasattr(level, "downsample"):
                h = level.downsample(h)
        return self.conv_out(F.silu(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    def __init__(self, shape: VaeShape):
        super().__init__()
        widths = [shape.base * multiple for multiple in shape.multiples]
        self.conv_in = conv(LATENT_CHANNELS, widths[-1])
        self.mid = Middle(widths[-1])
        levels, n_in = [], widths[-1]
        for index in reversed(range(len(widths))):
            level = Level(n_in, widths[index], shape.n_blocks + 1)
            if index > 0:
                level.upsample = Upsample(widths[index])
            levels.insert(0, level)
            n_in = widths[index]
        self.up = nn.ModuleList(levels)
        self.norm_out, self.conv_out = norm(widths[0]), conv(widths[0], 3)

    def forward(self, z):
        h = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            for block in level.block:
                h = block(h)
            if hasattr(level, "upsample"):
                h = level.upsample(h)
        return self.conv_out(F.silu(self.norm_out(h)))


class AutoEncoder(nn.Module):
    """Pictures are -1..1; `encode` and `decode` speak latents of about unit variance."""

    def __init__(self, shape: VaeShape):
        super().__init__()
        self.shape = shape
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.scale, self.shift = 1.0, 0.0
        # Little noise at first: the decoder has to hear the latents before they are pressed together.
        nn.init.constant_(self.encoder.conv_out.bias[LATENT_CHANNELS:], -4.0)

    def posterior(self, picture):
        mean, log_variance = self.encoder(picture).chunk(2, 1)
        return mean, log_variance.clamp(-20, 10)

    def encode(self, picture):
        return self.scale * (self.posterior(picture)[0] - self.shift)

    def decode(self, latent):
        return self.decoder(latent / self.scale + self.shift)


def patchify(grid: torch.Tensor, patch: int) -> torch.Tensor:
    """(n, channels, height, width) to (n, tokens, patch * patch * channels), each ordered row, column, channel."""
    n, channels, height, width = grid.shape
    grid = grid.reshape(n, channels, height // patch, patch, width // patch, patch)
    return grid.permute(0, 2, 4, 3, 5, 1).reshape(n, -1, patch * patch * channels)


def unpatchify(tokens: torch.Tensor, height: int, width: int, patch: int) -> torch.Tensor:
    """The reverse: tokens of a grid of `height` x `width` pixels."""
    n, _, size = tokens.shape
    grid = tokens.reshape(n, height // patch, width // patch, patch, patch, size // patch**2)
    return grid.permute(0, 5, 1, 3, 2, 4).reshape(n, -1, height, width)


def load_autoencoder(path, device="cpu") -> AutoEncoder:
    """A trained autoencoder (its averaged weights) with its fitted scale and shift."""
    saved = torch.load(path, map_location="cpu", weights_only=False)
    vae = AutoEncoder(VaeShape(**saved["shape"]))
    vae.load_state_dict({name: value.float() for name, value in saved["average"].items()})
    vae.scale, vae.shift = saved["scale"], saved["shift"]
    if torch.device(device).type == "cuda":
        vae = vae.to(memory_format=torch.channels_last)
    return vae.to(device).eval().requires_grad_(False)
