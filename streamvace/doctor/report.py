"""`streamvace doctor --report FILE`: one text file about this machine, to send in with a question.

It holds versions, devices, drivers and the checks' findings. It holds no name of a person or a host, and no path.
"""

from __future__ import annotations

import getpass
import platform
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import psutil

from streamvace import __version__
from streamvace.doctor.checks import GIB, Check
from streamvace.doctor.hardware import processor
from streamvace.system.console import escaped
from streamvace.system.paths import home_folder

_PATH = re.compile(r"""(?<![\w.:/\\])(?:[A-Za-z]:[\\/]|\\\\|~?/)[^"'()\[\]<>|;,\n]*""")
"""An absolute path, up to a character that ends it in a message. It may hold spaces, so words behind it go too."""

_SHORTEST_NAME = 3
"""Names of fewer letters stay: they are parts of other words."""

_NO_WINDOW = 0x08000000 if sys.platform == "win32" else 0
"""CREATE_NO_WINDOW."""


def write_report(path: Path, found: Sequence[Check]) -> None:
    """Write the report. found: the checks' results. Raises OSError."""
    path.write_text("".join(f"{line}\n" for line in report_lines(found, private_names())), "utf-8")


def report_lines(found: Sequence[Check], names: Sequence[str]) -> Iterator[str]:
    """The report, line by line. names: what must not appear in it."""
    yield f"streamvace {__version__}, report of `streamvace doctor`"
    yield f"Python {platform.python_version()} ({platform.python_implementation()}), {platform.platform()}"
    memory = psutil.virtual_memory().total / GIB
    yield f"{processor()}, {psutil.cpu_count(logical=False)} cores, {memory:.1f} GiB of memory"
    yield f"NVIDIA driver: {nvidia_driver() or 'none found'}"
    yield ""
    yield "CHECKS"
    for check in found:
        yield f"{check.status:9}{check.name:16}{anonymous(escaped(check.found), names)}"
    yield ""
    yield "LIBRARIES"
    yield from libraries()


def anonymous(text: str, names: Sequence[str]) -> str:
    """The text without absolute paths and without these names."""
    text = _PATH.sub("PATH", text)
    for name in names:
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "NAME", text, flags=re.IGNORECASE)
    return text


def private_names() -> list[str]:
    """The user's name, by account and by home folder, and the host's name, long and short."""
    home = home_folder()
    host = socket.gethostname()
    found = [host, host.partition(".")[0], "" if home is None else home.name]
    with suppress(OSError, KeyError):  # an account without a name, as in many containers
        found.append(getpass.getuser())
    return [name for name in dict.fromkeys(found) if len(name) >= _SHORTEST_NAME]


def nvidia_driver() -> str:
    """Version of the NVIDIA driver and names of the cards, as nvidia-smi says them; empty without it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    ask = [program, "--query-gpu=driver_version,name", "--format=csv,noheader"]
    try:
        done = subprocess.run(ask, capture_output=True, timeout=20, creationflags=_NO_WINDOW, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"nvidia-smi does not answer ({type(error).__name__})"
    return "; ".join(done.stdout.decode("utf-8", "replace").split("\n")).strip("; ")


def libraries() -> Iterator[str]:
    """Name and version of every library that streamvace asks for."""
    try:
        wanted = requires("streamvace") or []
    except PackageNotFoundError:
        yield "streamvace runs from its folder and is not installed: no list"
        return
    for name in sorted({re.split(r"[^\w.-]", each, maxsplit=1)[0].lower() for each in wanted} - {"streamvace"}):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name}: not installed"
