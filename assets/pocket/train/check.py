"""Holds this program against the engine's golden case: `python check.py GOLDEN` (…/tests/golden/mini).

If the forward pass here and the reference agree on the same weights, then what is trained here is
what the engine computes.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from model import Bagel, ModelShape
from pack import Page
from tokenizer import Vocabulary
from vae import AutoEncoder, VaeShape, patchify


def relative(ours, theirs) -> float:
    return float((ours - theirs).norm() / theirs.norm())


def main():
    golden = Path(sys.argv[1])
    text = json.loads((golden / "model/llm_config.json").read_text())
    vit = json.loads((golden / "model/vit_config.json").read_text())
    config = json.loads((golden / "model/config.json").read_text())
    expected = load_file(golden / "cases/components.safetensors")
    shape = ModelShape(
        vocabulary=text["vocab_size"], hidden=text["hidden_size"], mlp=text["intermediate_size"],
        n_layers=text["num_hidden_layers"], n_heads=text["num_attention_heads"], n_kv_heads=text["num_key_value_heads"],
        head=text["hidden_size"] // text["num_attention_heads"], vit_hidden=vit["hidden_size"],
        vit_mlp=vit["intermediate_size"], vit_layers=vit["num_hidden_layers"] - 1, vit_heads=vit["num_attention_heads"],
        latent_grid=config["max_latent_size"], vit_grid=config["vit_max_num_patch_per_side"],
    )
    model = Bagel(shape)
    frozen = {name: model.state_dict()[name].clone() for name in ("vit_pos_embed.pos_embed", "latent_pos_embed.pos_embed")}
    model.load_state_dict(load_file(golden / "model/ema.safetensors"))
    errors = {f"table {name}": relative(value, model.state_dict()[name]) for name, value in frozen.items()}

    sizes = config["vae_config"]
    vae = AutoEncoder(VaeShape(sizes["ch"], tuple(sizes["ch_mult"]), sizes["num_res_blocks"]))
    vae.load_state_dict(load_file(golden / "model/ae.safetensors"))
    vae.scale, vae.shift = sizes["scale_factor"], sizes["shift_factor"]
    with torch.no_grad():
        latent = vae.encode(expected["vae.pixels"][None])
        mean = vae.posterior(expected["vae.pixels"][None])[0]
        errors["vae mean"] = min(relative(x[0], expected["vae.latent_mean"]) for x in (latent, mean))
        errors["vae decoded"] = relative(vae.decode(latent)[0], expected["vae.decoded"])

        # The flow case: the picture `wide` for the VAE and the ViT, a text, and noise of 64 x 128 pixels at 0.8.
        page = Page(None, 28, 32)
        vocabulary = Vocabulary(golden / "model/tokenizer.json")
        ids = [vocabulary.start, *vocabulary.encode("make the house green"), vocabulary.end]
        page.place([
            dict(kind="latent", scene=0, noised=False, task="edit"), dict(kind="vit", scene=0, task="edit"),
            dict(kind="text", ids=ids, learn=False, task="edit"), dict(kind="latent", scene=0, noised=True, task="edit"),
        ])
        batch = page.batch((128, 64), vocabulary)
        batch.vit_size, batch.latent_size = (4, 7), (4, 8)
        latents = torch.cat([patchify(latent, 2), expected["flow.x_t"][None]])
        errors["vit tokens"] = relative(model.see(expected["vit.patches"][None], 4, 7)[0], expected["vit.tokens"])
        # In an edit the ViT sees what the VAE's transform left of the picture.
        resized = expected["image.wide.vit_resized_from_vae"].permute(2, 0, 1)[None].float() / 127.5 - 1
        patches = patchify(resized, 14)
        velocity = model(batch, latents, torch.tensor([0.0, 0.8]), patches)[1][1]
        errors["velocity"] = relative(velocity, expected["flow.v.text1.0.img1.0.global.min0.0"])
    for name, error in errors.items():
        print(f"{name:40} {error:.2e}")
    assert np.max(list(errors.values())) < 1e-4, "this program and the reference differ"


if __name__ == "__main__":
    main()
