"""Reading what YOLO-class detectors say: boxes, classes, and masks where the network makes them. Pure functions."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.conditioning.controls.base import Floats
from streamvace.errors import UserError

OVERLAP = 0.5
"""Two boxes of one class that share more than this of their union are one thing."""

_MOST = 32
"""Detections kept of a frame: more are a crowd, and a crowd is one mask anyway."""


_MOST_FINISHED = 1000
"""Rows of a network that has thinned out its detections itself; one of 5 + 1 columns that hasn't has thousands."""


@dataclass(frozen=True)
class Detection:
    """box: x1, y1, x2, y2 in the network's input pixels. mask: float32 `[h, w]` probability over the whole input, at
    the network's own scale, or None where it only gives boxes."""

    box: tuple[float, float, float, float]
    score: float
    label: int
    mask: Floats | None = None


def decode(outputs: Sequence[Floats], confidence: float) -> list[Detection]:
    """What was found, the surest first.

    Known layouts: `[1, 4+C, N]` (YOLOv8, 11; centre and size, class scores), `[1, N, 5+C]` (YOLOv5, 7; objectness
    first), `[1, N, 6]` (YOLOv10, 26; corners, score, class), each of the first two with 32 mask weights and a second
    output `[1, 32, h, w]` of prototypes. Raises UserError for anything else.
    """
    prototypes = next((each[0] for each in outputs if each.ndim == 4), None)
    table = next((each[0] for each in outputs if each.ndim == 3), None)
    if table is None:
        shapes = ", ".join(str(each.shape) for each in outputs)
        raise UserError(f"the detector answers {shapes}; known are [1, 4+C, N], [1, N, 5+C] and [1, N, 6] (YOLO)")
    extra = 0 if prototypes is None else prototypes.shape[0]
    if table.shape[1] == 6 and table.shape[0] <= _MOST_FINISHED and extra == 0:
        return _finished(table, confidence)
    transposed = table.shape[0] < table.shape[1]
    rows = table.T if transposed else table
    weights = rows[:, rows.shape[1] - extra :]
    rows = rows[:, : rows.shape[1] - extra]
    scores = rows[:, 4:] if transposed else rows[:, 5:] * rows[:, 4:5]
    if scores.shape[1] < 1:
        raise UserError(f"the detector answers {table.shape}, which has no class scores; export a YOLO detector")
    labels = scores.argmax(1)
    best = scores[np.arange(len(rows)), labels]
    sure = np.flatnonzero(best >= confidence)
    kept = _distinct(rows[sure, :4], best[sure], labels[sure])
    found = []
    for index in sure[kept]:
        x, y, width, height = (float(value) for value in rows[index, :4])
        box = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        mask = None if prototypes is None else _mask(prototypes, weights[index])
        found.append(Detection(box, float(best[index]), int(labels[index]), mask))
    return found


def _finished(table: Floats, confidence: float) -> list[Detection]:
    """Corners, score and class: the network has sorted and thinned them out itself."""
    sure = table[table[:, 4] >= confidence][:_MOST]
    return [
        Detection((float(x1), float(y1), float(x2), float(y2)), float(score), int(label))
        for x1, y1, x2, y2, score, label in sure
    ]


def _distinct(boxes: Floats, scores: Floats, labels: NDArray[np.intp]) -> list[int]:
    """Which boxes are not the same thing again. boxes: centre and size."""
    if not len(boxes):
        return []
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, 2:]], axis=1)
    kept = cv2.dnn.NMSBoxesBatched(corners.tolist(), scores.tolist(), labels.tolist(), 0.0, OVERLAP)
    return [int(index) for index in np.asarray(kept).ravel()[:_MOST]]


def _mask(prototypes: Floats, weights: Floats) -> Floats:
    """`[32, h, w]` and `[32]` to probabilities `[h, w]`."""
    flat = np.tensordot(weights, prototypes, axes=1)
    return np.asarray(1 / (1 + np.exp(-np.clip(flat, -30, 30))), dtype=np.float32)


def class_names(text: str) -> tuple[str, ...]:
    """Names from what exporters write into a file: a Python dictionary of number to name. COCO's 80 otherwise."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return COCO
    if isinstance(found, dict) and found and all(isinstance(key, int) and key >= 0 for key in found):
        most = min(max(found) + 1, 10_000)
        return tuple(str(found.get(number, number)).lower() for number in range(most))
    if isinstance(found, (list, tuple)) and found:
        return tuple(str(name).lower() for name in found)
    return COCO


COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
"""The 80 classes of COCO, which most published detectors know, in their usual order."""
