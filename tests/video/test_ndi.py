"""NDI with the real library, between two processes of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from streamvace.errors import UserError
from streamvace.video import ndi_runtime
from streamvace.video.endpoints import open_sink, open_source
from streamvace.video.frame import Frame
from streamvace.video.ndi_runtime import NdiFinder, short_name
from streamvace.video.ndi_sink import NdiSink, frame_metadata
from streamvace.video.ndi_source import NdiSource, pixels_of
from tests.real_parts import require_package
from tests.video.helpers import until

ROOT = Path(__file__).parents[2]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module", autouse=True)
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """NDI finds senders on this machine without any network service."""
    require_package("NDIlib", 'pip install "streamvace[ndi]"')
    folder = tmp_path_factory.mktemp("ndi")
    networks = {"ips": "127.0.0.1,", "discovery": ""}
    (folder / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": networks}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NDI_CONFIG_DIR", str(folder))
        # The library reads its configuration once; another test of this process may have loaded it before.
        patch.setenv(ndi_runtime.EXTRA_IPS_VARIABLE, "127.0.0.1")
        yield


@pytest.fixture
def name() -> str:
    """A sender name of this test alone."""
    return f"sv test {uuid.uuid4().hex[:8]}"


@pytest.fixture
def other_side() -> Iterator[Start]:
    """Starts the other process; all are ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.video.ndi_program", *map(str, arguments)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def next_frame(source: NdiSource) -> Frame:
    frame = source._slot.wait(30)
    assert frame is not None, source.last_fault
    return frame


