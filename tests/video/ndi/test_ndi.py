"""NDI with the real library, between two processes of this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from streamvace.records.frame import Frame, Made
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from streamvace.video.endpoints import open_sink, open_source
from streamvace.video.find import find_ndi, look_at
from streamvace.video.ndi import runtime as ndi_runtime
from streamvace.video.ndi.runtime import NdiAddress, NdiFinder, short_name
from streamvace.video.ndi.sink import NdiSink, frame_metadata
from streamvace.video.ndi.source import NdiInput, NdiSource, pixels_of
from tests.real_parts import alone_on_this_machine, require_package
from tests.video.helpers import next_frame, until

ROOT = Path(__file__).parents[3]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module", autouse=True)
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """NDI finds senders on this machine without any network service."""
    require_package("NDIlib", 'pip install "streamvace[ndi]"')
    folder = tmp_path_factory.mktemp("ndi")
    networks = {"ips": "127.0.0.1,", "discovery": ""}
    (folder / "ndi-config.v1.json").write_text(json.dumps({"ndi": {"networks": networks}}))
    # Without a name service NDI finds the senders of one process only: the one that got port 5960.
    with alone_on_this_machine("ndi"), pytest.MonkeyPatch.context() as patch:
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
    expected[..., 3] = np.linspace(0, 255, width)[None, :]
    expected[height // 2 :, :, 3] = 255
    difference = np.abs(frame.pixels - expected)
    assert difference[..., :3].mean() < 6  # NDI is lossy
    assert difference[: height // 2 - 8, :, 3].max() <= 2  # but hardly for a mask,
    assert difference[..., 3].max() <= 16  # except within a block of a hard edge
    assert frame.pixels.flags["C_CONTIGUOUS"]
    assert frame.source == f"ndi:{name}"
    assert short_name(source.connected_to) == name
    source.close()


def test_premultiplied_colours_are_made_straight_where_the_address_says_so(name: str, other_side: Start) -> None:
    other_side("send", name, 64, 48, 30)  # its red and green are above its alpha on the left: clamped
    source = open_source(f"ndi:{name}?premultiplied", (64, 48))
    assert isinstance(source, NdiSource)
    pixel = next_frame(source).pixels[8, 40].astype(int)
    source.close()
    alpha = 255 * 40 / 63
    assert np.abs(pixel[[0, 2, 3]] - (min(255, 150.6 * 255 / alpha), 90 * 255 / alpha, alpha)).max() <= 8


def test_the_newest_frame_wins_and_the_others_are_counted(name: str, other_side: Start) -> None:
    other_side("send", name, 64, 48, 60)
    source = NdiSource(name, NdiInput(), (32, 32))
    until(lambda: source.frames >= 20)
    frame = source.poll()
    assert frame is not None
    assert frame.sequence >= 19
    assert source.dropped >= 19
    assert source.metadata.startswith("<test number=")
    source.close()


def test_a_sender_that_starts_later_is_waited_for_and_its_absence_is_reported(
    name: str, other_side: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NdiSource, "RENEW_SECONDS", 0.5)
    source = NdiSource(name, NdiInput(), (32, 32))
    until(lambda: source.faults)
    assert source.last_fault.startswith(f"no NDI sender {name!r} yet (found: ")
    assert source.poll() is None
    assert source.connected_to == ""
    other_side("send", name, 64, 48, 30)
    next_frame(source)
    source.close()


def test_senders_of_three_programs_are_all_found_where_one_answers_for_itself_only(
    name: str, other_side: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NdiSource, "RENEW_SECONDS", 0.5)
    names = [f"{name} {side}" for side in "abc"]
    for each in names:
        other_side("send", each, 64, 48, 30)
    sources = [NdiSource(each, NdiInput(), (32, 32)) for each in names]
    until(lambda: all(source.frames for source in sources), 60)
    for source in sources:
        source.close()


def test_a_search_without_a_result_starts_again_and_finds_what_the_first_missed(
    name: str, other_side: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two finders, the first hears of another program's senders only."""
    made: list[NdiFinder] = []
    real = NdiFinder.find

    def find(self: NdiFinder, wanted: str) -> NdiAddress | None:
        made.extend([self] if self not in made else [])
        return None if self is made[0] else real(self, wanted)

    monkeypatch.setattr(NdiFinder, "find", find)
    monkeypatch.setattr(NdiSource, "RENEW_SECONDS", 0.5)
    other_side("send", name, 64, 48, 30)
    source = NdiSource(name, NdiInput(), (32, 32))
    next_frame(source)
    assert source.renewed >= 1
    assert f"no NDI sender {name!r} yet" in source.last_fault
    source.close()


