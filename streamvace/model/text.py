"""The interface of text encoders: the embedded model's and umT5 for Wan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class TextEncoder(Protocol):
    """Prompts to embeddings. `at_hand` may be called while another thread encodes."""

    def at_hand(self, prompt: str) -> bool:
        """Whether `encode` and `unknown_words` take only milliseconds for this prompt, so that a step may wait."""

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Embeddings `[B, L, text_dim]`; rows beyond a prompt's end are zero."""

    def unknown_words(self, prompt: str) -> list[str]:
        """Words of the prompt that this encoder does not know, to be reported to the user."""
