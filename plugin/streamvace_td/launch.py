"""The command and environment of the process, from the component's settings. Runs nothing."""

from __future__ import annotations

import os
import re
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
    """The values of the component's first page, read on the main thread.

    folder: the streamvace folder. media: absolute path, "" for the process's default. transport: spout, syphon or ndi.
    name: sender name of the result. parameters: options that take effect only when a model is loaded. host_pid: the
    process ends with this one; None keeps it running. host_folder: TouchDesigner's installation, "" if unknown. python:
    a Python with streamvace installed; "" installs it into the folder's own environment, which is created with
    base_python ("" finds one). premultiplied: the colours of both pictures are multiplied by alpha.
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
    base_python: str = ""
    premultiplied: bool = False
    host_pid: int | None = None
    host_folder: str = ""

    @property
    def log(self) -> Path:
        """One file per port, because each component has a process of its own."""
        return self.folder / ".cache" / "touchdesigner" / f"streamvace-{self.port}.log"

    def connection(self, host: str) -> list[str]:
        """The options that a local and a remote process need to talk to the component. host: address to listen on."""
        alpha = "?premultiplied" if self.premultiplied else ""
        sender = f"{self.transport}:{self.name}"
        pictures = ["--input", f"{sender}-control{alpha}", "--output", f"{sender}{alpha}"]
        return ["--host", host, "--osc-port", str(self.port), *pictures]


def command(settings: Settings, python: Path) -> list[str]:
    """The command line. Raises ValueError with a one-line message if More Options cannot be parsed (open quote)."""
    line = [str(python), "-m", "streamvace", "run", *settings.connection(LOOPBACK), *settings.parameters]
    if settings.size.strip():
        line += ["--size", settings.size.strip()]
    if settings.media:
        line += ["--media", settings.media]
    if settings.host_pid is not None:
        line += ["--end-with", str(settings.host_pid)]
    return line + split_options(settings.options)


def split_options(text: str) -> list[str]:
    """More Options as a list, by the rules of this system's command line. Raises ValueError if a quote is left open."""
    try:
        return _split_by_windows(text) if sys.platform == "win32" else shlex.split(text)
    except ValueError as problem:
        raise ValueError(f"More Options {text!r}: {problem}; correct the quotes") from None


def _split_by_windows(text: str) -> list[str]:
    """Windows' own splitter: only double quotes group words, anywhere in a word; a backslash escapes only a quote."""
    import ctypes

    windll = ctypes.WinDLL  # type: ignore[attr-defined]  # absent where mypy checks for another system
    shell, kernel = windll("shell32"), windll("kernel32")
    shell.CommandLineToArgvW.argtypes = [ctypes.c_wchar_p, ctypes.POINTER(ctypes.c_int)]
    shell.CommandLineToArgvW.restype = ctypes.POINTER(ctypes.c_wchar_p)
    kernel.LocalFree.argtypes = [ctypes.c_void_p]
    count = ctypes.c_int()
    # The first word is a program and has rules of its own. The last shows a quote that swallows what follows.
    words = shell.CommandLineToArgvW(f"program {text} end", ctypes.byref(count))
    try:
        _program, *options, last = (str(words[index]) for index in range(count.value))
    finally:
        kernel.LocalFree(words)
    if last != "end":
        raise ValueError("No closing quotation")
    return options


def options(row: Parameter, arguments: Arguments) -> tuple[str, ...]:
    """A parameter's value as options of `streamvace run`: `--pipeline longlive`, `--no-control`."""
    name = row.name.replace("/", "-").replace("_", "-")
    if row.type == "bool":
        return (f"--{name}" if arguments[0] else f"--no-{name}",)
    return (f"--{name}", str(arguments[0]))


def environment(settings: Settings, env: Mapping[str, str]) -> dict[str, str]:
    """The environment of the process, without TouchDesigner's own Python and libraries."""
    clean = clean_environment(env)
    clean["PYTHONUNBUFFERED"] = "1"  # the component reads the log while it is written
    clean["PYTHONIOENCODING"] = "utf-8:replace"
    if settings.host_folder:
        host = os.path.normcase(os.path.normpath(settings.host_folder))
        paths = clean.get("PATH", "").split(os.pathsep)
        kept = [path for path in paths if not os.path.normcase(os.path.normpath(path)).startswith(host)]
        clean["PATH"] = os.pathsep.join(kept)
    return clean


def remote_command(settings: Settings) -> str:
    """The command line to type on the other machine. Double quotes work in every shell, also on Windows."""
    words = ["streamvace", "run", *settings.connection("0.0.0.0")]
    return " ".join(word if re.fullmatch(r"[\w.:-]+", word) else f'"{word}"' for word in words)
