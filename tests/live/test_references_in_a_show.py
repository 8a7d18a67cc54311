"""References in a show as a user starts it: the embedded model in its own process, a picture from the media folder."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.live.running import Running
from tests.live.show import PATIENCE_S, wait_until


def test_a_reference_of_the_command_line_is_read_and_the_show_goes_on_with_it(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "cat.png"), np.full((40, 60, 3), (0, 120, 255), np.uint8))
    show = Running(
        tmp_path,
        *("--factory", "", "--media", str(tmp_path), "--references", "cat.png"),
        *("--output", "null", "--web-port", "0"),
    )
    show.wait_ready()
    wait_until(lambda: show.figures()["chunks"] > 0, f"a chunk; {show.lines}")
    show.osc("/streamvace/quit")
    assert show.finish(5 * PATIENCE_S) == 0, show.lines
    figures = show.stats()
    assert (figures["pictures"], figures["picture_loads"], figures["picture_faults"]) == (1, 1, 0), show.lines
    assert not [line for line in show.lines if "cannot" in line]
