"""A whole show in one test: the embedded model, real OSC, real NDI both ways, a cue, two crashes, the end.

`python -m tests.touchdesigner.test_show` runs it and prints every OSC message.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.live.processes import process_gone, workers
from tests.real_parts import alone_on_this_machine, require_package
from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.studio import NdiWorld, Studio, environment, free_port, ndi_on_loopback

RESULT = "/project1/streamvace/receive_ndi"


@pytest.fixture
def studio(td: FakeTouchDesigner, tmp_path: Path) -> Iterator[Studio]:
    require_package("NDIlib", 'pip install "streamvace[ndi]"')
    with alone_on_this_machine("ndi"):
        made = set_up(td, tmp_path)
        yield made
        made.close()


def set_up(td: FakeTouchDesigner, folder: Path) -> Studio:
    environment(ndi_on_loopback(folder))
    (folder / "media").mkdir()
    disc = np.hypot(*np.mgrid[-1:1:128j, -1:1:128j]) < 0.5
    control = np.zeros((128, 128, 4), np.uint8)
    control[...] = np.where(disc[..., None], (220, 220, 220, 255), (40, 40, 40, 255))
    studio = Studio(td, NdiWorld(control))
    studio.prepare(free_port(), f"sv-{uuid.uuid4().hex[:8]}")
    studio.set(Media="media")
    return studio


def play(studio: Studio) -> None:
    # The project holds a look; the artist presses Start.
    studio.set(Prompt="glossy red sphere, black background", Contextscale=0.8, Seed=7)
    studio.press("Start")
    studio.until(lambda: studio.par("State") == "running", "running")
    studio.until(lambda: studio.par("Statusstate") == "live", "pictures")
    pid = studio.pid
    assert ("/streamvace/context_scale", (np.float32(0.8).item(),)) in studio.heard, (
        "the process holds the project's look"
    )

    # The control picture arrives in the process and the result here, under the name that the process reports.
    studio.until(lambda: studio.ndi is not None and studio.ndi.counts.get(RESULT, 0) > 10, "the result over NDI")
    assert studio.ndi is not None
    result = studio.ndi.received[RESULT].astype(int)
    assert result.shape == (64, 64, 4)
    studio.until(lambda: float(str(studio.par("Statuslatencyp50"))) > 0, "a control frame of ours shaped a picture")

    # A cue is stored, values change, the cue is recalled by the process and shown on every parameter.
    studio.frame(lambda: studio.set(Cuestorename="red", Cuerecallname="red"))
    studio.press("Cuestore")
    studio.until(lambda: "red" in studio.component.par.Cuerecallname.menuNames, "its name in the menu")
    studio.frame(lambda: studio.set(Prompt="neon blue cube", Contextscale=0.3, Seed=8))
    studio.frames(1.0)
    studio.sent.clear()
    studio.press("Cuerecall")
    studio.until(lambda: studio.par("Statuscue") == "red", "the cue recalled")
    studio.until(lambda: studio.par("Seed") == 7 and studio.par("Contextscale") == 0.8, "its values on the knobs")
    assert studio.par("Prompt") == "glossy red sphere, black background"
    studio.frames(1.0)
    assert [message for message in studio.sent if message[0] in ("/streamvace/seed", "/streamvace/prompt")] == []
    assert (Path(str(studio.td.project.folder)) / "media" / "cues.json").exists(), "kept beside the project"

    # The worker is killed: the process restarts it, and the output never stops.
    [worker] = workers(pid)
    psutil.Process(worker).kill()
    studio.until(lambda: workers(pid) not in ([worker], []), "another worker")
    before = studio.ndi.counts[RESULT]
    studio.until(lambda: studio.ndi is not None and studio.ndi.counts[RESULT] > before + 5, "pictures meanwhile")
    studio.until(lambda: studio.par("Statusstate") == "live", "its worker is back")
    assert (studio.pid, studio.par("Restarts")) == (pid, 0)

    # The whole process is killed: it is restarted, receives every value, and the pictures return.
    psutil.Process(pid).kill()
    studio.until(lambda: studio.par("State") == "restarting", "the crash seen")
    studio.until(lambda: studio.par("State") == "running" and studio.par("Statusstate") == "live", "back")
    assert studio.pid != pid
    assert (studio.par("Restarts"), studio.par("Seed")) == (1, 7)
    before = studio.ndi.counts[RESULT]
    studio.until(lambda: studio.ndi is not None and studio.ndi.counts[RESULT] > before + 5, "pictures again")

    # Stop ends the process.
    pid = studio.pid
    studio.press("Stop")
    studio.until(lambda: studio.par("State") == "stopped", "stopped")
    assert process_gone(pid)


def test_a_whole_show(studio: Studio) -> None:
    play(studio)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        stage = set_up(FakeTouchDesigner(Path(place)), Path(place))
        stage.show = lambda line: print(line[:140], flush=True)
        try:
            play(stage)
        finally:
            stage.close()
