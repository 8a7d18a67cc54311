"""Runs one long command: output to a log, progress while it runs, and a one-line error with the fix if it fails.

Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

BEAT_SECONDS = 10.0
"""Interval of the progress lines of a running step."""

NO_WINDOW = 0x08000000 if sys.platform == "win32" else 0
"""CREATE_NO_WINDOW: no console window flashes up when a host without a console starts a command."""


class BootstrapError(RuntimeError):
    """A one-line message with the fix. offline: the only cause is a missing network."""

    def __init__(self, line: str, offline: bool = False) -> None:
        super().__init__(line)
        self.offline = offline


class Cancelled(BootstrapError):
    """The user stopped the installation. Finished steps are kept; the next start continues from there."""


class Failure(NamedTuple):
    """A known failure: its pattern in pip's output, and the message for the user."""

    pattern: str
    line: str
    offline: bool = False


WRONG_HASH = "DO NOT MATCH THE HASHES"
"""pip's words for a file that is not the one of the lock."""

FAILURES = (
    Failure(
        r"No space left on device|\[Errno 28\]|not enough space on the disk|WinError 112",
        "the disk is full: free about {disk:.0f} GB on the project's drive, then run this again",
    ),
    Failure(
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "this network inspects encrypted traffic: give pip its certificate "
        "(pip config set global.cert FILE), then run this again",
    ),
    Failure(
        r"407 Proxy|ProxyError|Tunnel connection failed",
        "the proxy refused the download: set HTTPS_PROXY=http://user:password@host:port, then run this again",
    ),
    Failure(
        r"WinError 206|Long Path support|filename or extension is too long",
        "a path is too long for Windows: move the project to a short folder such as C:\\streamvace, "
        "then run this again",
    ),
    Failure(
        r"WinError 5\b|WinError 32\b|Access is denied|being used by another process|PermissionError|\[Errno 13\]",
        "a file is in use or the folder is read-only: close streamvace and TouchDesigner "
        "(or move the project to a folder of your own), then run this again",
    ),
    Failure(
        r"No matching distribution found for torch\b",
        "PyTorch {torch} has no build for this Python ({python}): install 64-bit Python 3.11 or 3.12 from python.org, "
        "delete .venv, then run this again",
    ),
    Failure(
        r"NewConnectionError|Name or service not known|name resolution|getaddrinfo failed|ConnectTimeout|"
        r"Read timed out|ReadTimeoutError|Network is unreachable|Connection refused|ConnectionResetError|"
        r"IncompleteRead|Connection broken",
        "the download failed: check the network, then run this again (it continues where it stopped)",
        offline=True,
    ),
    Failure(
        WRONG_HASH,
        "a downloaded library is not the one that was tested: run this again; if that does not help, ask whoever runs "
        "the package index that pip is set up with",
    ),
    Failure(
        r"Microsoft Visual C\+\+ 14|Failed building wheel|Failed to build|subprocess-exited-with-error",
        "a library has no wheel for this Python ({python}): install 64-bit Python 3.11 or 3.12 "
        "from python.org, delete .venv, then run this again",
    ),
    Failure(
        r"WinError 126|WinError 1114|DLL load failed",
        "a Windows library is missing: install https://aka.ms/vs/17/release/vc_redist.x64.exe, then run this again",
    ),
    Failure(
        r"ResolutionImpossible|conflicting dependencies",
        "the required libraries conflict: update the project (git pull), then run this again",
    ),
)
"""Tried in this order: causes before symptoms, as a full disk also breaks connections."""


def failure(output: str, code: int, *, python: str, torch: str, disk: float, log: Path) -> BootstrapError:
    """The error for a failed step, from its output and exit code. disk: GB the installation needs."""
    for known in FAILURES:
        if re.search(known.pattern, output):
            line = known.line.format(python=python, torch=torch, disk=disk)
            return BootstrapError(f"{line} [details: {log}]", known.offline)
    if code in (-9, 137):
        cause = "the system stopped the installation, usually because memory ran out: close other programs, try again"
        return BootstrapError(f"{cause} [details: {log}]")
    errors = [text.strip() for text in output.splitlines() if re.match(r"\s*(ERROR|error|\w*Error):", text)]
    cause = errors[-1] if errors else f"the step ended with code {code}"
    return BootstrapError(f"{cause} [details: {log}]")


def doing(output: str) -> str:
    """What pip is doing, in a few words, from the end of its output."""
    for line in reversed(output.splitlines()):
        if found := re.match(r"\s*Downloading (?:\S*/)?([A-Za-z0-9_.]+?)-\d\S* \(([^)]+)\)", line):
            return f"downloading {found[1]} ({found[2]})"
        if found := re.match(r"\s*(?:Collecting|Building wheels? for collected packages:?) ([A-Za-z0-9_.-]+)", line):
            return f"resolving {found[1]}"
        if line.startswith("Installing collected packages"):
            return "unpacking"
    return "working"


def run_logged(
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path,
    env: Mapping[str, str],
    beat: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> tuple[int, str]:
    """Run a command to its end and append its output to `log`. Returns the exit code and this command's output.

    beat: called every BEAT_SECONDS with what pip is doing. Raises Cancelled, and BootstrapError if it cannot start.
    """
    with log.open("ab") as out:
        out.write(("\n$ " + " ".join(command) + "\n").encode("utf-8", "replace"))
        out.flush()
        start = out.tell()
        try:
            # A file, not a pipe: a full pipe would block the child.
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=dict(env),
                creationflags=NO_WINDOW,
                start_new_session=True,  # pip has children of its own; see _end
            )
        except OSError as error:
            raise BootstrapError(f"cannot start {command[0]}: {error.strerror or error}") from error
        try:
            _wait(child, lambda: beat(doing(_tail(log, start))), cancelled)
        except BaseException:
            _end(child)
            raise
    return child.returncode, _tail(log, start)


def _wait(child: subprocess.Popen[bytes], beat: Callable[[], None], cancelled: Callable[[], bool]) -> None:
    due = time.monotonic() + BEAT_SECONDS
    while True:
        try:
            child.wait(timeout=0.2)
            return
        except subprocess.TimeoutExpired:
            pass
        if cancelled():
            raise Cancelled("stopped; start again to continue from here")
        if time.monotonic() >= due:
            due += BEAT_SECONDS
            beat()


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the command and its children: a pip that keeps running would still write into the environment."""
    if sys.platform == "win32":
        tree = ["taskkill", "/F", "/T", "/PID", str(child.pid)]
        subprocess.run(tree, capture_output=True, stdin=subprocess.DEVNULL, creationflags=NO_WINDOW)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as text:
        text.seek(start)
        return text.read().decode("utf-8", "replace")
