"""The patch embedding: patches of latents to tokens, as one matrix product."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class PatchEmbedding(nn.Conv3d):
    """A convolution whose kernel is its stride, computed as the matrix product that it is.

    Names and shapes of the weights are those of the published convolution. The product needs no 3-D convolution in 16
    bits, which some libraries compute slowly or wrong, and its result is contiguous.
    """

    def __init__(self, channels: int, dim: int, patch: tuple[int, int, int]) -> None:
        """channels: of the latents. dim: width of a token. patch: frames, rows and columns of a token."""
        super().__init__(channels, dim, kernel_size=patch, stride=patch)
        self.patch = patch

    def forward(self, x: Tensor) -> Tensor:
        """Latents `[B, C, T, H, W]`, whole patches in each direction -> tokens `[B, N, dim]` in (t, h, w) order."""
        pt, ph, pw = self.patch
        batch, channels, frames, height, width = x.shape
        cut = x.view(batch, channels, frames // pt, pt, height // ph, ph, width // pw, pw)
        # Tokens last: a copy with patches last writes two numbers at a time and takes twice as long.
        patches = cut.permute(1, 3, 5, 7, 0, 2, 4, 6).flatten(4).flatten(0, 3)
        tokens = F.linear(patches.T, self.weight.flatten(1), self.bias)
        return tokens.view(batch, -1, tokens.shape[1])
