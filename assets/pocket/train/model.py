"""BAGEL at pocket size, with the published names for every weight.

Two experts share one attention: text and ViT tokens belong to `understanding` (no suffix in the
names), latents to `generation` (`_moe_gen`). Tokens of each expert stay together in one tensor
through the whole network; only queries, keys and values are laid out in rows of samples.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from vae import LATENT_CHANNELS

LATENT_PATCH = 2
LATENT_SIZE = LATENT_PATCH**2 * LATENT_CHANNELS
VIT_PATCH = 14
ROPE_THETA = 1_000_000.0


@dataclass(frozen=True)
class ModelShape:
    """Sizes of the model. Grids are the largest number of latent tokens and ViT patches to a side."""

    vocabulary: int = 2048
    hidden: int = 256
    mlp: int = 768
    n_layers: int = 8
    n_heads: int = 4
    n_kv_heads: int = 2
    head: int = 64
    vit_hidden: int = 192
    vit_mlp: int = 768
    vit_layers: int = 4
    vit_heads: int = 3
    latent_grid: int = 8
    vit_grid: int = 8


def rotate(x, cosine, sine):
    first, second = x.float().chunk(2, -1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1).to(x.dtype)


class RmsNorm(nn.Module):
    def __init__(self, size: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return F.rms_norm(x.float(), self.weight.shape, self.weight, 1e-6).to(x.dtype)


class Mlp(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.mlp, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.mlp, bias=False)
        self.down_proj = nn.Linear(shape.mlp, shape.hidden, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Attention(nn.Module):
    """Both experts' projections; each returns and takes its own tokens only."""

    def __init__(self, shape: ModelShape):
        super().__init__()
        self.shape = shape
        query, key = shape.n_heads * shape.head, shape.n_kv_heads * shape.head
        for suffix in ("", "_moe_gen"):
            self.add_module("q_proj" + suffix, nn.Linear(shape.hidden, query))
            self.add_module("k_proj" + suffix, nn.Linear(shape.hidden, key))
            self.add_module("v_proj" + suffix, nn.Linear(shape.hidden, key))
            self.add_module("o_proj" + suffix, nn.Linear(query, shape.hidden, bias=False))
            self.add_module("q_norm" + suffix, RmsNorm(shape.head))
            self.add_module("k_norm" + suffix, RmsNorm(shape.head))

    def project(self, x, suffix):
        part = lambda name: getattr(self, name + suffix)
        q = part("q_norm")(part("q_proj")(x).unflatten(-1, (-1, self.shape.head)))
        k = part("k_norm")(part("k_proj")(x).unflatten(-1, (-1, self.shape.head)))
        return q, k, part("v_proj")(x).unflatten(-1, (-1, self.shape.head))  # (tokens, heads, head)

    def queries_keys_values(self, und, gen, cosine, sine):
        """Of both experts' tokens together, rotated; keys and values repeated for every query head."""
        q, k, v = (torch.cat(pair) for pair in zip(self.project(und, ""), self.project(gen, "_moe_gen")))
        repeat = self.shape.n_heads // self.shape.n_kv_heads
        return rotate(q, cosine, sine), rotate(k, cosine, sine).repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)


class Layer(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.self_attn = Attention(shape)
        for suffix in ("", "_moe_gen"):
            self.add_module("mlp" + suffix, Mlp(shape))
            self.add_module("input_layernorm" + suffix, RmsNorm(shape.hidden))
            self.add_module("post_attention_layernorm" + suffix, RmsNorm(shape.hidden))

    def before(self, und, gen, cosine, sine):
        return self.self_attn.queries_keys_values(self.input_layernorm(und), self.input_layernorm_moe_gen(gen), cosine, sine)

    def after(self, und, gen, attended):
        und = und + self.self_attn.o_proj(attended[: len(und)])
        gen = gen + self.self_attn.o_proj_moe_gen(attended[len(und) :])
        und = und + self.mlp(self.post_attention_layernorm(und))
        return und, gen + self.mlp_moe_gen(self.post_attention_layernorm_moe_gen(gen))

    def forward(self, und, gen, layout):
        attended = layout.attend(*self.before(und, gen, layout.cosine, layout.sine))
        return self.after(und, gen, attended)

    def compile_parts(self):
        """Compiles what does not depend on how the rows are cut: number of tokens may vary."""
        self.before = torch.compile(self.before, dynamic=True)
        self.after = torch.compile(self.after, dynamic=True)


class Decoder(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.n_layers))
        self.norm, self.norm_moe_gen = RmsNorm(shape.hidden), RmsNorm(shape.hidden)

    def forward(self, und, gen, layout):
        for layer in self.layers:
            und, gen = layer(und, gen, layout)
        return self.norm(und), self.norm_moe_gen(gen)


