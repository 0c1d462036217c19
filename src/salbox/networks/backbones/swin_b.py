"""Swin-B without its classifier (Liu et al. 2021), made of timm's parts under the names of the authors' own program."""

from __future__ import annotations

from timm.models.swin_transformer import SwinTransformer
from torch import Tensor, nn

WIDTH, DEPTHS, HEADS, WINDOW = 128, (2, 2, 18, 2), (4, 8, 16, 32), 12  # Liu et al. 2021, section 3.3; windows of 384


class SwinB(nn.Module):
    """Patches, and four stages of transformers within windows that shift; the first three merge patches at their ends.

    timm's network merges at the beginning of the next stage: numbers are the same, names and taps are not.

    Parameters
    ----------
    size : (int, int)
        Height and width of the images, multiples of 32.
    width : int
        Channels of the first stage; each has twice as many as the one before.
    depths : four int
        Transformers in each stage.

    References
    ----------
    Liu et al.: Swin Transformer: Hierarchical vision transformer using shifted windows. ICCV 2021.
    """

    channels = tuple(WIDTH << stage for stage in range(4))

    def __init__(
        self, size: tuple[int, int], *, width: int = WIDTH, depths: tuple[int, int, int, int] = DEPTHS
    ) -> None:
        super().__init__()
        made = SwinTransformer(
            size, embed_dim=width, depths=depths, num_heads=HEADS, window_size=WINDOW, num_classes=0, weight_init="skip"
        )
        self.patch_embed = made.patch_embed
        merging = [*(stage.downsample for stage in made.layers[1:]), nn.Identity()]
        self.layers = nn.ModuleList(Stage(part.blocks, end) for part, end in zip(made.layers, merging, strict=True))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the patches, what the first two stages give after merging, and the last stage's features.

        At strides 4, 8, 16 and 32: (N, 128, h, w), (N, 256, ..), (N, 512, ..), (N, 1024, ..). What the third stage
        gives is not among them: so KD-SCFNet has it.

        Parameters
        ----------
        images : (N, 3, *size) float32
            RGB, normalised.
        """
        values = self.patch_embed(images)
        found = [values]
        for stage in self.layers:
            values = stage(values)
            found.append(values)
        first, second, third, _, last = found
        return [features.permute(0, 3, 1, 2) for features in (first, second, third, last)]


class Stage(nn.Module):
    """Transformers one after another, and what merges four patches into one."""

    def __init__(self, blocks: nn.Module, downsample: nn.Module) -> None:
        super().__init__()
        self.blocks = blocks
        self.downsample = downsample

    def forward(self, values: Tensor) -> Tensor:
        """Return patches, (N, h, w, C), after the blocks and merged."""
        merged: Tensor = self.downsample(self.blocks(values))
        return merged
