"""Lets a running TouchDesigner import the code that is in the streamvace folder now. Standard library only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path


def forget(folders: Iterable[Path]) -> str:
    """Forget every module that was imported from these folders, so that the next import reads its file again.

    Returns "", or one line that says why nothing was forgotten: code that watches a process cannot be replaced.
    """
    child = sys.modules.get("streamvace_td.child")
    if child is not None and child.running():
        return (
            "a process of a component runs, with the code of the earlier version: press Stop, then run this line again"
        )
    places = [folder.resolve() for folder in folders]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        running_script = name.startswith("<")  # runpy's own entry, which it removes itself
        if file is not None and not running_script and any(place in Path(file).resolve().parents for place in places):
            del sys.modules[name]
    return ""
