"""What comes before a build in TouchDesigner. Standard library only, and it runs on the Python of old versions."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fresh_modules import forget

OLDEST_TOUCHDESIGNER = 2023
"""Its Python is 3.11, which the component needs; 2022 has 3.9, where the component's modules fail to import."""


def ready(folders: Iterable[Path]) -> Any | None:
    """The module `td`, after which the next import from these folders reads the files.

    None if nothing can be built, and one printed line says why. Raises SystemExit outside TouchDesigner.
    """
    try:
        td = importlib.import_module("td")
    except ModuleNotFoundError:
        sys.exit("run this inside TouchDesigner: press Alt-T and type the line at the top of this file")
    problem = unsupported(td.app.build) or forget(folders)
    if problem:
        print(f"streamvace: {problem}")
        return None
    return td


def unsupported(build: str) -> str:
    """One line for a TouchDesigner that is too old; "" if it fits. build: `2023.12480`."""
    if int(build.split(".")[0]) >= OLDEST_TOUCHDESIGNER:
        return ""
    return f"this is TouchDesigner {build}; the component needs {OLDEST_TOUCHDESIGNER} or newer (derivative.ca)"
