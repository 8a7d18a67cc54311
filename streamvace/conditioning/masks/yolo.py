"""Reading what YOLO-class detectors say: boxes, classes, and masks where the network makes them. Pure functions."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.conditioning.controls.base import Floats
from streamvace.system.errors import UserError

OVERLAP = 0.5
"""Two boxes of one class that share more than this of their union are one thing."""

_MOST = 32
"""Detections kept of a frame: more are a crowd, and a crowd is one mask anyway."""


_FINISHED = 6
"""Columns of a network that has thinned out its detections itself: corners, score, class."""

_MOST_FINISHED = 1000
"""And its rows; a network of 5 + 1 columns that hasn't has thousands."""


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
    first), `[1, N, 6]` (YOLOv10, 26; corners, score, class), each also with 32 mask weights behind and a second output
    `[1, 32, h, w]` of prototypes. Raises UserError for anything else.
    """
    prototypes = next((each[0] for each in outputs if each.ndim == 4), None)
    table = next((each[0] for each in outputs if each.ndim == 3), None)
    if table is None:
        shapes = ", ".join(str(each.shape) for each in outputs)
        raise UserError(f"the detector answers {shapes}; known are [1, 4+C, N], [1, N, 5+C] and [1, N, 6] (YOLO)")
    transposed = table.shape[0] < table.shape[1]
    whole = table.T if transposed else table
    columns = whole.shape[1] - (0 if prototypes is None else prototypes.shape[0])
    rows, weights = whole[:, :columns], whole[:, columns:]
    if columns == _FINISHED and not transposed and len(rows) <= _MOST_FINISHED:
        corners, best, labels = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp)
        sure = np.flatnonzero(best >= confidence)[:_MOST]
    else:
        scores = rows[:, 4:] if transposed else rows[:, 5:] * rows[:, 4:5]
        if scores.shape[1] < 1:
            raise UserError(f"the detector answers {table.shape}, which has no class scores; export a YOLO detector")
        labels = scores.argmax(1)
        best = scores[np.arange(len(rows)), labels]
        corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1)
        candidates = np.flatnonzero(best >= confidence)
        sure = candidates[_distinct(corners[candidates], best[candidates], labels[candidates])]
    found = []
    for index in sure:
        x1, y1, x2, y2 = (float(value) for value in corners[index])
        mask = None if prototypes is None else _mask(prototypes, weights[index])
        found.append(Detection((x1, y1, x2, y2), float(best[index]), int(labels[index]), mask))
    return found


def _distinct(boxes: Floats, scores: Floats, labels: NDArray[np.intp]) -> list[int]:
    """Which boxes are not the same thing again. boxes: corners."""
    if not len(boxes):
        return []
    sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxesBatched(sizes.tolist(), scores.tolist(), labels.tolist(), 0.0, OVERLAP)
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
