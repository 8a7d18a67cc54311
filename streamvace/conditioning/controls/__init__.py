"""Control pictures from live video, one row per kind.

Importing this needs only numpy and OpenCV. Controls with a network load it when they are created, and `backend` names
what they use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamvace.conditioning.controls.base import Control
from streamvace.conditioning.controls.blaze_pose import FINDER_FILE, LANDMARK_FILE
from streamvace.conditioning.controls.contour import FILE, ContourScribble
from streamvace.conditioning.controls.depth import GuessedDepth, NetworkDepth
from streamvace.conditioning.controls.faces import FILE as FACE_FILE
from streamvace.conditioning.controls.flow import Flow
from streamvace.conditioning.controls.hands import FILE as HAND_FILE
from streamvace.conditioning.controls.layout import Layout
from streamvace.conditioning.controls.lines import Edges, Scribble
from streamvace.conditioning.controls.networks import Networks, torch_device
from streamvace.conditioning.controls.plain import Gray, Raw
from streamvace.conditioning.controls.pose import Pose

DEPTH_FOLDER = "depth-anything-v2-small"
RAFT_FILE = "raft-small.safetensors"


def _scribble(networks: Networks) -> Control:
    weights = networks.place(FILE)
    return ContourScribble(weights, networks.device) if weights.exists() else Scribble()


def _flow(networks: Networks) -> Control:
    weights = networks.place(RAFT_FILE)
    # On a CPU, RAFT takes 150 ms per picture beside the model; DIS takes 8 ms and shows the same motion.
    if not weights.exists() or torch_device(networks.device) == "cpu":
        return Flow()
    from streamvace.conditioning.controls.network_flow import RaftSearch  # imports torch

    return Flow(RaftSearch.load(weights, networks.device))


def _depth(networks: Networks) -> Control:
    folder = networks.place(DEPTH_FOLDER)
    return NetworkDepth(folder, networks.device) if folder.is_dir() else GuessedDepth()


CONTROLS: Mapping[str, Callable[[Networks], Control]] = {
    "raw": lambda networks: Raw(),
    "gray": lambda networks: Gray(),
    "edges": lambda networks: Edges(),
    "scribble": _scribble,
    "flow": _flow,
    "depth": _depth,
    "pose": Pose,
    "layout": lambda networks: Layout(),
}
"""Kind -> factory. A factory may take seconds, and raises UserError if a network is missing."""

CUDA_CONTEXT = 500_000_000
"""Bytes of a card that a process takes before its first tensor: CUDA's context and PyTorch's kernels, 300 to 500 MB."""


def card_bytes(networks: Networks) -> int:
    """Bytes of a card that these controls can take in a process of their own: its context, and the networks that run in
    torch (depth, flow, scribble), as often as their files again for what they compute. 0 when none is installed."""
    places = [networks.place(name) for name in (DEPTH_FOLDER, RAFT_FILE, FILE)]
    files = [file for place in places for file in (place.glob("*.safetensors") if place.is_dir() else (place,))]
    stored = sum(file.stat().st_size for file in files if file.exists())
    return CUDA_CONTEXT + 2 * stored if stored else 0


NEEDED = {"pose": ("the pose control", (FINDER_FILE, LANDMARK_FILE))}
"""Kind -> its name in messages, and the files without which its factory raises. All other kinds run without."""

USED = {"depth": (DEPTH_FOLDER,), "scribble": (FILE,), "flow": (RAFT_FILE,), "pose": (FACE_FILE, HAND_FILE)}
"""Kind -> the files that its factory takes if they are there, and does without."""
