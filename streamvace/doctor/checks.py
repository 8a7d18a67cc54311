"""What this machine can do, and how to mend what it cannot: `streamvace doctor`.

`checks` judges what `doctor_facts.gather` saw and touches nothing itself, so that every verdict can be tested on a
machine that does not exist.
"""

from __future__ import annotations

import json as json_format
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from streamvace.doctor.facts import Facts, gather
from streamvace.live.options import DEFAULT_OSC_PORT, DEFAULT_WEB_PORT
from streamvace.system.fix_hints import command, install

Status = Literal["ok", "warn", "missing"]

GIB = 2**30
NEEDED_BYTES = 3 * GIB
"""Free memory that a show with the embedded model is sure to fit in: two processes, each with its libraries loaded."""

NETWORKS = ("transformer", "context", "codec", "text")
"""The files of the embedded model, as `loading.load_embedded` reads them."""


@dataclass(frozen=True)
class Check:
    """One line of the report. `essential`: without it `streamvace run` does not start."""

    name: str
    status: Status
    found: str
    mend: str = ""
    essential: bool = False


def _python(facts: Facts) -> Check:
    found = ".".join(map(str, facts.python)) + f", {facts.bits} bit"
    good = facts.python >= (3, 10, 0) and facts.bits == 64
    mend = "" if good else "install 64-bit Python 3.11 or 3.12 from python.org and make a new .venv"
    return Check("Python", "ok" if good else "missing", found, mend, essential=True)


def _torch(facts: Facts) -> Check:
    if not facts.torch:
        return Check("PyTorch", "missing", facts.torch_error or "not installed", _install(facts), essential=True)
    build = f"{facts.torch} ({f'CUDA {facts.torch_cuda}' if facts.torch_cuda else 'no CUDA'})"
    if facts.nvidia_seen and not facts.torch_cuda:
        return Check("PyTorch", "warn", f"{build}, on a machine with an NVIDIA card", _cuda_torch(facts))
    if facts.nvidia_seen and not facts.devices:
        mend = f"update the NVIDIA driver to one for CUDA {facts.torch_cuda} or newer"
        return Check("PyTorch", "warn", f"{build} does not reach the NVIDIA card", mend)
    return Check("PyTorch", "ok", build)


def _install(facts: Facts) -> str:
    return "python plugin/bootstrap.py install" if facts.bootstrapped else "pip install --force-reinstall streamvace"


def _cuda_torch(facts: Facts) -> str:
    if facts.bootstrapped:
        return "python plugin/bootstrap.py install"  # it knows the driver's and the card's limits
    plain = facts.torch.partition("+")[0]
    return f"pip install --force-reinstall torch=={plain} --index-url https://download.pytorch.org/whl/cu130"


def _devices(facts: Facts) -> Check:
    if not facts.devices:
        return Check("GPU", "warn", "none: the embedded model runs on the CPU, the large models need a GPU")
    told = [
        f"{device.name}, {device.free / GIB:.1f} of {device.total / GIB:.1f} GiB free" if device.total else device.name
        for device in facts.devices
    ]
    return Check("GPU", "ok", "; ".join(told))


def _attention(facts: Facts) -> Check | None:
    if facts.attention_error:
        return Check("Attention", "warn", facts.attention_error, "run with --attention sdpa")
    if not facts.attention:
        return None
    # A faster kernel is a choice, not a fault: what there is works.
    return Check("Attention", "ok", " | ".join(facts.attention))


def _memory(facts: Facts) -> Check:
    if facts.free_memory is None:
        return Check("Memory", "ok", "the system does not tell")
    found = f"{facts.free_memory / GIB:.1f} GiB free"
    if facts.free_memory < NEEDED_BYTES:
        return Check("Memory", "warn", f"{found}, {NEEDED_BYTES / GIB:.0f} GiB is comfortable", "close other programs")
    return Check("Memory", "ok", found)


def _display(facts: Facts) -> Check:
    if facts.display:
        return Check("Window", "ok", "a display is there")
    return Check("Window", "warn", "no display", "watch the web preview, or send with --output ndi:NAME")


def _ndi(facts: Facts) -> Check:
    if facts.ndi:
        return Check("NDI", "ok", facts.ndi)
    return Check("NDI", "missing", facts.ndi_error or "not installed", install("ndi", facts.bootstrapped))


def _spout(facts: Facts) -> Check | None:
    if facts.system != "win32":
        return None
    mend = "" if facts.spout else f"{install('spout', facts.bootstrapped)} (Python 3.10 to 3.13)"
    return Check("Spout", "ok" if facts.spout else "missing", "installed" if facts.spout else "not installed", mend)


def _syphon(facts: Facts) -> Check | None:
    if facts.system != "darwin":
        return None
    mend = "" if facts.syphon else install("syphon", facts.bootstrapped)
    return Check("Syphon", "ok" if facts.syphon else "missing", "installed" if facts.syphon else "not installed", mend)


