"""The test card, and that it stands upright, in its colours and with its alpha, at the far end of every path."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace import cli
from streamvace.video.card import CORNERS, CardSource, card
from streamvace.video.film.source import read_frames
from streamvace.video.ndi.source import NdiInput, NdiSource
from tests.real_parts import alone_on_this_machine, require_package
from tests.video.helpers import HandClock, next_frame

ROOT = Path(__file__).parents[2]
SIZE = (192, 128)


def check(picture: NDArray[np.uint8], colour: int, alpha: int) -> None:
    """The corners are where they belong and the bar rises, within these errors."""
    height, width = picture.shape[:2]
    spots = ((6, 6), (6, width - 7), (height - 7, 6), (height - 7, width - 7))
    for (name, wanted), (row, column) in zip(CORNERS, spots, strict=True):
        error = np.abs(picture[row, column, :3].astype(int) - wanted)
        assert error.max() <= colour, f"{name}: {picture[row, column]}"
        assert picture[row, column, 3] >= 255 - alpha
    bar = picture[height - 4, width // 6 + 4 : width - width // 6 - 4]
    wanted_alpha = card(SIZE)[height - 4, width // 6 + 4 : width - width // 6 - 4, 3]
    assert np.abs(bar[:, 3].astype(int) - wanted_alpha).max() <= alpha


def test_the_card_itself() -> None:
    check(card(SIZE), 0, 0)
    assert (card(SIZE)[:100, :, 3] == 255).all()


def test_the_hand_turns_clockwise() -> None:
    def hand(seconds: float) -> tuple[float, float]:
        """Where its light lies, right and down of the middle."""
        rows, columns = np.nonzero((card(SIZE, seconds)[30:98, 60:132, :3] > 240).all(axis=2))
        return float(columns.mean()) + 60 - SIZE[0] / 2, float(rows.mean()) + 30 - SIZE[1] / 2

    assert hand(0.0)[1] < -5
    assert hand(0.5)[0] > 5
    assert hand(1.0)[1] > 5


def test_as_a_source_it_moves_on_the_shows_clock(hand_clock: HandClock) -> None:
    source = CardSource(SIZE, rate=10.0, clock=hand_clock)
    for tick in range(3):
        hand_clock.move_to(tick / 10)
        assert np.array_equal(next_frame(source).pixels, card(SIZE, tick / 10))
    source.close()


@pytest.mark.parametrize(("name", "colour", "alpha"), [("card.mov?format=png", 0, 0), ("card.mov?format=prores", 8, 2)])
def test_through_a_film(tmp_path: Path, name: str, colour: int, alpha: int) -> None:
    sent = ["card", "--output", f"file:{tmp_path / name}", "--size", "192x128", "--duration", "0.2"]
    assert cli.main(sent) == 0
    check(next(read_frames(tmp_path / "card.mov", SIZE)), colour, alpha)


def test_through_a_film_without_alpha(tmp_path: Path) -> None:
    assert cli.main(["card", "-o", str(tmp_path / "card.mp4"), "--size", "192x128", "--duration", "0.2"]) == 0
    picture = next(read_frames(tmp_path / "card.mp4", SIZE))
    picture[..., 3] = card(SIZE)[..., 3]  # which it does not hold
    check(picture, 12, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_through_ndi_between_two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    require_package("NDIlib", 'pip install "streamvace[ndi]"')
    name = f"sv card {uuid.uuid4().hex[:8]}"
    with alone_on_this_machine("ndi"):
        command = [sys.executable, "-m", "streamvace", "card", "--output", f"ndi:{name}", "--size", "192x128"]
        sender = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
        source = NdiSource(name, NdiInput(ips="127.0.0.1"), SIZE)
        frame = source._slot.wait(40)
        source.close()
        sender.send_signal(signal.SIGINT)
        _, said = sender.communicate(timeout=40)
    assert frame is not None
    check(frame.pixels, 24, 8)  # NDI is lossy, most of all at hard coloured edges
    assert sender.returncode == 0, said
    assert "red, green, blue, yellow from the top left" in said


def test_nowhere_to_send_it_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamvace.live.output.outputs._display", lambda: False)
    for output, line in (
        ("nowhere:", "Unknown output"),
        ("web", "the web page needs a show"),
        ("window", "use ndi:NAME"),
    ):
        assert cli.main(["card", "--output", output]) == 2
        said = capsys.readouterr().err
        assert line in said
        assert said.count("\n") == 1
