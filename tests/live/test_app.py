"""What `streamvace run` promises, driven from outside: figures, an orderly end on every path, nothing left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest

import osc_schema
from streamvace.conditioning.controls import CUDA_CONTEXT, RAFT_FILE
from streamvace.conditioning.controls.networks import VISION
from streamvace.live.surfaces.status_feed import figure_of
from streamvace.models.manifest import FOLDER_VARIABLE
from streamvace.video.film.decode import file_info
from tests.live.running import ROOT, Start
from tests.live.show import wait_until

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def test_the_stage_starts_without_loading_a_model_s_libraries() -> None:
    code = """
import sys
import streamvace.live.app
loaded = {"torch", "pydantic", "scipy", "transformers", "rich.progress"} & set(sys.modules)
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_show_of_some_seconds_writes_its_figures_and_ends_by_itself(start: Start) -> None:
    show = start("--duration", "3", "--output", "null", "--no-web")
    assert show.finish() == 0, show.lines
    figures = show.stats()
    wanted = {"ticks", "missed", "repeated", "dropped", "interval_p50_ms", "interval_p99_ms", "chunks"}
    wanted |= {"chunk_p50_ms", "chunk_p95_ms", "worker_restarts", "latency_p50_ms", "latency_p95_ms", "fps", "state"}
    lists = {"cues", "outputs", "refused"}
    wanted |= {figure_of(row.address) for row in osc_schema.load() if row.access == "read"} - lists
    assert wanted <= set(figures)
    assert figures["state"] == "live"
    assert figures["worker_restarts"] == 0
    assert figures["source_frames"] > 0
    assert figures["chunks"] > 0
    assert figures["latency_p50_ms"] > 0
    # A picture is chosen before its tick is counted, and figures are taken while ticks go on.
    assert sum(figures[key] for key in ("fresh", "paced", "repeated", "slate")) >= figures["ticks"] > 0
    assert show.said("oscsend localhost")
    assert "prompts beside" in figures["model"], "a show does not stop while a text is encoded"


def test_a_worker_that_dies_in_the_show_comes_back_and_the_output_goes_on(start: Start) -> None:
    show = start("--output", "null", "--web-port", "0")
    show.wait_ready()
    show.osc("/streamvace/prompt", "crash")
    wait_until(lambda: show.said("worker: .*starting it again") is not None, f"the restart; said {show.lines}")
    show.osc("/streamvace/prompt", "a red sphere")
    page = show.said(r"watch\s+(http://\S+)")
    assert page is not None

    def running() -> bool:
        with urllib.request.urlopen(page[1] + "stats.json", timeout=30) as answer:
            return '"state": "live"' in answer.read().decode()

    wait_until(running, "running again")
    show.osc("/streamvace/quit")
    assert show.finish() == 0, show.lines
    figures = show.stats()
    assert figures["worker_restarts"] >= 1
    assert figures["faults"]["worker"] >= 1
    assert figures["ticks"] > figures["slate"]


def test_inputs_are_switched_over_osc_while_the_show_runs(start: Start) -> None:
    show = start("-i", "pattern:depth", "-i", "pattern:scene", "--output", "null", "--no-web", "--input-mask", "2")
    show.wait_ready()
    show.osc("/streamvace/input/control", "pattern:edges")
    show.osc("/streamvace/input/source", "file:/etc/passwd")
    wait_until(
        lambda: show.said("input file:/etc/passwd: .*outside the media folder") is not None,
        f"refused; said {show.lines}",
    )
    show.osc("/streamvace/input/control", 2.0)
    show.osc("/streamvace/input/control", "pattern:edges")
    show.osc("/streamvace/quit")
    assert show.finish() == 0, show.lines
    figures = show.stats()
    assert figures["input_mask"] == "pattern:scene"
    assert figures["chunks"] > 0
    chosen = sum(figures[key] for key in ("fresh", "paced", "repeated", "slate"))
    assert chosen >= figures["ticks"] > 0, "every tick had a picture; some may be under way when the show ends"


