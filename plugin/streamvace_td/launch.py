"""From the component's settings to the command that starts the process. Nothing is run here."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from install_plan import clean_environment

from osc_schema import Parameter
from streamvace_td.osc_packet import Arguments

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """What the component's own page says, read on the main thread.

    folder: the streamvace folder. media: absolute, "" for the process's own. transport: spout, syphon or ndi. name:
    what the result is called. parameters: options for what only counts when a model is loaded. host_pid: end with this
    process, None to outlive it. host_folder: where TouchDesigner is installed, "" unknown.
    """

    folder: Path
    transport: str = "ndi"
    name: str = "streamvace"
    port: int = 7700
    parameters: tuple[str, ...] = ()
    size: str = ""
    options: str = ""
    media: str = ""
    python: str = ""
    host_pid: int | None = None
    host_folder: str = ""

    @property
    def control(self) -> str:
        """What the control picture is called."""
        return control_name(self.name)

    @property
    def log(self) -> Path:
        """One file a port: two components have two processes."""
        return self.folder / ".cache" / "touchdesigner" / f"streamvace-{self.port}.log"


def control_name(name: str) -> str:
    """The sender of the control picture that belongs to the result `name`; without spaces, for the console."""
    return f"{name}-control"


def command(settings: Settings, python: Path) -> list[str]:
    """The command line. Raises ValueError, one line, for options that cannot be read (an open quote)."""
    line = [str(python), "-m", "streamvace", "run"]
    line += ["--input", f"{settings.transport}:{settings.control}"]
    line += ["--output", f"{settings.transport}:{settings.name}"]
    line += ["--host", LOOPBACK, "--osc-port", str(settings.port), *settings.parameters]
    if settings.size.strip():
        line += ["--size", settings.size.strip()]
    if settings.media:
        line += ["--media", settings.media]
    if settings.host_pid is not None:
        line += ["--end-with", str(settings.host_pid)]
    try:
        # A backslash is no escape where it separates folders.
        more = shlex.split(settings.options, posix=sys.platform != "win32")
    except ValueError as problem:
        raise ValueError(f"More Options {settings.options!r}: {problem}") from None
    return line + [part.strip('"') if sys.platform == "win32" else part for part in more]


def options(row: Parameter, arguments: Arguments) -> tuple[str, ...]:
    """A parameter's value as `streamvace run` takes it: `--pipeline longlive`, `--no-control`."""
    name = row.name.replace("/", "-").replace("_", "-")
    if row.type == "bool":
        return (f"--{name}" if arguments[0] else f"--no-{name}",)
    return (f"--{name}", str(arguments[0]))


def environment(settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of the process: TouchDesigner's own Python and libraries are none of its business."""
    clean = clean_environment(env)
    clean["PYTHONUNBUFFERED"] = "1"  # the log is read while it is written
    clean["PYTHONIOENCODING"] = "utf-8:replace"
    if settings.host_folder:
        host = os.path.normcase(os.path.normpath(settings.host_folder))
        paths = clean.get("PATH", "").split(os.pathsep)
        kept = [path for path in paths if not os.path.normcase(os.path.normpath(path)).startswith(host)]
        clean["PATH"] = os.pathsep.join(kept)
    return clean


def remote_command(settings: Settings) -> str:
    """What to type on the other machine, in words for a console."""
    return (
        f"streamvace run --host 0.0.0.0 --osc-port {settings.port} --input {settings.transport}:{settings.control} "
        f"--output {settings.transport}:{settings.name}"
    )
