"""Control pictures from live video: one row a kind, one small stateful object each.

numpy and OpenCV only; what needs a network loads it when it is made, and says in one line what it runs on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamvace.conditioning.controls.base import Control
from streamvace.conditioning.controls.flow import Flow
from streamvace.conditioning.controls.layout import Layout
from streamvace.conditioning.controls.lines import Edges, Scribble
from streamvace.conditioning.controls.networks import Networks, torch_device
from streamvace.conditioning.controls.plain import Gray, Raw

DEPTH_FOLDER = "depth-anything-v2-small"
RAFT_FILE = "raft-small.safetensors"


def _scribble(networks: Networks) -> Control:
    from streamvace.conditioning.controls.contour import FILE, ContourScribble

    weights = networks.place(FILE)
    return ContourScribble(weights, networks.device) if weights.exists() else Scribble()


def _flow(networks: Networks) -> Control:
    weights = networks.place(RAFT_FILE)
    # On a processor RAFT takes 150 ms a picture beside the model; DIS takes 8 and shows the same motion.
    if not weights.exists() or torch_device(networks.device) == "cpu":
        return Flow()
    from streamvace.conditioning.controls.network_flow import RaftSearch

    return Flow(RaftSearch.load(weights, networks.device))


def _depth(networks: Networks) -> Control:
    from streamvace.conditioning.controls.depth import GuessedDepth, NetworkDepth

    folder = networks.place(DEPTH_FOLDER)
    return NetworkDepth(folder, networks.device) if folder.is_dir() else GuessedDepth()


def _pose(networks: Networks) -> Control:
    from streamvace.conditioning.controls.pose import Pose

    return Pose(networks)


CONTROLS: Mapping[str, Callable[[Networks], Control]] = {
    "raw": lambda networks: Raw(),
    "gray": lambda networks: Gray(),
    "edges": lambda networks: Edges(),
    "scribble": _scribble,
    "flow": _flow,
    "depth": _depth,
    "pose": _pose,
    "layout": lambda networks: Layout(),
}
"""Kind to what makes it. Making one may take seconds (a network loads) and raises UserError when it can't be made."""