def test_a_show_is_recorded_over_osc_and_its_film_is_whole(start: Start, tmp_path: Path) -> None:
    show = start("--output", "null", "--no-web", "--media", str(tmp_path / "media"))
    show.wait_ready()
    show.osc("/streamvace/record_file", "take.mp4")
    show.osc("/streamvace/record", True)
    wait_until((tmp_path / "media" / "take.part.mp4").exists, "the film was begun")
    time.sleep(1)  # a film without a single frame is no file
    show.osc("/streamvace/record", False)
    wait_until((tmp_path / "media" / "take.mp4").exists, "the film is finished")
    show.osc("/streamvace/record", True)
    wait_until((tmp_path / "media" / "take-2.part.mp4").exists, "another one was begun")
    time.sleep(1)
    show.osc("/streamvace/quit")
    assert show.finish() == 0, show.lines
    figures = show.stats()
    assert (figures["recordings"], figures["record_dropped"]) == (2, 0)
    assert file_info(tmp_path / "media" / "take-2.mp4").frames > 0


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_show_in_order_and_its_film_is_whole(start: Start, tmp_path: Path, number: int) -> None:
    film = tmp_path / "film.mp4"
    show = start("--output", str(film), "--no-web")
    show.wait_ready()
    wait_until(lambda: film.with_name("film.part.mp4").exists(), "the film was begun")
    show.process.send_signal(number)
    assert show.finish() == 0, show.lines
    assert file_info(film).width == 64
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["film.mp4", "stats.json"]
    assert "Traceback" not in "\n".join(show.lines)


def test_a_show_ends_in_order_with_the_program_that_it_was_told_to_end_with(start: Start) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as host:
        show = start("--output", "null", "--no-web", "--end-with", str(host.pid))
        show.wait_ready()
        assert not show.ended
        host.kill()
    assert show.finish() == 0, show.lines
    assert show.stats()["state"] == "live"


def test_weights_that_cannot_be_read_are_one_line_and_nothing_is_written(start: Start, tmp_path: Path) -> None:
    show = start("--output", str(tmp_path / "film.mp4"), "--no-web", factory="make_refusing")
    assert show.finish() == 2
    assert show.lines == [
        "loading embedded ...",
        "streamvace: weights model.safetensors: unreadable; download them again",
    ]
    assert list(tmp_path.iterdir()) == []


def test_the_model_leaves_room_for_the_control_networks_that_are_installed(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run in the stage, whose CUDA context and tensors are on the model's card."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    network = tmp_path / VISION / RAFT_FILE
    network.parent.mkdir()
    network.write_bytes(b" " * 100)
    show = start("--output", "null", "--no-web", factory="make_asking")
    assert show.finish() == 2
    assert show.said(f"{CUDA_CONTEXT + 200} bytes are left")


def test_a_model_that_never_starts_ends_with_code_1_and_writes_nothing(start: Start, tmp_path: Path) -> None:
    show = start("--output", str(tmp_path / "film.mp4"), "--no-web", factory="make_broken")
    assert show.finish() == 1
    assert show.said("does not start: ZeroDivisionError: a bug")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "option", "word"), [(socket.SOCK_DGRAM, "--osc-port", "OSC"), (socket.SOCK_STREAM, "--web-port", "web")]
)
def test_a_port_in_use_is_one_line_with_the_fix(start: Start, kind: socket.SocketKind, option: str, word: str) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        show = start("--output", "null", option, str(port))
        assert show.finish() == 2
    assert len(show.lines) == 1, show.lines
    assert f"{word} port {port}" in show.lines[0]
    assert option in show.lines[0]


def test_the_default_web_port_moves_on_when_it_is_taken(start: Start) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        try:
            taken.bind(("127.0.0.1", 8700))
            taken.listen()
        except OSError:
            pass  # somebody else has it: as good
        show = start("--output", "web", "--duration", "0.1")
        assert show.finish() == 0, show.lines
    assert show.said("web port 8700 is in use, taking 87")


def test_the_stage_process_never_loads_torch() -> None:
    code = "import streamvace.live.app, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_no_thread_of_the_tests_is_left() -> None:
    assert not [each.name for each in threading.enumerate() if each.name in ("presenter", "engine", "source")]


def test_pictures_and_grabs_over_osc_in_a_running_show(start: Start, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    cv2.imwrite(str(media / "cat.png"), np.zeros((8, 8, 3), np.uint8))
    show = start("--media", str(media), "--references", "cat.png", "--output", "null", "--no-web")
    show.wait_ready()
    show.osc("/streamvace/reference/add", "../cat.png")
    show.osc("/streamvace/reference/grab", "input")
    wait_until(lambda: any((media / "grabs").glob("input-*.png")), "the grabbed picture is written")
    wait_until(lambda: show.said("outside the media folder") is not None, f"refused; said {show.lines}")
    show.osc("/streamvace/quit")
    assert show.finish() == 0, show.lines
    figures = show.stats()
    assert (figures["grabs"], figures["picture_faults"]) == (1, 1)
    assert figures["picture_loads"] >= 1


def test_a_picture_missing_at_the_start_is_one_line_before_anything_starts(start: Start, tmp_path: Path) -> None:
    show = start("--media", str(tmp_path), "--first-frame", "nothing.png", "--output", "null", "--no-web")
    assert show.finish() == 2
    assert len(show.lines) == 1
    assert "no file 'nothing.png'" in show.lines[0]
