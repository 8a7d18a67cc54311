"""What Spout and Syphon have in common: the options of a texture, and the refusal on the wrong system."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from streamvace.system.errors import UserError


@dataclass(frozen=True, slots=True)
class TextureOptions:
    """What the other program does differently. Named in the address: `spout:NAME?premultiplied&flipped`."""

    premultiplied: bool = False
    """Its colours are multiplied by alpha. Otherwise alpha is straight, as it is here."""

    flipped: bool = False
    """Its rows are upside down by the convention of its own system."""


def require_system(needed: str, what: str, name: str, alternative: str) -> None:
    """Raise UserError unless this is the system `needed`, as `sys.platform` calls it."""
    # Through a variable: a checker would otherwise take everything after it for dead code on its own system.
    here = sys.platform
    if here != needed:
        words = {"win32": "Windows", "darwin": "macOS"}
        raise UserError(
            f"{what} exists only on {words[needed]} and this is {words.get(here, platform.system())}; "
            f"use {alternative}:{name or 'NAME'}, NDI works everywhere"
        )
