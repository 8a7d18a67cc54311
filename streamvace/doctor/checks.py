"""What works on this machine, and how to fix what does not: `streamvace doctor`.

`checks` judges what `facts.gather` saw and touches nothing itself, so that verdicts can be tested without machines.
"""

from __future__ import annotations

import json as json_format
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from streamvace.doctor.facts import Facts, gather
from streamvace.live.options import DEFAULT_OSC_PORT, DEFAULT_WEB_PORT
from streamvace.system.console import escaped, say
from streamvace.system.files import check_writable
from streamvace.system.fix_hints import command, install_command, pip_command

Status = Literal["ok", "warn", "missing"]

GIB = 2**30
NEEDED_BYTES = 3 * GIB
"""Free memory that a show with the embedded model fits in: two processes, each with its libraries loaded."""

NETWORKS = ("transformer", "context", "codec", "text")
"""The files of the embedded model, as `loading.load_embedded` reads them."""


@dataclass(frozen=True)
class Check:
    """One line of the report. essential: `streamvace run` does not start without it."""

    name: str
    status: Status
    found: str
    fix: str = ""
    essential: bool = False


@dataclass(frozen=True)
class Part:
    """An optional part of the installation, which is there if its packages are.

    extra: installs it. without: what is missing without it. absent: its status then. system: where it exists, as
    `sys.platform` calls it; "" is everywhere.
    """

    name: str
    extra: str
    packages: tuple[str, ...]
    without: str
    absent: Status = "warn"
    system: str = ""

    def judge(self, facts: Facts) -> Check | None:
        if self.system not in ("", facts.system):
            return None
        if set(self.packages) <= set(facts.packages):
            return Check(self.name, "ok", "installed")
        return Check(
            self.name, self.absent, f"not installed: {self.without}", install_command(self.extra, facts.bootstrapped)
        )


SPOUT = Part("Spout", "spout", ("SpoutGL",), "no Spout (needs Python 3.10 to 3.13)", "missing", "win32")
SYPHON = Part("Syphon", "syphon", ("syphon",), "no Syphon", "missing", "darwin")
LINK = Part("Ableton Link", "link", ("aalink",), "no changes on the beat")
MIDI = Part("MIDI", "midi", ("rtmidi2",), "no MIDI devices, no MIDI clock")
SOUND = Part("Sound", "sound", ("miniaudio",), "no sound for modulators")
SCREENS = Part("Screens", "screen", ("mss",), "no screen as an input")
VISION = Part(
    "Live controls", "vision", ("ai_edge_litert", "onnxruntime"), "no pose control, no person or detector mask"
)


def _python(facts: Facts) -> Check:
    found = ".".join(map(str, facts.python)) + f", {facts.bits} bit"
    if facts.python >= (3, 10, 0) and facts.bits == 64:
        return Check("Python", "ok", found)
    fix = "install 64-bit Python 3.11 from python.org, delete .venv, and run: python plugin/bootstrap.py run"
    return Check("Python", "missing", found, fix, essential=True)


def _torch(facts: Facts) -> Check:
    if not facts.torch:
        return Check("PyTorch", "missing", facts.torch_error or "not installed", _install(facts), essential=True)
    build = f"{facts.torch} ({f'CUDA {facts.torch_cuda}' if facts.torch_cuda else 'no CUDA'})"
    if facts.nvidia_seen and not facts.torch_cuda:
        # the bootstrap knows the limits of the driver and the card
        plain, index = facts.torch.partition("+")[0], "https://download.pytorch.org/whl/cu130"
        fix = _install(facts) if facts.bootstrapped else _reinstall(facts, f"torch=={plain} --index-url {index}")
        return Check("PyTorch", "warn", f"{build}, on a machine with an NVIDIA card", fix)
    if facts.nvidia_seen and not facts.devices:
        found = ": ".join(filter(None, (f"{build} cannot use the NVIDIA card", facts.torch_error)))
        return Check("PyTorch", "warn", found, f"update the NVIDIA driver to one for CUDA {facts.torch_cuda} or newer")
    return Check("PyTorch", "ok", build)


def _install(facts: Facts) -> str:
    return "python plugin/bootstrap.py install" if facts.bootstrapped else _reinstall(facts, "streamvace")


def _reinstall(facts: Facts, package: str) -> str:
    return pip_command("--force-reinstall", *package.split(), python=facts.executable)


def _devices(facts: Facts) -> Check:
    if not facts.devices:
        return Check("GPU", "warn", "none: the embedded model runs on the CPU, the large models need a GPU")
    lines = [
        f"{device.name}, {device.free / GIB:.1f} of {device.total / GIB:.1f} GiB free" if device.total else device.name
        for device in facts.devices
    ]
    return Check("GPU", "ok", "; ".join(lines))


def _attention(facts: Facts) -> Check | None:
    if facts.attention_error and facts.torch:
        fix = command("run --attention sdpa", facts.bootstrapped)
        return Check("Attention", "warn", facts.attention_error, f"run: {fix}")
    # ok even if a faster kernel is not installed: that is a choice, not a fault
    return Check("Attention", "ok", " | ".join(facts.attention)) if facts.attention else None


def _speed(facts: Facts) -> Check | None:
    if facts.speed_error and facts.torch:
        return Check("Speed", "warn", f"no estimate ({facts.speed_error})")
    if not facts.speed:
        return None
    return Check("Speed", "ok", f"estimated, not measured: {' | '.join(facts.speed)}")


