"""The one interface of text encoders: the embedded model's own and umT5 for Wan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class TextEncoder(Protocol):
    """Prompts in, embeddings out. One thread may ask for what is at hand while another one encodes."""

    def at_hand(self, prompt: str) -> bool:
        """Whether `encode` and `unknown_words` answer within milliseconds: a picture may wait for them."""

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Embeddings `[B, L, text_dim]`, rows past a prompt's end zero."""

    def unknown_words(self, prompt: str) -> list[str]:
        """Words of the prompt that this encoder does not know; the user is told, nothing is hashed in silence."""
