"""Encodes prompts without stopping the stream: cached texts at once, the others in a thread.

A large text encoder takes seconds for a new text, and tens of seconds when it must be read from disk first. Meanwhile
the stream continues with the old prompt. The new prompt applies from the first chunk after it is ready.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from streamvace.model.text import TextEncoder
from streamvace.records.model_options import PROMPT_MODES
from streamvace.stream.prompt_syntax import read_prompt
from streamvace.system.errors import UserError

KEPT_TEXTS = 16
"""Number of encoded texts to keep, 4 MB each with umT5: a transition mixes the same two in every chunk."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncodedText:
    """embedding: `[1, L, text_dim]`. unknown: words of the text that the encoder does not know.

    syntax: what was taken out of the text; see `read_prompt`.
    """

    embedding: Tensor
    unknown: tuple[str, ...]
    syntax: tuple[str, ...] = ()


class PromptEncoder:
    """Encoded texts of one stream.

    The step's thread asks. At most one other thread encodes, one text at a time. It starts only texts of the newest
    request; texts that only an older request asked for are skipped.
    """

    def __init__(self, encoder: TextEncoder, mode: str = "wait") -> None:
        """mode: `wait` encodes within `take`, `beside` in a thread. Raises UserError for any other."""
        if mode not in PROMPT_MODES:
            raise UserError(f"unknown prompt mode {mode!r}; there are: {', '.join(PROMPT_MODES)}")
        self._encoder, self._beside = encoder, mode == "beside"
        self._lock = threading.Lock()
        self._kept: dict[str, EncodedText] = {}
        self._failed: dict[str, str] = {}
        self._wanted: tuple[str, ...] = ()
        self._reported: set[str] = set()
        self._thread: threading.Thread | None = None

    def take(self, texts: Sequence[str], *, needed: bool) -> list[EncodedText] | None:
        """The encoded texts, or None while they are not ready: ask again with the next chunk.

        needed: there is no older prompt to continue with, so wait in either mode. When waiting, raises what the encoder
        raises.
        """
        self._want(tuple(texts))
        for text in dict.fromkeys(texts):
            if text not in self._kept and (needed or not self._beside or self._encoder.at_hand(read_prompt(text).text)):
                self._keep(text, self._encode(text))
        with self._lock:
            if all(text in self._kept for text in texts):
                for text in texts:
                    self._kept[text] = self._kept.pop(text)
                return [self._kept[text] for text in texts]
            if self._thread is None and self._next() is not None:
                self._thread = threading.Thread(target=self._work, name="text encoder", daemon=True)
                self._thread.start()
        return None

    def drop(self) -> None:
        """Cancel the request: a text that is being encoded is still kept, and no other is started."""
        self._want(())

    def remarks(self) -> tuple[str, ...]:
        """Progress and errors of the texts requested last, each line once."""
        with self._lock:
            missing = [text for text in self._wanted if text not in self._kept]
            lines = [self._line(text) for text in missing]
        if self._reported and not missing:
            self._reported.clear()
            return (f"prompt {_shown(self._wanted[-1])} is encoded and in use",)
        fresh = tuple(line for line in lines if line not in self._reported)
        self._reported.update(fresh)
        return fresh

    def _line(self, text: str) -> str:
        if text in self._failed:
            return f"prompt {_shown(text)} cannot be encoded, the old one stays in use: {self._failed[text]}"
        return f"prompt {_shown(text)} is being encoded, the old one stays in use until then"

    def _want(self, texts: tuple[str, ...]) -> None:
        with self._lock:
            if set(texts) != set(self._wanted):
                # A new request tries failed texts again: the cause may be fixed.
                self._failed.clear()
                self._reported.clear()
            self._wanted = texts

    def _next(self) -> str | None:
        """The next text to encode. The caller holds the lock."""
        return next((text for text in self._wanted if text not in self._kept and text not in self._failed), None)

    def _work(self) -> None:
        while True:
            with self._lock:
                text = self._next()
                if text is None:
                    self._thread = None
                    return
            try:
                encoded = self._encode(text)
            except Exception as error:
                log.debug("encoding %r failed", text, exc_info=True)
                with self._lock:
                    self._failed[text] = " ".join(str(error).split()) or type(error).__name__
            else:
                self._keep(text, encoded)

    @torch.inference_mode()
    def _encode(self, text: str) -> EncodedText:
        plain = read_prompt(text)
        unknown = tuple(self._encoder.unknown_words(plain.text))
        return EncodedText(self._encoder.encode([plain.text]), unknown, plain.syntax)

    def _keep(self, text: str, encoded: EncodedText) -> None:
        with self._lock:
            self._kept[text] = encoded
            for old in list(self._kept)[: -max(KEPT_TEXTS, len(self._wanted))]:
                if old not in self._wanted:
                    del self._kept[old]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