def _memory(facts: Facts) -> Check:
    if facts.free_memory is None:
        return Check("Memory", "ok", "free memory is unknown on this system")
    found = f"{facts.free_memory / GIB:.1f} GiB free"
    if facts.free_memory < NEEDED_BYTES:
        return Check("Memory", "warn", f"{found}, a show needs {NEEDED_BYTES / GIB:.0f} GiB", "close other programs")
    return Check("Memory", "ok", found)


def _weights(facts: Facts) -> Check:
    absent = [name for name in NETWORKS if name not in facts.weights]
    if not absent and not facts.weights_error:
        return Check("Embedded model", "ok", f"complete: {', '.join(facts.weights)}")
    found = facts.weights_error or f"no weights of {', '.join(absent)} in this installation"
    fix = "git checkout -- streamvace/embedded/weights" if facts.checkout else _reinstall(facts, "streamvace")
    return Check("Embedded model", "missing", found, fix, essential=True)


def _opencv(facts: Facts) -> Check:
    if facts.opencv:
        return Check("OpenCV", "ok", facts.opencv)
    fix = _reinstall(facts, "opencv-python-headless")
    return Check("OpenCV", "missing", facts.opencv_error or "not installed", fix, essential=True)


def _video_files(facts: Facts) -> Check:
    if facts.av_error:
        return Check("Video files", "missing", facts.av_error, _reinstall(facts, "av"), essential=True)
    h264 = next((name for name in facts.encoders if "264" in name), "")
    if not h264:
        return Check("Video files", "warn", "no H.264 encoder: videos are written as MPEG-4", _reinstall(facts, "av"))
    return Check("Video files", "ok", f"read and write, H.264 by {h264}")


def _display(facts: Facts) -> Check:
    if facts.display:
        return Check("Window", "ok", f"a display was found; OpenGL by {facts.opengl}")
    fix = f"watch the web preview, or run: {command('run --output ndi:NAME', facts.bootstrapped)}"
    return Check("Window", "warn", "no display", fix)


def _ndi(facts: Facts) -> Check:
    if facts.ndi:
        return Check("NDI", "ok", facts.ndi)
    return Check("NDI", "missing", facts.ndi_error or "not installed", install_command("ndi", facts.bootstrapped))


def _live_controls(facts: Facts) -> Check | None:
    part = VISION.judge(facts)
    if part is None or part.status != "ok":
        return part
    if facts.networks_error:
        return Check(VISION.name, "warn", facts.networks_error, "first fix what is missing in the other lines")
    if facts.networks_missing:
        found = f"{len(facts.networks_missing)} networks of pose, depth, flow and masks are not downloaded"
        return Check(VISION.name, "warn", found, command("models pull vision", facts.bootstrapped))
    return part


def _osc(facts: Facts) -> Check:
    where = f"UDP port {facts.osc_port}"
    if facts.osc_free:
        return Check("OSC", "ok", f"{where} is free")
    fix = f"run with a free port: {command('run --osc-port 0', facts.bootstrapped)}"
    return Check("OSC", "warn", f"{where} is in use, perhaps by another streamvace", fix)


def _web(facts: Facts) -> Check:
    where = f"TCP port {facts.web_port}"
    if facts.web_free:
        return Check("Web preview", "ok", f"{where} is free")
    return Check("Web preview", "warn", f"{where} is in use", "not needed: run uses the next free port")


CHECKS: tuple[Callable[[Facts], Check | None], ...] = (
    *(_python, _torch, _devices, _attention, _speed, _memory, _weights, _opencv, _live_controls, _video_files),
    *(_display, _ndi, SPOUT.judge, SYPHON.judge, LINK.judge, MIDI.judge, SOUND.judge, SCREENS.judge, _osc, _web),
)
"""In the order of the report: what everything else needs comes first."""


def checks(facts: Facts) -> list[Check]:
    """The verdict on every part that exists on this system."""
    return [check for judge in CHECKS if (check := judge(facts)) is not None]


def can_run(report: list[Check]) -> bool:
    """Whether `streamvace run` would start."""
    return not any(check.essential and check.status == "missing" for check in report)


def run_doctor(json: bool, file: Path | None = None) -> int:
    """Print the report; 0 if `streamvace run` would start, 1 otherwise. file: see `doctor/report.py`; it is replaced.

    Raises UserError if the file cannot be written.
    """
    if file is not None:
        check_writable(file, "report")
    facts = gather(DEFAULT_OSC_PORT, DEFAULT_WEB_PORT)
    report = checks(facts)
    if file is not None:
        from streamvace.doctor.report import write_report

        write_report(file, report)
        say(f"wrote {file}: read it, then send it with the question")
    good = can_run(report)
    if json:
        print(json_format.dumps({"can_run": good, "checks": [asdict(check) for check in report]}, indent=2))
        return 0 if good else 1
    from rich.console import Console
    from rich.text import Text

    colours = {"ok": "green", "warn": "yellow", "missing": "red"}
    console = Console(soft_wrap=True, highlight=False)  # a command must not be broken
    for check in report:
        # Text, not markup: a path or an error in brackets is not a style
        console.print(Text(f"{check.status:9}", colours[check.status]) + Text(escaped(f"{check.name:16}{check.found}")))
        if check.fix:
            console.print(Text(escaped(f"{'':9}{'Fix':16}{check.fix}")))
    run, again = command("run", facts.bootstrapped), command("doctor", facts.bootstrapped)
    console.print(f"Ready. Start with:  {run}" if good else f"Not ready. Fix what is missing, then run:  {again}")
    return 0 if good else 1
