"""Prompt syntax of other programs: weights as in `(red:1.4)`, and LoRA tags.

No text encoder here gives it that meaning. As text, `<lora:neon:0.8>` would ask for neon, and brackets and numbers are
tokens that the networks were not trained on. So it is taken out, and the user is told where the same is set.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TAG = re.compile(r"<\s*(?:lora|lyco|hypernet)\s*:[^<>]*>", re.IGNORECASE)
_WEIGHTS = (
    re.compile(r"\((?P<text>[^()\[\]:]*[^()\[\]:\d\s.])\s*:\s*[+-]?[\d.]+\s*\)"),  # (red:1.4), but not (16:9)
    re.compile(r"\({2,}(?P<text>[^()]+)\){2,}"),  # ((red)); single round brackets are punctuation
    re.compile(r"\[(?P<text>[^\[\]]+)\]"),  # [red]
)


class PlainPrompt(NamedTuple):
    """A prompt without syntax. syntax: what was taken out, as written, in order and without repetition."""

    text: str
    syntax: tuple[str, ...]


def read_prompt(prompt: str) -> PlainPrompt:
    """The words of a prompt. Weighted words stay as words; a tag goes with its name."""
    found: dict[str, int] = {}

    def take(match: re.Match[str]) -> str:
        found.setdefault(match.group(), prompt.find(match.group()))
        return match.groupdict().get("text", "")

    text = _TAG.sub(take, prompt)
    for weight in _WEIGHTS:
        text = weight.sub(take, text)
    if not found:
        return PlainPrompt(prompt, ())
    return PlainPrompt(" ".join(text.split()), tuple(sorted(found, key=found.__getitem__)))
