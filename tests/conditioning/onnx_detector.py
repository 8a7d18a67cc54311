"""A small real detector in ONNX, defined in code: it finds patches of pure red (class 0) and blue (class 1).

Input `[1, 3, 64, 64]`, a grid of 8x8 cells; each answers with a box of its own size. The output has the layout of
YOLOv8, YOLOv5 or YOLOv10, or of YOLOv8 with masks (each cell's prototype is the whole picture's redness).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIDE, CELL = 64, 8
CELLS = (SIDE // CELL) ** 2


def write(path: Path, layout: str = "v8", names: str = "{0: 'red', 1: 'Blue'}") -> Path:
    """layout: v8, v5, v10 or masks."""
    constants = {"weights": _colour_weights(), "boxes": _boxes(), "flat": np.array([1, 2, CELLS], np.int64)}
    nodes = [
        helper.make_node("Conv", ["picture", "weights"], ["levels"], strides=[CELL, CELL]),
        helper.make_node("Relu", ["levels"], ["positive"]),
        helper.make_node("Reshape", ["positive", "flat"], ["scores"]),
    ]
    outputs = ["found"]
    if layout in ("v8", "masks"):
        parts = ["boxes", "scores"]
        if layout == "masks":
            constants["coefficients"] = np.full((1, 2, CELLS), 8.0, np.float32)
            constants["redness"] = np.array([1, -1, -1], np.float32).reshape(1, 3, 1, 1).repeat(2, 0)
            constants["half"] = np.array([-0.5], np.float32)
            nodes += [
                helper.make_node("Conv", ["picture", "redness"], ["red"], strides=[2, 2]),
                helper.make_node("Add", ["red", "half"], ["prototypes"]),
            ]
            parts.append("coefficients")
            outputs.append("prototypes")
        nodes.append(helper.make_node("Concat", parts, ["found"], axis=1))
    elif layout == "v5":
        constants["sure"] = np.ones((1, 1, CELLS), np.float32)
        nodes += [
            helper.make_node("Concat", ["boxes", "sure", "scores"], ["across"], axis=1),
            helper.make_node("Transpose", ["across"], ["found"], perm=[0, 2, 1]),
        ]
    else:
        constants["corners"] = _corners()
        constants["two"] = np.array([1], np.int64)
        nodes += [
            helper.make_node("ReduceMax", ["scores"], ["best"], axes=[1], keepdims=1),
            helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=1),
            helper.make_node("Cast", ["label"], ["label32"], to=TensorProto.FLOAT),
            helper.make_node("Concat", ["corners", "best", "label32"], ["across"], axis=1),
            helper.make_node("Transpose", ["across"], ["found"], perm=[0, 2, 1]),
        ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, _shape(name, layout)) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {"names": names})
    onnx.save(model, str(path))
    return path


def _shape(name: str, layout: str) -> list[int]:
    if name == "prototypes":
        return [1, 2, SIDE // 2, SIDE // 2]
    return {"v8": [1, 6, CELLS], "masks": [1, 8, CELLS], "v5": [1, CELLS, 7], "v10": [1, CELLS, 6]}[layout]


def _colour_weights() -> NDArray[np.float32]:
    """Mean over a cell of one colour less the two others."""
    signs = np.array([[1, -1, -1], [-1, -1, 1]], np.float32)
    return np.broadcast_to(signs[:, :, None, None] / CELL**2, (2, 3, CELL, CELL)).copy()


def _boxes() -> NDArray[np.float32]:
    """`[1, 4, N]`: middles and sizes."""
    middle = np.arange(CELL / 2, SIDE, CELL, dtype=np.float32)
    x, y = np.meshgrid(middle, middle)
    size = np.full(CELLS, CELL, np.float32)
    return np.stack([x.ravel(), y.ravel(), size, size])[None]


def _corners() -> NDArray[np.float32]:
    x, y, width, height = _boxes()[0]
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2])[None]
