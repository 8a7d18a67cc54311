"""The references of a stream: encoded when a picture is new, their keys made when pictures or prompt change."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from streamvace.conditioning.pixels import Canvas, to_pixels
from streamvace.model.autoencoder.base import Autoencoder
from streamvace.model.reference_keys import ReferenceKeys
from streamvace.model.transformer import CausalWan
from streamvace.records.chunk import Pixels, PromptMix
from streamvace.stream.link import Link


@dataclass
class ReferenceState:
    """A stream's references. A hard cut keeps them: like the text, they do not depend on the stream.

    encoded: each picture `[H, W, 3]` with its latent `[1, C, 1, h, w]`. latents: all of them in order,
    `[1, C, N, h, w]`. keys: for the base attention; made_for: the prompt and LoRA version that they were made with.
    """

    encoded: list[tuple[Pixels, Tensor]] = field(default_factory=list)
    latents: Tensor | None = None
    keys: ReferenceKeys | None = None
    made_for: tuple[PromptMix | None, int] | None = None

    def take(self, codec: Autoencoder, pictures: Pixels | None, canvas: Canvas) -> Tensor | None:
        """The latents of `pictures` (uint8 `[N, H, W, 3]`), `[1, C, N, h, w]`: the same tensor while they are the same.

        Each is encoded as a clip of one frame, so references do not affect each other. A known picture is not encoded
        again, whatever its place.
        """
        if pictures is None:
            self.encoded, self.latents, self.keys, self.made_for = [], None, None, None
            return None
        before = [picture for picture, _ in self.encoded]
        if self.latents is None or len(before) != len(pictures) or not all(map(np.array_equal, before, pictures)):
            self.encoded = [self._encoded(codec, picture, canvas) for picture in pictures]
            self.latents, self.keys = torch.cat([latent for _, latent in self.encoded], dim=2), None
        return self.latents

    def base_keys(
        self,
        wan: CausalWan,
        text: list[tuple[Tensor, Tensor]],
        words: tuple[PromptMix | None, int],
        t: float,
        link: Link,
    ) -> ReferenceKeys | None:
        """Keys for the base attention, from one pass over the clean latents at timestep t; None without references.

        text: the base's text K/V. words: identifies that text, by the prompt of the history and the LoRAs' version.
        link: brings the latents to the base.
        """
        if self.latents is None:
            return None
        if self.keys is None or self.made_for != words:
            tokens, grid = wan.embed(link.back(self.latents))
            self.keys = ReferenceKeys(grid.frames, grid.height, grid.width, wan.size.head_dim, tokens.device)
            time = wan.embed_time(torch.full((1, 1), t, device=tokens.device))
            wan.run(tokens, grid, time, text, self.keys)
            self.made_for = words
        return self.keys

    def _encoded(self, codec: Autoencoder, picture: Pixels, canvas: Canvas) -> tuple[Pixels, Tensor]:
        for known, latent in self.encoded:
            if np.array_equal(known, picture):
                return known, latent
        # A copy: the caller's array may be a view that is valid only during the chunk.
        return picture.copy(), codec.encode(to_pixels(picture[None], canvas.device, canvas.dtype), None)[0]
