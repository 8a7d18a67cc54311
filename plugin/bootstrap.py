"""Installs and starts streamvace from a fresh checkout in one command. Standard library only, Python 3.10 or newer.

    python plugin/bootstrap.py run        install what is missing, then start
    python plugin/bootstrap.py test       install what is missing, then run the tests

As a module: `ensure()` installs without printing and returns the environment's Python.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - an older Python must still parse this file up to here
    sys.exit("streamvace needs 64-bit Python 3.10 to 3.14; this one is older: install 3.11 or 3.12 from python.org")

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

# A host that loads this file by its path (a TouchDesigner DAT) does not have plugin/ on its module path.
if str(Path(__file__).resolve().parent) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parent))

from install_plan import clean_environment
from installer import ROOT, Progress, ensure
from pip_step import BootstrapError, Cancelled

__all__ = ["BootstrapError", "Cancelled", "Progress", "ensure", "main"]

HELP = """\
streamvace: live, controllable video generation for VJs.

  python plugin/bootstrap.py run [options]      install what is missing, then start the live generator
  python plugin/bootstrap.py test [options]     install what is missing, then run the tests (options go to pytest)
  python plugin/bootstrap.py doctor [options]   check this machine, and show how to fix what does not work
  python plugin/bootstrap.py install [extras]   only install; extras: wan (official weights), vision (pose, masks), test
  python plugin/bootstrap.py WORD [options]     render, bench, sources, card, midi, dmx, cues, surfaces, models,
                                               train, evaluate or parity

Examples:
  python plugin/bootstrap.py run                          a moving pattern controls the embedded model
  python plugin/bootstrap.py run --help                   every option of the live generator
  python plugin/bootstrap.py run --input clip.mp4         your own clip controls it

The first start downloads 0.4 GB (CPU) to 3 GB (NVIDIA) into .venv; later starts download nothing. An interrupted
installation continues where it stopped. To start over, delete .venv. To choose the PyTorch build yourself, set
STREAMVACE_TORCH to cpu, cu126 or cu130 and run install. pip's configuration (proxy, mirror) applies.
"""


@dataclass(frozen=True)
class Command:
    """What a command installs and starts. module: for `python -m`. in_root: whether it runs in the project root."""

    extras: tuple[str, ...]
    module: tuple[str, ...]
    in_root: bool = False


OWN = (
    "run",
    "render",
    "doctor",
    "bench",
    "sources",
    "card",
    "midi",
    "dmx",
    "cues",
    "surfaces",
    "models",
    "train",
    "evaluate",
    "parity",
)
"""The commands of `streamvace`; a test compares the two."""

COMMANDS = {
    **{word: Command((), ("streamvace", word)) for word in OWN},
    "train": Command(("train",), ("streamvace", "train")),
    # pytest reads its configuration from the project root. The others keep the user's folder, for relative paths.
    "test": Command(("test",), ("pytest",), in_root=True),
}


def child_command(python: Path, command: Command, arguments: Sequence[str]) -> list[str]:
    return [str(python), "-m", *command.module, *arguments]


class ConsoleProgress:
    """Prints progress as `[2/4] text`. Prints nothing if nothing has to be installed."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.printed = False

    def __call__(self, step: int, of: int, text: str) -> None:
        if not self.printed:
            print("streamvace: installing (only once)", flush=True)
        self.printed = True
        print(f"      {text}" if text.startswith("...") else f"[{step}/{of}] {text}", flush=True)

    def done(self) -> None:
        if self.printed:
            print(f"Ready after {time.monotonic() - self.begun:.0f} s.", flush=True)


def hand_over(command: Sequence[str], cwd: Path | None) -> int:
    """Replace this process by the command (POSIX), or run it and wait (Windows). The child handles Ctrl-C."""
    if cwd is not None:
        os.chdir(cwd)
    env = clean_environment(os.environ)
    start = _run_and_wait if sys.platform == "win32" else _exec
    return start(command, env)


def _exec(command: Sequence[str], env: dict[str, str]) -> NoReturn:
    os.execve(command[0], list(command), env)


def _run_and_wait(command: Sequence[str], env: dict[str, str]) -> int:
    with subprocess.Popen(command, env=env) as child:
        # The console sends Ctrl-C and Ctrl-Break to both processes; the child shuts down in order, this one waits.
        _on(("SIGINT", "SIGBREAK"), lambda *_: None)
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return child.wait()


def _on(names: Sequence[str], handler: Callable[[int, FrameType | None], object]) -> None:
    """Set a handler for each of these signals that the platform has."""
    for name in names:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handler)


def main(arguments: Sequence[str]) -> int:
    """The command line. Exit codes: the child's; 2 for a failed installation; 130 if stopped by the user."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a cp1252 console must not raise
    word, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if word in ("-h", "--help", "help") or (word == "install" and {"-h", "--help"} & set(rest)):
        print(HELP, end="")
        return 0
    if word != "install" and word not in COMMANDS:
        known = f"use {', '.join(COMMANDS)} or install; --help explains them"
        print(f"streamvace: unknown command {word!r}: {known}", file=sys.stderr)
        return 2
    progress = ConsoleProgress()
    _on(("SIGTERM", "SIGHUP"), signal.default_int_handler)  # a closed terminal stops the installation like Ctrl-C
    try:
        if word == "install":
            ensure([extra for part in rest for extra in part.split(",") if extra], progress, force=True)
            progress.done()
            return 0
        command = COMMANDS[word]
        python = ensure(command.extras, progress)
    except BootstrapError as error:
        print(f"streamvace: {error}", file=sys.stderr)
        return 130 if isinstance(error, Cancelled) else 2
    except KeyboardInterrupt:
        print("streamvace: stopped; run the same command again to continue", file=sys.stderr)
        return 130
    progress.done()
    sys.stdout.flush()
    return hand_over(child_command(python, command, rest), ROOT if command.in_root else None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
