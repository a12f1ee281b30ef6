"""Named sizes: the whole world for a GPU, the small world that ships and that a processor can learn, and a smoke test."""

from dataclasses import dataclass, field

from model import ModelShape
from tasks import MIXTURE
from world import FULL, SMALL, World


@dataclass(frozen=True)
class Preset:
    world: World
    model: ModelShape
    mixture: dict = field(default_factory=lambda: MIXTURE)


PRESETS = dict(
    pocket=Preset(FULL, ModelShape()),
    small=Preset(
        SMALL,
        ModelShape(mlp=512, n_layers=5, vit_hidden=128, vit_mlp=256, vit_heads=2, vit_layers=3, latent_grid=6, vit_grid=6),
        dict(create=0.28, edit=0.40, ask=0.16, think_create=0.15, talk=0.01),
    ),
    tiny=Preset(SMALL, ModelShape(hidden=64, mlp=128, n_layers=2, head=16, vit_hidden=48, vit_mlp=96, vit_layers=1,
                                  latent_grid=6, vit_grid=6)),
)