def test_a_sender_that_dies_and_comes_back_is_received_again(
    name: str, other_side: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(NdiSource, "SILENT_SECONDS", 0.5)
    first = other_side("send", name, 64, 48, 30)
    source = NdiSource(name, NdiInput(), (32, 32))
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
    source = NdiSource(name, NdiInput(), (64, 48))
    until(lambda: source.frames >= 20)
    before = resident_mb()
    until(lambda: source.frames >= 80)
    assert resident_mb() - before < 80  # 60 frames of 3.7 MB kept would be 220
    source.close()


@pytest.mark.parametrize(("options", "bgra"), [("", (90, 60, 200, 128)), ("?premultiplied", (45, 30, 100, 128))])
def test_what_we_send_is_received_with_its_rate_size_and_number(
    name: str, other_side: Start, options: str, bgra: tuple[int, ...]
) -> None:
    sink = open_sink(f"ndi:{name}{options}", (64, 48), 29.97)
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
        assert np.abs(np.array(frame["bgra"]) - bgra).max() <= 4
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


def facts(metadata: str) -> dict[str, str]:
    return dict(ElementTree.fromstring(metadata).attrib)


def test_the_metadata_says_what_made_the_picture() -> None:
    pixels = np.zeros((1, 1, 4), np.uint8)
    made = frame_metadata(Frame(pixels, 5_000_000, "streamvace", 7, Made(3, 42, 1)), now=40_500_000)
    assert facts(made) == {
        "frame": "7",
        "captured_ns": "5000000",
        "latency_ms": "35.5",
        "chunk": "3",
        "seed": "42",
        "generation": "1",
        "source": "streamvace",
    }
    slate = facts(frame_metadata(Frame(pixels, 0, 'a"b<c>&', 8), now=9))
    assert slate == {"frame": "8", "captured_ns": "0", "source": 'a"b<c>&'}


def test_metadata_and_timecode_arrive_with_their_picture(name: str, other_side: Start) -> None:
    sink = NdiSink(name, 30.0)
    receiver = other_side("receive", name, 5)
    pixels = np.zeros((48, 64, 4), np.uint8)
    started, sequence = time.time_ns() // 100, 0
    while receiver.poll() is None:
        sink.publish(Frame(pixels, now_ns(), "streamvace", sequence, Made(sequence // 12, 42, 2)))
        sequence += 1
        time.sleep(1 / 60)
    sink.close()
    assert receiver.stdout is not None
    frames = json.loads(receiver.stdout.read())
    for frame in frames:
        arrived = facts(frame["metadata"])
        assert (arrived["seed"], arrived["generation"]) == ("42", "2")
        assert int(arrived["chunk"]) == int(arrived["frame"]) // 12
        assert float(arrived["latency_ms"]) >= 0
        assert started <= frame["timecode"] <= time.time_ns() // 100
    assert len({frame["timecode"] for frame in frames}) == 5


def test_a_sender_changes_its_size_in_the_middle_of_a_show(name: str, other_side: Start) -> None:
    sink = NdiSink(name, 60.0)
    receiver = other_side("receive", name, 60)
    sizes = [(64, 48), (96, 64)]
    sequence = 0
    while receiver.poll() is None:
        width, height = sizes[sequence // 20 % 2]
        sink.publish(Frame(np.zeros((height, width, 4), np.uint8), 0, "streamvace", sequence))
        sequence += 1
        until(lambda done=sequence: sink.sent + sink.skipped + sink.dropped == done)
        time.sleep(1 / 120)
    sink.close()
    assert receiver.stdout is not None
    frames = json.loads(receiver.stdout.read())
    assert {tuple(frame["size"]) for frame in frames} == set(sizes)
    numbers = [int(facts(frame["metadata"])["frame"]) for frame in frames]
    assert numbers == sorted(numbers)


def test_a_source_follows_a_sender_that_changes_its_size(name: str, other_side: Start) -> None:
    """Wide pictures are cropped to the show's shape whatever their size: the left edge stays red-poor."""
    other_side("send", name, "64,128,96", "48,96,72", 60)
    source = NdiSource(name, NdiInput(), (32, 24))
    until(lambda: source.frames >= 90)
    frame = next_frame(source)
    assert frame.pixels.shape == (24, 32, 4)
    assert source.rebuilt == 0
    assert frame.pixels[12, 2, 0] < 60 < 180 < frame.pixels[12, -3, 0]
    source.close()


def test_three_streams_at_once_do_not_mix(name: str, other_side: Start) -> None:
    # Senders of one process: without a name service on the network NDI finds those of one process a machine only.
    names = [f"{name} {stream}" for stream in range(3)]
    other_side("send", "|".join(names), 64, 48, 60)
    sources = [NdiSource(each, NdiInput(), (32, 32)) for each in names]
    until(lambda: all(source.frames >= 60 for source in sources))
    for stream, source in enumerate(sources):
        assert short_name(source.connected_to) == names[stream]
        assert facts(source.metadata)["stream"] == str(stream)
        assert source.rebuilt == 0
        source.close()


def test_receivers_change_to_the_backup_by_themselves_when_a_sender_ends(name: str, other_side: Start) -> None:
    main = open_sink(f"ndi:{name}?failover={name} backup", (64, 48), 30.0)
    backup = NdiSink(f"{name} backup", 30.0)
    assert isinstance(main, NdiSink)
    receiver = other_side("receive", name, 60)
    pixels = np.zeros((48, 64, 4), np.uint8)
    sequence = 0
    while receiver.poll() is None:
        if main.sent < 20:
            main.publish(Frame(pixels, 0, "main", sequence))
        else:
            main.close()
        backup.publish(Frame(pixels, 0, "backup", sequence))
        sequence += 1
        time.sleep(1 / 60)
    backup.close()
    assert receiver.stdout is not None
    came_from = [facts(frame["metadata"])["source"] for frame in json.loads(receiver.stdout.read())]
    assert came_from == sorted(came_from, reverse=True)
    assert set(came_from) == {"main", "backup"}


def test_the_list_of_sources_has_a_sender_with_its_true_size(name: str, other_side: Start) -> None:
    other_side("send", name, 96, 64, 30)
    until(lambda: any(name in each.address for each in find_ndi(0.2)))
    (found,) = [each for each in find_ndi(0.5) if name in each.address]
    look = look_at(found.address, 20.0)
    assert look.size == (96, 64)
    assert look.frame is not None
    assert look.frame.pixels[18, 4, 0] < look.frame.pixels[18, 60, 0]


def test_the_list_of_sources_has_the_senders_of_every_program(name: str, other_side: Start) -> None:
    names = [f"{name} {side}" for side in "abc"]
    for each in names:
        other_side("send", each, 64, 48, 30)

    def all_listed() -> bool:
        listed = [found.address for found in find_ndi(2.0)]
        return all(any(each in address for address in listed) for each in names)

    until(all_listed, 60)


def test_a_sender_is_reached_by_its_address_without_a_search(name: str, other_side: Start) -> None:
    other_side("send", name, 64, 48, 30)
    finder = NdiFinder()
    until(lambda: finder.find(name))
    found = finder.find(name)
    finder.close()
    assert found is not None
    source = open_source(f"ndi:{name}?url={found.url}", (32, 32))
    assert isinstance(source, NdiSource)
    next_frame(source)
    source.close()


def test_an_address_of_a_sender_is_checked_before_anything_is_opened() -> None:
    for url in ("10.0.0.5", "10.0.0.5:port", ":5961", "10.0.0.5:70000"):
        with pytest.raises(UserError, match="url takes ip:port"):
            open_source(f"ndi:x?url={url}", (8, 8))


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ndi_runtime, "_loaded", None)
    monkeypatch.setitem(sys.modules, "NDIlib", None)
    for opener in (lambda: open_source("ndi:", (8, 8)), lambda: open_sink("ndi:x", (8, 8), 24.0)):
        with pytest.raises(UserError, match=rf"NDI is not installed .*; run: {re.escape(install_command('ndi'))}"):
            opener()
