"""Goes on from a finished model when its run is lost: `python resume.py ../pocket-q8_0.gguf --samples 921395 --out RUN`.

Reads the weights back from the file that ships (q8_0 is close enough to train on) into `model.pt`, `vae.pt`,
`vit.pt` and `tokenizer.json`. What is not shipped, the heads and the optimizers' memory, begins anew.
Needs the package `gguf`.
"""

import argparse
import json
from dataclasses import fields
from pathlib import Path

import torch
from gguf import GGUFReader, dequantize

from heads import Naming
from loop import save
from model import Bagel, ModelShape
from presets import PRESETS
from vae import AutoEncoder, VaeShape

# Names in the file and in the published layout, module by module.
SINGLE = {
    "token_embd": "language_model.model.embed_tokens", "output": "language_model.lm_head",
    "output_norm": "language_model.model.norm", "output_norm.gen": "language_model.model.norm_moe_gen",
    "v.patch_embd": "vit_model.vision_model.embeddings.patch_embedding",
    "v.position_embd": "vit_model.vision_model.embeddings.position_embedding",
    "v.post_ln": "vit_model.vision_model.post_layernorm", "mm.0": "connector.fc1", "mm.2": "connector.fc2",
    "t_embd.0": "time_embedder.mlp.0", "t_embd.2": "time_embedder.mlp.2",
}
LAYER = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
VISION_LAYER = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_out": "self_attn.out_proj",
    "ffn_up": "mlp.fc1", "ffn_down": "mlp.fc2", "ln1": "layer_norm1", "ln2": "layer_norm2",
}
WHOLE = {"mm.position_embd.weight": "vit_pos_embed.pos_embed", "latent.position_embd.weight": "latent_pos_embed.pos_embed"}


def published_name(name: str) -> str:
    if name in WHOLE:
        return WHOLE[name]
    module, _, part = name.rpartition(".")
    if module in SINGLE:
        return f"{SINGLE[module]}.{part}"
    if module.startswith("v.blk."):
        number, module = module.removeprefix("v.blk.").split(".")
        return f"vit_model.vision_model.encoder.layers.{number}.{VISION_LAYER[module]}.{part}"
    if module.startswith("blk."):
        number, module = module.removeprefix("blk.").split(".", 1)
        place, _, inner = LAYER[module.removeprefix("gen.")].partition(".")
        if module.startswith("gen."):
            # The twins' suffix stands behind the projection in the attention, and behind the block elsewhere.
            place, inner = (place, inner + "_moe_gen") if place == "self_attn" else (place + "_moe_gen", inner)
        return f"language_model.model.layers.{number}.{place}.{inner}.{part}".replace("..", ".")
    return name


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--preset", choices=PRESETS, default="small")
    parser.add_argument("--samples", type=int, default=0, help="how many samples the model has seen, for the journal")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    reader = GGUFReader(args.file)
    config = json.loads(reader.fields["bagel.config"].contents())
    weights = {t.name: torch.from_numpy(dequantize(t.data, t.tensor_type).copy()).float() for t in reader.tensors}
    vae_config = config["vae"]
    vae = AutoEncoder(VaeShape(vae_config["ch"], tuple(vae_config["ch_mult"]), vae_config["n_res_blocks"]))
    vae_weights = {name.removeprefix("vae."): value for name, value in weights.items() if name.startswith("vae.")}
    vae.load_state_dict(vae_weights)
    model = Bagel(PRESETS[args.preset].model)
    model.load_state_dict({published_name(name): value for name, value in weights.items() if not name.startswith("vae.")})
    text, shape = config["text"], model.shape
    assert (text["hidden_size"], text["intermediate_size"], text["n_layers"]) == (shape.hidden, shape.mlp, shape.n_layers)

    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "tokenizer.json").write_text(reader.fields["tokenizer.huggingface.json"].contents(), encoding="utf-8")
    save(args.out / "vae.pt", dict(
        shape={f.name: getattr(vae.shape, f.name) for f in fields(VaeShape)}, step=0, spent=0.0, scale=vae_config["scale_factor"],
        shift=vae_config["shift_factor"], decoder_only=False, average=vae.state_dict()))
    state = model.state_dict()
    naming = Naming(shape.vit_hidden, PRESETS[args.preset].world)
    save(args.out / "vit.pt", dict(vit=model.vit_model["vision_model"].state_dict(), naming=naming.state_dict()))
    save(args.out / "model.pt", dict(
        preset=args.preset, shape={f.name: getattr(shape, f.name) for f in fields(ModelShape)}, step=0, pictures=args.samples, spent=0.0,
        model=state, average=state))
    print(args.out, "written")


if __name__ == "__main__":
    main()
