"""How large a file may be that is read. A file of kilobytes can claim a picture of gigabytes.

One set for the process, made from the command line before anything is opened: nobody can change it over the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streamvace.system.errors import UserError


@dataclass(frozen=True)
class FileLimits:
    """megapixels: of a still picture. side: pixels of either side of a film. gigabytes: of any file."""

    megapixels: float = 64.0
    side: int = 8192
    gigabytes: float = 4.0

    @property
    def pixels(self) -> int:
        """Of a still picture."""
        return round(self.megapixels * 1e6)

    def check_file(self, path: Path) -> None:
        """Raises UserError for a file of too many bytes."""
        size = path.stat().st_size / 1e9
        if size > self.gigabytes:
            raise UserError(
                f"{path} has {size:.1f} GB; at most {self.gigabytes:g} are read, raise it with --max-gigabytes"
            )

    def check_film(self, path: Path, width: int, height: int) -> None:
        """Raises UserError for a film of too many pixels a side."""
        if max(width, height) > self.side:
            raise UserError(
                f"{path} is a film of {width}x{height}; at most {self.side} pixels a side are read, "
                "raise it with --max-side"
            )


_in_force = FileLimits()


def file_limits() -> FileLimits:
    """The limits in force."""
    return _in_force


def set_file_limits(limits: FileLimits) -> None:
    """For this process, from now on."""
    global _in_force
    _in_force = limits
