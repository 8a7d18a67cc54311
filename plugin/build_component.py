"""Builds or updates the streamvace component in the open TouchDesigner project. Run this line in the textport:

    import runpy; runpy.run_path('C:/streamvace/plugin/build_component.py')

It builds in /project1, or in the network named by the environment variable `STREAMVACE_PARENT`, and saves the component
as build/streamvace.tox. After an update of streamvace, the same line updates the component.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Build, and print the component's path."""
    for path in (str(ROOT / "plugin"), str(ROOT)):
        if path not in sys.path:
            sys.path.append(path)
    from build_start import ready

    td = ready([ROOT / "plugin", ROOT / "osc_schema"])
    if td is None:
        return
    from streamvace_td.builder import build

    where = os.environ.get("STREAMVACE_PARENT", "/project1")
    parent = td.op(where) or td.op("/")
    component = build(parent, td)
    saved = component.save(str(ROOT / "build" / "streamvace.tox"), createFolders=True)
    print(f"streamvace: {component.path} is ready; press Start on its first page. Saved as {saved}")


main()
