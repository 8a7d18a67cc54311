"""Controls as they come on stage: flashes, black and frozen frames, noise, compression, the wrong gain.

The picture to reach stays the undisturbed one, so the model learns to trust its history and the good frames around a
bad one more than the bad one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.embedded.train.photographs import Bytes

SHOCK_SHARE = 0.35
"""Share of the clips with a control picture everywhere whose control is disturbed. The others keep the model as exact
as before on a clean control."""
LONGEST = 3
"""Most frames of a flash or of darkness: an eighth of a second. What lasts longer is a change that is meant."""


@dataclass(frozen=True)
class Shock:
    """One way to disturb a control. share: relative frequency. apply: uint8 `[T, H, W, 3]` -> a new array like it."""

    share: float
    apply: Callable[[Bytes, np.random.Generator], Bytes]


def _span(frames: int, longest: int, rng: np.random.Generator) -> slice:
    length = int(rng.integers(1, longest + 1))
    start = int(rng.integers(0, max(1, frames - length + 1)))
    return slice(start, start + length)


def flash(control: Bytes, rng: np.random.Generator) -> Bytes:
    """One to three frames go white, or nearly so."""
    out = control.copy()
    at = _span(len(control), LONGEST, rng)
    white = float(rng.uniform(0.6, 1.0))
    out[at] = (control[at] * (1 - white) + 255 * white).astype(np.uint8)
    return out


def strobe(control: Bytes, rng: np.random.Generator) -> Bytes:
    """One white frame every few, over the whole clip."""
    out = control.copy()
    period = int(rng.integers(3, 13))
    out[int(rng.integers(period)) :: period] = int(rng.integers(200, 256))
    return out


def dark(control: Bytes, rng: np.random.Generator) -> Bytes:
    """One to three black frames."""
    out = control.copy()
    out[_span(len(control), LONGEST, rng)] = 0
    return out


def frozen(control: Bytes, rng: np.random.Generator) -> Bytes:
    """A source that stands still for up to a third of a second."""
    out = control.copy()
    at = _span(len(control), 8, rng)
    out[at] = control[at.start]
    return out


def dropped(control: Bytes, rng: np.random.Generator) -> Bytes:
    """A source that shows some frames twice and leaves the next one out."""
    order = np.arange(len(control))
    late = rng.random(len(order)) < rng.uniform(0.1, 0.5)
    order[1:][late[1:]] -= 1
    return control[order]


def noisy(control: Bytes, rng: np.random.Generator) -> Bytes:
    """Sensor noise, up to a tenth of full scale."""
    noise = rng.normal(0, float(rng.uniform(4, 25)), control.shape[:3])[..., None]
    return np.asarray(np.clip(control + noise, 0, 255), np.uint8)


def compressed(control: Bytes, rng: np.random.Generator) -> Bytes:
    """A stream of too few bits: blocks and ringing."""
    quality = int(rng.integers(5, 40))

    def again(frame: Bytes) -> Bytes:
        _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)

    return np.stack([again(frame) for frame in control])


def gain(control: Bytes, rng: np.random.Generator) -> Bytes:
    """Too dark or too bright, and a black level that is not black."""
    low = float(rng.uniform(0, 50))
    return np.asarray(np.clip(low + control * float(rng.uniform(0.4, 1.5)), 0, 255), np.uint8)


SHOCKS: dict[str, Shock] = {
    "flash": Shock(4, flash),
    "strobe": Shock(2, strobe),
    "dark": Shock(2, dark),
    "frozen": Shock(1, frozen),
    "dropped": Shock(1, dropped),
    "noisy": Shock(1, noisy),
    "compressed": Shock(1, compressed),
    "gain": Shock(1, gain),
}


def disturbed(control: Bytes, mask: Bytes, rng: np.random.Generator) -> Bytes:
    """The control, disturbed in SHOCK_SHARE of the clips.

    control: uint8 `[T, H, W, 3]`. mask: uint8 `[T, H, W]`, 255 = generate. A control with pixels to be kept is a
    picture, not a control, and stays as it is.
    """
    if rng.random() >= SHOCK_SHARE or mask.min() < 255:
        return control
    shares = np.array([shock.share for shock in SHOCKS.values()])
    name = str(rng.choice(list(SHOCKS), p=shares / shares.sum()))
    return SHOCKS[name].apply(control, rng)
