"""The component and its process: started, crashed, left running, joined. The real process with a fake generator."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.live.processes import process_gone, workers
from tests.live.show import wait_until
from tests.real_parts import alone_on_this_machine, require_package
from tests.touchdesigner import ROOT
from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.studio import Studio, environment, free_port, ndi_on_loopback

FAKE = "--factory tests.live.fakes:make --size 64x64"


@pytest.fixture(scope="module", autouse=True)
def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    require_package("NDIlib", 'pip install "streamvace[ndi]"')
    with alone_on_this_machine("ndi"):
        environment(ndi_on_loopback(tmp_path_factory.mktemp("ndi")))
        yield


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def studio(td: FakeTouchDesigner, port: int) -> Iterator[Studio]:
    made = Studio(td)
    made.prepare(port, f"sv {uuid.uuid4().hex[:8]}".replace(" ", "-"), FAKE)
    yield made
    made.close()


def start(studio: Studio) -> int:
    """Press Start and wait for the process to generate; its id."""
    studio.press("Start")
    studio.until(lambda: studio.par("State") == "running", "running")
    studio.until(lambda: studio.par("Statusstate") == "live", "the generator too")
    return studio.pid


def test_start_runs_a_process_with_the_values_of_the_component(studio: Studio) -> None:
    studio.set(Contextscale=0.5, Prompt="a red sphere", Holdmode="pingpong")
    pid = start(studio)
    assert not process_gone(pid)
    assert ("/streamvace/context_scale", (0.5,)) in studio.sent
    assert ("/streamvace/prompt", ("a red sphere",)) in studio.sent
    assert ("/streamvace/context_scale", (0.5,)) in studio.heard
    studio.until(lambda: str(studio.par("Resultname")).endswith(f"({studio.par('Streamname')})"), "the sender's name")
    assert studio.said("streamvace is on")
    studio.press("Stop")
    studio.until(lambda: studio.par("State") == "stopped", "stopped")
    assert process_gone(pid)
    assert ("/streamvace/quit", ()) in studio.sent, "quit over OSC, not killed"


def test_a_killed_process_is_restarted_with_the_same_parameters(studio: Studio) -> None:
    pid = start(studio)
    studio.frame(lambda: studio.set(Seed=77))
    studio.frames(0.2)
    psutil.Process(pid).kill()
    studio.until(lambda: studio.par("State") == "restarting", "the crash seen")
    assert not studio.par("Connected")
    studio.sent.clear()
    studio.until(lambda: studio.par("Statusstate") == "live" and studio.par("State") == "running", "back")
    assert studio.pid != pid
    assert studio.par("Restarts") == 1
    assert ("/streamvace/seed", (77,)) in studio.sent
    assert studio.par("Seed") == 77


def test_a_killed_worker_is_restarted_by_the_process_itself(studio: Studio) -> None:
    pid = start(studio)
    [worker] = workers(pid)
    psutil.Process(worker).kill()
    studio.until(lambda: workers(pid) not in ([worker], []), "another worker")
    studio.until(lambda: studio.said("worker"), "a line about it")
    studio.until(lambda: studio.par("Statusstate") == "live", "its worker is back")
    assert (studio.par("State"), studio.pid, studio.par("Restarts")) == ("running", pid, 0)


def test_without_automatic_restart_a_crash_is_shown_and_start_recovers(studio: Studio) -> None:
    studio.set(Autorestart=False)
    psutil.Process(start(studio)).kill()
    studio.until(lambda: studio.par("State") == "failed", "failed")
    start(studio)


def test_an_error_that_the_user_must_fix_is_one_line_on_the_status_page(studio: Studio) -> None:
    studio.set(Options=str(studio.par("Options")).replace("64x64", "65x64"))
    studio.press("Start")
    studio.until(lambda: studio.par("State") == "failed", "failed")
    assert "multiples of 16" in str(studio.par("Message"))
    assert studio.par("Restarts") == 0


def test_quit_on_the_show_page_is_not_a_crash(studio: Studio) -> None:
    start(studio)
    studio.press("Quit")
    studio.until(lambda: studio.par("State") == "stopped", "stopped")
    assert studio.par("Restarts") == 0


def test_stop_while_the_model_loads_ends_the_process(studio: Studio) -> None:
    studio.press("Start")
    studio.until(lambda: studio.par("State") == "starting" and studio.pid, "the process")
    pid = studio.pid
    studio.press("Stop")
    studio.until(lambda: studio.par("State") == "stopped", "stopped")
    assert process_gone(pid)


def test_the_process_ends_with_touchdesigner(studio: Studio, td: FakeTouchDesigner) -> None:
    pid = start(studio)
    td.close()
    wait_until(lambda: process_gone(pid), "the process has ended")


def test_a_process_that_stays_is_joined_by_the_next_project(studio: Studio, td: FakeTouchDesigner, port: int) -> None:
    studio.set(Stay=True)
    pid = start(studio)
    studio.frame(lambda: studio.set(Seed=4321))
    studio.frames(0.3)
    td.close()
    next_project = Studio(td, name="next")
    try:
        next_project.set(Oscport=port)
        next_project.until(lambda: next_project.par("State") == "joined", "joined")
        next_project.until(lambda: next_project.par("Seed") == 4321, "its values")
        assert not process_gone(pid)
        next_project.press("Stop")
        next_project.until(lambda: next_project.par("State") == "stopped", "stopped")
        wait_until(lambda: process_gone(pid), "the process has ended")
    finally:
        next_project.close()


def test_a_reloaded_extension_keeps_its_process(studio: Studio) -> None:
    pid = start(studio)
    studio.component.par.reinitextensions.pulse()
    studio.until(lambda: studio.par("State") == "running", "running")
    assert studio.pid == pid
    studio.press("Stop")
    studio.until(lambda: studio.par("State") == "stopped", "stopped")
    assert process_gone(pid)


def test_two_components_have_two_processes(studio: Studio, td: FakeTouchDesigner) -> None:
    second = Studio(td, name="second")
    try:
        second.prepare(free_port(), f"{studio.par('Streamname')}-2", FAKE)
        first_pid, second_pid = start(studio), start(second)
        assert first_pid != second_pid
        second.frame(lambda: second.set(Seed=5))
        second.frames(0.7)
        assert studio.par("Seed") == 42
    finally:
        second.close()


HOST = """
import os, sys
from pathlib import Path
import psutil
sys.path += [os.path.join(os.getcwd(), "plugin"), os.getcwd()]
from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.studio import Studio
studio = Studio(FakeTouchDesigner(Path(sys.argv[1])))
studio.prepare(int(sys.argv[2]), sys.argv[3], sys.argv[4])
studio.press("Start")
studio.until(lambda: studio.par("State") == "running", "running")
print(studio.pid, flush=True)
psutil.Process().kill()
"""


def test_the_process_also_ends_when_touchdesigner_crashes(tmp_path: Path, port: int) -> None:
    crash = subprocess.run(
        [sys.executable, "-c", HOST, str(tmp_path), str(port), f"sv-{uuid.uuid4().hex[:8]}", FAKE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert crash.returncode != 0, crash.stderr
    wait_until(lambda: process_gone(int(crash.stdout)), "the process has ended")
