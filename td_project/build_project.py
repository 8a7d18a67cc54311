"""Builds or updates the example project in the open TouchDesigner. Run this line in the textport (Alt-T):

    import runpy; runpy.run_path('C:/streamvace/td_project/build_project.py')

It changes only /project1/streamvace_show.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parent.parent
NAME = "streamvace_show"


def main() -> None:
    """Build, and print the next step."""
    for path in (str(ROOT / "td_project"), str(ROOT / "plugin"), str(ROOT)):
        if path not in sys.path:
            sys.path.append(path)
    from build_start import ready

    td = ready([ROOT / "plugin", ROOT / "osc_schema", ROOT / "td_project"])
    if td is None:
        return
    from project_layout import NODES
    from streamvace_td.builder import build, build_nodes
    from streamvace_td.td_api import Component

    parent = td.op("/project1") or td.op("/")
    place = cast(Component, parent.op(NAME) or parent.create(td.baseCOMP, NAME))
    component = build(place, td)
    build_nodes(place, td, NODES)
    print(f"streamvace: {place.path} is ready; press Start on the first page of {component.path}")


main()
