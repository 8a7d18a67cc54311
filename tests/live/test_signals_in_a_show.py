"""Control kinds and masks, driven from outside: chosen over OSC, seen in outputs of their own, told in the figures."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from streamvace.video.film.source import read_frames
from tests.live.running import Start
from tests.live.show import wait_until


def test_a_kind_and_a_mask_are_chosen_over_osc_and_seen_in_outputs_of_their_own(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMVACE_MODELS", str(tmp_path / "no models"))
    films = [tmp_path / "control.mp4", tmp_path / "mask.mp4"]
    show = start(
        *("--input", "pattern:scene", "--output", "null", "--web-port", "0"),
        *(f"--output=control@{films[0]}", f"--output=mask@{films[1]}"),
    )
    show.wait_ready()
    show.osc("/streamvace/mask_source", "luma")
    show.osc("/streamvace/mask/luma_low", 0.3)
    show.osc("/streamvace/control_kind", "edges")
    page = show.said(r"watch\s+(http://\S+)")
    assert page is not None

    def in_use() -> tuple[str, str]:
        with urllib.request.urlopen(page[1] + "stats.json", timeout=30) as answer:
            figures = json.load(answer)
        return figures["control"], figures["mask"]

    wait_until(lambda: in_use() == ("edges: OpenCV Canny", "luma: OpenCV"), f"in use; said {show.lines}")
    wait_until(lambda: all(film.with_name(f"{film.stem}.part.mp4").exists() for film in films), "the films were begun")
    show.osc("/streamvace/control_kind", "pose")
    wait_until(lambda: show.said("control pose: .*models pull vision") is not None, f"told; said {show.lines}")
    show.osc("/streamvace/quit")
    assert show.finish() == 0, show.lines
    figures = show.stats()
    assert figures["control"] == "edges: OpenCV Canny", "what can't be had leaves the kind before it"
    assert figures["mask"] == "luma: OpenCV"
    assert figures["control_made"] > 0
    assert figures["control_faults"] == 0
    assert figures["chunks"] > 0
    mask = list(read_frames(films[1], (64, 64)))[-1][..., :3]
    assert np.mean((mask < 40) | (mask > 215)) > 0.6, "black and white"
    assert len(list(read_frames(films[0], (64, 64)))) > 0


def test_what_no_view_can_be_sent_to_is_refused_before_anything_starts(start: Start) -> None:
    show = start("--output", "control@window", "--no-web")
    assert show.finish() == 2
    assert show.said("control@window: name an output such as ndi:") is not None
