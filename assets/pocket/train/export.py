"""Writes a trained model in the official checkpoint layout: `python export.py --out RUN --to FOLDER`."""

import argparse
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from model import LATENT_PATCH, VIT_PATCH, ModelShape
from pack import TOKEN_PIXELS
from tokenizer import Vocabulary
from vae import DOWNSAMPLE, LATENT_CHANNELS


def text_config(shape: ModelShape, vocabulary: Vocabulary) -> dict:
    return dict(
        architectures=["Qwen2ForCausalLM"], model_type="qwen2", hidden_act="silu", max_position_embeddings=32768,
        rms_norm_eps=1e-6, rope_theta=1000000.0, tie_word_embeddings=False, vocab_size=shape.vocabulary,
        bos_token_id=vocabulary.start, eos_token_id=vocabulary.end, qk_norm=True, layer_module="Qwen2MoTDecoderLayer",
        hidden_size=shape.hidden, intermediate_size=shape.mlp, num_hidden_layers=shape.n_layers,
        num_attention_heads=shape.n_heads, num_key_value_heads=shape.n_kv_heads,
    )


def vit_config(shape: ModelShape) -> dict:
    """As published: one layer more than is used."""
    return dict(
        model_type="siglip_vision_model", num_channels=3, hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-6,
        hidden_size=shape.vit_hidden, intermediate_size=shape.vit_mlp, num_hidden_layers=shape.vit_layers + 1,
        num_attention_heads=shape.vit_heads, patch_size=VIT_PATCH, image_size=shape.vit_grid * VIT_PATCH,
    )


def config(shape: ModelShape, vae: dict) -> dict:
    """Smallest and largest side are the same, so that every picture is scaled to the sizes of the training."""
    longest, seen = shape.latent_grid * TOKEN_PIXELS, shape.vit_grid * VIT_PATCH
    return dict(
        model_type="bagel", architectures=["Bagel"], latent_patch_size=LATENT_PATCH, max_latent_size=shape.latent_grid,
        vit_max_num_patch_per_side=shape.vit_grid, connector_act="gelu_pytorch_tanh", interpolate_pos=False, timestep_shift=1.0,
        vae_config=dict(
            resolution=256, in_channels=3, downsample=DOWNSAMPLE, out_ch=3, scale_factor=vae["scale"], shift_factor=vae["shift"],
            ch=vae["shape"]["base"], ch_mult=list(vae["shape"]["multiples"]), num_res_blocks=vae["shape"]["n_blocks"],
            z_channels=LATENT_CHANNELS,
        ),
        vae_transform=dict(max_image_size=longest, min_image_size=longest, image_stride=TOKEN_PIXELS),
        vit_transform=dict(max_image_size=seen, min_image_size=seen, image_stride=VIT_PATCH),
    )


def half(weights: dict) -> dict:
    return {name: value.to(torch.float16).contiguous() for name, value in weights.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--weights", choices=["average", "model"], default="average", help="averaged over the last steps, or the last alone")
    args = parser.parse_args()

    model = torch.load(args.out / "model.pt", map_location="cpu", weights_only=False)
    vae = torch.load(args.out / "vae.pt", map_location="cpu", weights_only=False)
    shape = ModelShape(**model["shape"])
    vocabulary = Vocabulary(args.out / "tokenizer.json")
    # Written beside and renamed, so that a reader never meets half an export.
    partial = args.to.with_name(args.to.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, content in dict(llm_config=text_config(shape, vocabulary), vit_config=vit_config(shape), config=config(shape, vae)).items():
        (partial / f"{name}.json").write_text(json.dumps(content, indent=1))
    shutil.copy(args.out / "tokenizer.json", partial)
    save_file(half(model[args.weights]), partial / "ema.safetensors")
    save_file(half(vae["average"]), partial / "ae.safetensors")
    shutil.rmtree(args.to, ignore_errors=True)
    os.replace(partial, args.to)
    total = sum(value.numel() for weights in (model[args.weights], vae["average"]) for value in weights.values())
    print(f"{args.to}: {total / 1e6:.1f} M parameters, {model['pictures']} samples seen")


if __name__ == "__main__":
    main()
