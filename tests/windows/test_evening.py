"""An evening on Windows, as a user has it: names in other scripts, keys, hard ends, the ports of a show before.

Runs on Windows, and under Wine by `python -m tests.windows.run`.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from streamvace.live.offline.render import RenderOptions, render_clip
from streamvace.osc.codec import encode_message
from streamvace.osc.framing import Framing, frame
from streamvace.video.film.decode import file_info
from tests.live.processes import process_gone, workers
from tests.live.running import Running, Start
from tests.live.show import PATIENCE_S, wait_until
from tests.windows.console import InAConsole

pytestmark = [
    pytest.mark.windows,
    pytest.mark.skipif(sys.platform != "win32", reason="an evening on Windows; `python -m tests.windows.run` has one"),
]

FOLDER = "Bühne 舞台 mit Leerzeichen"
OUTSIDE = (r"\\server\share\clip.mp4", r"\\?\C:\clip.mp4", r"C:clip.mp4", r"\clip.mp4", "aux.mp4")
FIVE_SECONDS = 5.0
"""Windows' own limit for the handler of a closed console and for the end of a session."""

SILENT = ("--output", "null", "--no-web")
WITH_PAGE = ("--output", "null", "--web-port", "0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where everything of the evening lies: a name with an umlaut, Japanese and spaces."""
    place = tmp_path / FOLDER
    place.mkdir()
    return place


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts shows in `folder`, and checks at the end that none of them left a process."""
    started: list[Running] = []

    def begin(*options: str, factory: str = "make", kind: type[Running] = Running) -> Running:
        started.append(kind(folder, *options, factory=factory))
        return started[-1]

    yield begin
    for show in started:
        children = psutil.Process(show.process.pid).children(recursive=True) if not show.ended else []
        show.process.kill()
        show.finish()
        wait_until(lambda all_=children: all(process_gone(each.pid) for each in all_), "nothing left")  # type: ignore[misc]


def worker_of(show: Running) -> int:
    """The process id of the show's worker."""
    (worker,) = workers(show.process.pid)
    return worker


def quit_whole(show: Running) -> None:
    show.osc("/streamvace/quit")
    assert show.finish() == 0, show.lines
    assert "Traceback" not in "\n".join(show.lines)


def port_of(show: Running) -> int:
    found = show.said(r"OSC in\s+port (\d+)")
    assert found is not None
    return int(found[1])


def written(file: Path) -> int:
    """Bytes in it; none while there is no such file."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def filming(start: Start, folder: Path) -> tuple[InAConsole, Path]:
    """A show in a console of its own, whose film has its first picture; and the path of the film."""
    film = folder / "Abend 夜.mp4"
    show = start("--output", str(film), "--no-web", kind=InAConsole)
    assert isinstance(show, InAConsole)
    show.wait_ready()
    wait_until(lambda: written(film.with_name("Abend 夜.part.mp4")) > 0, f"the first picture; {show.lines}")
    return show, film


def test_the_page_answers_and_osc_arrives_over_udp_and_over_tcp(start: Start) -> None:
    show = start(*WITH_PAGE)
    show.wait_ready()
    with urllib.request.urlopen(show.page, timeout=PATIENCE_S) as answer:
        assert b"streamvace" in answer.read()
    show.osc("/streamvace/prompt", "eine Brücke über den Fluß, 橋")
    wait_until(lambda: show.figures()["prompt"] == "eine Brücke über den Fluß, 橋", f"over UDP; {show.lines}")
    for framing in Framing:
        with socket.create_connection(("127.0.0.1", port_of(show)), timeout=PATIENCE_S) as connection:
            connection.sendall(frame(encode_message("/streamvace/prompt", framing.name), framing))
            wait_until(lambda name=framing.name: show.figures()["prompt"] == name, f"over TCP; {show.lines}")  # type: ignore[misc]
    quit_whole(show)


def test_a_film_is_recorded_over_osc_under_a_name_in_another_script(start: Start, folder: Path) -> None:
    show = start(*SILENT, "--media", str(folder / "Medien"))
    show.wait_ready()
    show.osc("/streamvace/record_file", "Aufnahme für 東京.mp4")
    show.osc("/streamvace/record", True)
    part = folder / "Medien" / "Aufnahme für 東京.part.mp4"
    wait_until(lambda: written(part) > 0, f"the first picture is written; {show.lines}")
    show.osc("/streamvace/record", False)
    film = folder / "Medien" / "Aufnahme für 東京.mp4"
    wait_until(film.exists, f"the film is finished; {show.lines}")
    quit_whole(show)
    assert file_info(film).frames > 0
    assert show.stats()["recordings"] == 1


def test_a_cue_is_stored_and_a_second_show_has_it(start: Start, folder: Path) -> None:
    first = start(*SILENT, "--media", str(folder))
    first.wait_ready()
    first.osc("/streamvace/prompt", "a red sphere")
    first.osc("/streamvace/cue/store", "Dämmerung 夕暮れ")
    wait_until((folder / "cues.json").exists, f"the cue file; {first.lines}")
    quit_whole(first)
    second = start(*WITH_PAGE, "--media", str(folder))
    second.wait_ready()
    second.osc("/streamvace/cue/recall", "Dämmerung 夕暮れ")
    wait_until(lambda: second.figures()["prompt"] == "a red sphere", f"the cue; {second.lines}")
    quit_whole(second)


def test_a_cue_file_with_the_line_ends_and_the_mark_of_notepad_is_read(start: Start, folder: Path) -> None:
    row = {"name": "Nebel", "values": {"prompt": "fog"}}
    text = json.dumps({"version": 1, "cues": [row]}, indent=1).replace("\n", "\r\n")
    (folder / "cues.json").write_bytes(b"\xef\xbb\xbf" + text.encode())
    show = start(*WITH_PAGE, "--media", str(folder))
    show.wait_ready()
    show.osc("/streamvace/cue/recall", "Nebel")
    wait_until(lambda: show.figures()["prompt"] == "fog", f"the cue; {show.lines}")
    quit_whole(show)


def test_a_killed_worker_comes_back_and_the_output_goes_on(start: Start) -> None:
    show = start(*WITH_PAGE)
    show.wait_ready()
    killed = worker_of(show)
    psutil.Process(killed).kill()
    wait_until(lambda: show.figures()["worker_restarts"] == 1, f"the restart; {show.lines}")
    wait_until(lambda: show.figures()["state"] == "live", f"live again; {show.lines}")
    assert process_gone(killed)
    quit_whole(show)


def test_a_show_that_is_ended_in_the_task_manager_leaves_no_worker_and_no_port(start: Start) -> None:
    first = start(*SILENT)
    first.wait_ready()
    worker, port = worker_of(first), port_of(first)
    psutil.Process(first.process.pid).kill()
    wait_until(lambda: process_gone(worker), "the worker ended by itself")
    second = start(*SILENT, "--osc-port", str(port))
    second.wait_ready()
    quit_whole(second)


def test_a_second_show_on_the_port_is_refused_in_one_line(start: Start) -> None:
    first = start(*SILENT)
    first.wait_ready()
    second = start(*SILENT, "--osc-port", str(port_of(first)))
    assert second.finish() == 2
    assert len(second.lines) == 1, second.lines
    assert f"OSC port {port_of(first)}" in second.lines[0]
    quit_whole(first)


@pytest.mark.parametrize("press", [InAConsole.press_ctrl_c, InAConsole.press_ctrl_break], ids=["Ctrl-C", "Ctrl-Break"])
def test_a_key_ends_the_show_in_order_and_its_film_is_whole(
    start: Start, folder: Path, press: Callable[[InAConsole], None]
) -> None:
    show, film = filming(start, folder)
    press(show)
    assert show.finish() == 0, show.lines
    assert file_info(film).width == 64
    assert not any("Traceback" in line or "left out" in line for line in show.lines), show.lines


@pytest.mark.parametrize("ending", [InAConsole.close_console, InAConsole.log_off], ids=["console closed", "logged off"])
def test_when_windows_gives_it_five_seconds_its_film_and_its_figures_are_whole(
    start: Start, folder: Path, ending: Callable[[InAConsole], None]
) -> None:
    show, film = filming(start, folder)
    told = threading.Thread(target=ending, args=(show,))  # an answer may come only when the show has ended
    told.start()
    with suppress(subprocess.TimeoutExpired):
        show.process.wait(FIVE_SECONDS)
    show.process.kill()
    told.join()
    assert file_info(film).width == 64
    assert show.stats()["ticks"] > 0
    assert "Traceback" not in "\n".join(show.lines)


def test_names_over_osc_that_leave_the_media_folder_are_refused_each_in_a_line(start: Start, folder: Path) -> None:
    show = start(*SILENT, "--media", str(folder), "-i", "pattern")
    show.wait_ready()
    for count, name in enumerate(OUTSIDE, 1):
        show.osc("/streamvace/input/control", f"file:{name}")
        wait_until(lambda count=count: refusals(show) == count, f"{name!r} refused; said {show.lines}")  # type: ignore[misc]
    quit_whole(show)
    assert show.stats()["input_control"] == "pattern"


def refusals(show: Running) -> int:
    return sum(line.startswith("input file:") for line in show.lines)


def test_the_log_of_a_show_is_rendered_again_with_the_line_ends_of_windows(start: Start, folder: Path) -> None:
    log = folder / "Abend.jsonl"
    show = start(*SILENT, "--no-control", "--duration", "2", "--show-log", str(log))
    assert show.finish() == 0, show.lines
    log.write_bytes(log.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    again = folder / "noch einmal.mp4"
    assert render_clip(RenderOptions(None, again, show=log, factory="tests.live.fakes:make")) == 0
    assert file_info(again).frames > 0