@pytest.mark.parametrize("size", [(64, 48), (66, 50)])  # 66 pixels are padded by NDI to rows of 72
def test_a_picture_arrives_whole_and_upright_with_its_alpha(
    name: str, other_side: Start, size: tuple[int, int]
) -> None:
    width, height = size
    other_side("send", name, width, height, 30)
    source = open_source(f"ndi:{name}", size)
    assert isinstance(source, NdiSource)
    frame = next_frame(source)
    expected = np.zeros((height, width, 4), int)
    expected[..., 0] = np.linspace(30, 220, width)[None, :]
    expected[..., 1] = np.linspace(220, 30, height)[:, None]
    expected[..., 2] = 90
    expected[height // 2 :, :, 3] = 255
    difference = np.abs(frame.pixels - expected)
    assert difference[..., :3].mean() < 6  # NDI is lossy
    assert difference[..., 3].max() <= 8  # but not for a mask
    assert frame.pixels.flags["C_CONTIGUOUS"]
    assert frame.source == f"ndi:{name}"
    assert short_name(source.connected_to) == name
    source.close()


def test_the_newest_frame_wins_and_the_others_are_counted(name: str, other_side: Start) -> None:
    other_side("send", name, 64, 48, 60)
    source = NdiSource(name, (32, 32))
    until(lambda: source.frames >= 20)
    frame = source.poll()
    assert frame is not None
    assert frame.sequence >= 19
    assert source.dropped >= 19
    assert source.metadata.startswith("<test number=")
    source.close()


def test_a_sender_that_starts_later_is_waited_for(name: str, other_side: Start) -> None:
    source = NdiSource(name, (32, 32))
    assert source.poll() is None
    assert source.connected_to == ""
    other_side("send", name, 64, 48, 30)
    next_frame(source)
    source.close()


def test_a_sender_that_dies_and_comes_back_is_received_again(
    name: str, other_side: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NdiSource, "SILENT_SECONDS", 0.5)
    first = other_side("send", name, 64, 48, 30)
    source = NdiSource(name, (32, 32))
    next_frame(source)
    first.kill()
    first.wait()
    until(lambda: source.rebuilt >= 1)
    source.poll()
    other_side("send", name, 96, 64, 30)  # and it comes back with another size
    frame = next_frame(source)
    assert frame.pixels.shape == (32, 32, 4)
    source.close()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the process's memory from /proc")
def test_captured_frames_are_given_back_and_memory_stays_flat(name: str, other_side: Start) -> None:
    def resident_mb() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    other_side("send", name, 1280, 720, 60)
    source = NdiSource(name, (64, 48))
    until(lambda: source.frames >= 20)
    before = resident_mb()
    until(lambda: source.frames >= 80)
    assert resident_mb() - before < 80  # 60 frames of 3.7 MB kept would be 220
    source.close()


def test_what_we_send_is_received_with_its_rate_size_and_number(name: str, other_side: Start) -> None:
    sink = open_sink(f"ndi:{name}", (64, 48), 29.97)
    assert isinstance(sink, NdiSink)
    receiver = other_side("receive", name, 3)
    pixels = np.zeros((48, 64, 4), np.uint8)
    pixels[...] = (200, 60, 90, 128)
    sequence = 0
    while receiver.poll() is None:
        sink.publish(Frame(pixels, 1234, 'the "left" & <right>', sequence))
        sequence += 1
        until(lambda done=sequence: sink.sent + sink.skipped + sink.dropped == done)
    assert receiver.stdout is not None
    frames = json.loads(receiver.stdout.read())
    assert len(frames) == 3
    for frame in frames:
        assert frame["rate"] == [30000, 1001]
        assert frame["size"] == [64, 48]
        assert np.abs(np.array(frame["bgra"]) - (90, 60, 200, 128)).max() <= 4
        assert 'captured_ns="1234"' in frame["metadata"]
        assert "&lt;right&gt;" in frame["metadata"]
    assert sink.sent >= 3
    sink.close()
    sink.close()


def test_nothing_is_compressed_while_nobody_receives(name: str) -> None:
    sink = NdiSink(name, 24.0)
    for sequence in range(10):
        sink.publish(Frame(np.zeros((48, 64, 4), np.uint8), 0, "test", sequence))
    sink.close()
    assert sink.sent == 0
    assert sink.skipped + sink.dropped == 10


def test_a_name_that_is_taken_says_so(name: str) -> None:
    sink = NdiSink(name, 24.0)
    with pytest.raises(UserError, match="is taken on this machine; choose another, such as"):
        NdiSink(name, 24.0)
    sink.close()
    NdiSink(name, 24.0).close()  # and is free again


def test_the_first_sender_found_is_never_our_own(name: str) -> None:
    sink = NdiSink(name, 24.0)
    finder = NdiFinder()
    until(lambda: finder.find(name))
    first = finder.find("")
    assert first is None or short_name(first.full_name) != name
    assert sink.name == f"ndi:{sink.full_name}"  # an address that finds it from any machine
    finder.close()
    sink.close()


def test_a_process_that_forgets_to_close_still_ends_well(name: str, other_side: Start) -> None:
    other_side("send", name, 64, 48, 30)
    program = (
        "from streamvace.video.endpoints import open_sink, open_source\n"
        f"source = open_source('ndi:{name}', (32, 32))\n"
        f"sink = open_sink('ndi:{name} out', (32, 32), 24.0)\n"
        "assert source._slot.wait(30)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize(
    ("full", "short"), [("STAGE (Camera 1)", "Camera 1"), ("A-B (left (far) side)", "left (far) side"), ("odd", "odd")]
)
def test_the_short_name_is_the_part_in_brackets(full: str, short: str) -> None:
    assert short_name(full) == short


class StridedVideo(SimpleNamespace):
    """A captured frame as the binding gives it: a copy of yres * xres pixels from the start of the padded memory."""

    memory: bytes
    xres: int
    yres: int

    @property
    def data(self) -> np.ndarray:
        count = self.yres * self.xres * 4
        return np.frombuffer(self.memory[:count], np.uint8).reshape(self.yres, self.xres, 4).copy()


def test_the_padding_of_rows_is_left_out() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 3, 4), dtype=np.uint8)
    padded = np.pad(picture, ((0, 0), (0, 5), (0, 0)))
    video = StridedVideo(memory=padded.tobytes(), xres=3, yres=5, line_stride_in_bytes=32)
    assert np.array_equal(pixels_of(video), picture)
    assert video.xres == 3


def test_names_with_special_characters_make_valid_metadata() -> None:
    frame = Frame(np.zeros((1, 1, 4), np.uint8), 5, 'a"b<c>&', 7)
    assert frame_metadata(frame) == '<streamvace frame="7" captured_ns="5" source=\'a"b&lt;c&gt;&amp;\'/>'


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndi_runtime, "_loaded", None)
    monkeypatch.setitem(sys.modules, "NDIlib", None)
    for opener in (lambda: open_source("ndi:", (8, 8)), lambda: open_sink("ndi:x", (8, 8), 24.0)):
        with pytest.raises(UserError, match=r'NDI is not installed .*; run: pip install "streamvace\[ndi\]"'):
            opener()