def _link(facts: Facts) -> Check:
    if facts.link:
        return Check("Ableton Link", "ok", "installed")
    found = "not installed: no changes on the beat"
    return Check("Ableton Link", "warn", found, install("link", facts.bootstrapped))


def _screens(facts: Facts) -> Check:
    if facts.screen:
        return Check("Screens", "ok", "can be inputs")
    return Check("Screens", "warn", "mss not installed: no screen as input", install("screen", facts.bootstrapped))


def _vision(facts: Facts) -> Check:
    """What makes the pose control, the person and the detector mask possible, and depth, scribble and flow better."""
    absent = [name for name in ("ai_edge_litert", "onnxruntime") if name not in facts.vision]
    if absent:
        found = f"{', '.join(absent)} not installed: no pose control, person or detector mask"
        return Check("Live controls", "warn", found, install("vision", facts.bootstrapped))
    if facts.vision_missing:
        found = f"not fetched: {', '.join(facts.vision_missing)}"
        return Check("Live controls", "warn", found, command("models pull vision", facts.bootstrapped))
    return Check("Live controls", "ok", "pose, person, detector, depth, scribble and flow networks")


def _video_files(facts: Facts) -> Check:
    if facts.av_error:
        return Check("Video files", "missing", facts.av_error, "pip install --force-reinstall av", essential=True)
    h264 = [name for name in facts.encoders if "264" in name]
    if not h264:
        return Check("Video files", "warn", "no H.264 encoder: files are MPEG-4", "pip install --force-reinstall av")
    return Check("Video files", "ok", f"read and write, H.264 by {h264[0]}")


def _opencv(facts: Facts) -> Check:
    if facts.opencv:
        return Check("OpenCV", "ok", facts.opencv)
    mend = "pip install --force-reinstall opencv-python-headless"
    return Check("OpenCV", "missing", facts.opencv_error or "not installed", mend, essential=True)


def _osc(facts: Facts) -> Check:
    where = f"UDP port {facts.osc_port}"
    if facts.osc_free:
        return Check("OSC", "ok", f"{where} is free")
    return Check("OSC", "warn", f"{where} is in use, perhaps by another streamvace", "run with --osc-port 0")


def _web(facts: Facts) -> Check:
    where = f"TCP port {facts.web_port}"
    if facts.web_free:
        return Check("Web preview", "ok", f"{where} is free")
    return Check("Web preview", "warn", f"{where} is in use", "nothing to do: run takes the next free port")


def _weights(facts: Facts) -> Check:
    absent = [name for name in NETWORKS if name not in facts.weights]
    if not absent and not facts.weights_error:
        return Check("Embedded model", "ok", ", ".join(facts.weights))
    found = facts.weights_error or f"no weights of {', '.join(absent)} in this installation"
    mend = (
        "git checkout -- streamvace/embedded/weights" if facts.checkout else "pip install --force-reinstall streamvace"
    )
    return Check("Embedded model", "missing", found, mend, essential=True)


CHECKS: tuple[Callable[[Facts], Check | None], ...] = (
    _python,
    _torch,
    _devices,
    _attention,
    _memory,
    _weights,
    _opencv,
    _vision,
    _video_files,
    _display,
    _ndi,
    _spout,
    _syphon,
    _link,
    _screens,
    _osc,
    _web,
)
"""In the order of the report: first what everything rests on."""


def checks(facts: Facts) -> list[Check]:
    """The verdict on every part that applies to this platform."""
    return [check for judge in CHECKS if (check := judge(facts)) is not None]


def can_run(report: list[Check]) -> bool:
    """Whether `streamvace run` would start."""
    return not any(check.essential and check.status == "missing" for check in report)


def run_doctor(json: bool) -> int:
    """Print the report; 0 when the main job can run, 1 otherwise."""
    facts = gather(DEFAULT_OSC_PORT, DEFAULT_WEB_PORT)
    report = checks(facts)
    good = can_run(report)
    if json:
        print(json_format.dumps({"can_run": good, "checks": [asdict(check) for check in report]}, indent=2))
        return 0 if good else 1
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"ok": "green", "warn": "yellow", "missing": "red"}
    table = Table(box=None, pad_edge=False)
    for heading in ("", "Part", "Found", "Mend"):
        table.add_column(heading)
    for check in report:
        # Text, not markup: a path or an error in brackets is not a style
        table.add_row(Text(check.status, colours[check.status]), Text(check.name), Text(check.found), Text(check.mend))
    console = Console()
    console.print(table)
    ready = f"Ready:  {command('run', facts.bootstrapped)}"
    console.print(ready if good else "Not ready: mend what is marked missing, then ask again.")
    return 0 if good else 1