class LanguageModel(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.model = Decoder(shape)
        self.lm_head = nn.Linear(shape.hidden, shape.vocabulary, bias=False)


class VitLayer(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        width = shape.vit_hidden
        self.n_heads = shape.vit_heads
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.self_attn = nn.ModuleDict({name: nn.Linear(width, width) for name in ("q_proj", "k_proj", "v_proj", "out_proj")})
        self.mlp = nn.ModuleDict(dict(fc1=nn.Linear(width, shape.vit_mlp), fc2=nn.Linear(shape.vit_mlp, width)))

    def forward(self, x):
        h = self.layer_norm1(x)
        q, k, v = (self.self_attn[name](h).unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for name in ("q_proj", "k_proj", "v_proj"))
        h = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + self.self_attn["out_proj"](h)
        return x + self.mlp["fc2"](F.gelu(self.mlp["fc1"](self.layer_norm2(x)), approximate="tanh"))


class VisionTransformer(nn.Module):
    """SigLIP's encoder over pictures of one size: (pictures, patches, 588) to (pictures, patches, width)."""

    def __init__(self, shape: ModelShape):
        super().__init__()
        width = shape.vit_hidden
        self.embeddings = nn.ModuleDict(
            dict(patch_embedding=nn.Linear(3 * VIT_PATCH**2, width), position_embedding=nn.Embedding(shape.vit_grid**2, width))
        )
        self.encoder = nn.ModuleDict(dict(layers=nn.ModuleList(VitLayer(shape) for _ in range(shape.vit_layers))))
        self.post_layernorm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, patches, places):
        x = self.embeddings["patch_embedding"](patches) + self.embeddings["position_embedding"](places)
        for layer in self.encoder["layers"]:
            x = layer(x)
        return self.post_layernorm(x)


class TimeEmbedder(nn.Module):
    def __init__(self, hidden: int):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(256, hidden), nn.SiLU(), nn.Linear(hidden, hidden))

    def forward(self, t):
        frequencies = torch.exp(-math.log(10000) / 128 * torch.arange(128, device=t.device))
        angles = t[:, None].float() * frequencies
        return self.mlp(torch.cat([angles.cos(), angles.sin()], -1))


class Connector(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(shape.vit_hidden, shape.hidden), nn.Linear(shape.hidden, shape.hidden)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class PositionTable(nn.Module):
    """Fixed sines and cosines of column (first half) and row (second half) on a square grid."""

    def __init__(self, grid: int, hidden: int):
        super().__init__()
        omega = 10000.0 ** (-np.arange(hidden // 4) / (hidden / 4))
        wave = lambda place: np.concatenate([np.sin(place[:, None] * omega), np.cos(place[:, None] * omega)], 1)
        rows, columns = np.divmod(np.arange(grid * grid), grid)
        table = np.concatenate([wave(columns), wave(rows)], 1)
        self.pos_embed = nn.Parameter(torch.from_numpy(table).float(), requires_grad=False)


def grid_places(height: int, width: int, grid: int, device) -> torch.Tensor:
    """Numbers of the tokens of a height x width picture in a table of grid x grid."""
    rows = torch.arange(height, device=device)[:, None] * grid
    return (rows + torch.arange(width, device=device)).flatten()


class Bagel(nn.Module):
    def __init__(self, shape: ModelShape):
        super().__init__()
        self.shape = shape
        self.language_model = LanguageModel(shape)
        self.vit_model = nn.ModuleDict(dict(vision_model=VisionTransformer(shape)))
        self.connector = Connector(shape)
        self.vit_pos_embed = PositionTable(shape.vit_grid, shape.hidden)
        self.latent_pos_embed = PositionTable(shape.latent_grid, shape.hidden)
        self.time_embedder = TimeEmbedder(shape.hidden)
        self.vae2llm = nn.Linear(LATENT_SIZE, shape.hidden)
        self.llm2vae = nn.Linear(shape.hidden, LATENT_SIZE)
        self._initialise()

    def _initialise(self):
        depth = math.sqrt(2 * self.shape.n_layers)
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                output = name.endswith(("down_proj", "down_proj_moe_gen", "o_proj", "o_proj_moe_gen", "out_proj", "fc2"))
                nn.init.normal_(module.weight, std=module.in_features**-0.5 * 0.7 / (depth if output else 1))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.5 if "embed_tokens" in name else 0.02)
        nn.init.zeros_(self.llm2vae.weight)
        nn.init.normal_(self.language_model.lm_head.weight, std=0.01)

    def see(self, patches, height: int, width: int):
        """ViT patches (pictures, patches, 588) to tokens of the understanding expert."""
        places = grid_places(height, width, self.shape.vit_grid, patches.device)
        tokens = self.connector(self.vit_model["vision_model"](patches, places))
        return tokens + self.vit_pos_embed.pos_embed[places]

    def latent_tokens(self, latents, t, height: int, width: int):
        """Latent patches (pictures, tokens, 64) at their times to tokens of the generation expert."""
        places = grid_places(height, width, self.shape.latent_grid, latents.device)
        return self.vae2llm(latents) + self.time_embedder(t)[:, None] + self.latent_pos_embed.pos_embed[places]

    def forward(self, batch, latents, t, patches):
        """Hidden states of text tokens (tokens, hidden) and velocities of all latents (pictures, tokens, 64)."""
        text = self.language_model.model.embed_tokens(batch.text_ids)
        seen = self.see(patches, *batch.vit_size).flatten(0, 1) if len(patches) else text[:0]
        drawn = self.latent_tokens(latents, t, *batch.latent_size) if len(latents) else latents.new_zeros(0, 1, self.shape.hidden)
        und = torch.cat([text, seen.to(text.dtype)])
        und, gen = self.language_model.model(und, drawn.flatten(0, 1).to(text.dtype), batch.layout(self.shape.head))
        velocity = self.llm2vae(gen).float().unflatten(0, drawn.shape[:2])
        return und[: len(text)], velocity
