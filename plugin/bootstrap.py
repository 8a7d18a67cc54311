"""From a fresh checkout to a running streamvace, in one command. Standard library only, Python 3.10 or newer.

    python plugin/bootstrap.py run        install what is missing, then start
    python plugin/bootstrap.py test       install what is missing, then run the tests

As a module (the TouchDesigner component's Install button): `ensure()` does the same without printing and returns the
environment's Python.
"""

import sys

if sys.version_info < (3, 10):  # noqa: UP036 - an older Python reads this far and no further
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

# A host that loads this file by its path (a TouchDesigner DAT) has no plugin/ on its module path.
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
  python plugin/bootstrap.py doctor [options]   what this machine can do, and how to mend what it cannot
  python plugin/bootstrap.py install [extras]   only install; extras: wan (official weights), vision (pose, masks), test
  python plugin/bootstrap.py WORD [options]     render, sources, card, models, train, evaluate or parity

Try first:
  python plugin/bootstrap.py run                          a moving pattern steers the built-in model
  python plugin/bootstrap.py run --help                   every option of the live generator
  python plugin/bootstrap.py run --input clip.mp4         your own clip steers it

The first start downloads 0.4 GB (CPU) to 3 GB (NVIDIA) into .venv; later starts skip all of that. An interrupted
installation goes on where it stopped. To start over, delete .venv. To choose PyTorch's build yourself, set
STREAMVACE_TORCH to cpu, cu126 or cu130 and run install. pip's own configuration (proxy, mirror) is honoured.
"""


@dataclass(frozen=True)
class Command:
    """What a word on the command line installs and starts."""

    extras: tuple[str, ...]
    module: tuple[str, ...]
    in_root: bool = False


OWN = ("run", "render", "doctor", "sources", "card", "models", "train", "evaluate", "parity")
"""The commands of the program itself; a test compares them with those that it has."""

COMMANDS = {
    **{word: Command((), ("streamvace", word)) for word in OWN},
    "train": Command(("train",), ("streamvace", "train")),
    # pytest reads its configuration from the project root; the others keep the user's folder, for relative file names
    "test": Command(("test",), ("pytest",), in_root=True),
}


def child_command(python: Path, command: Command, arguments: Sequence[str]) -> list[str]:
    return [str(python), "-m", *command.module, *arguments]


class ConsoleProgress:
    """Progress as lines: `[2/4] what`. Speaks only when something has to be installed."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.spoke = False

    def __call__(self, step: int, of: int, text: str) -> None:
        if not self.spoke:
            print("streamvace: setting up, once", flush=True)
        self.spoke = True
        print(f"      {text}" if text.startswith("...") else f"[{step}/{of}] {text}", flush=True)

    def done(self) -> None:
        if self.spoke:
            print(f"Ready after {time.monotonic() - self.begun:.0f} s.", flush=True)


def hand_over(command: Sequence[str], cwd: Path | None) -> int:
    """Becomes the command (POSIX), or stands behind it until it ends (Windows). Ctrl-C is the child's to handle."""
    if cwd is not None:
        os.chdir(cwd)
    env = clean_environment(os.environ)
    start = _stand_behind if sys.platform == "win32" else _become
    return start(command, env)


def _become(command: Sequence[str], env: dict[str, str]) -> NoReturn:
    os.execve(command[0], list(command), env)


def _stand_behind(command: Sequence[str], env: dict[str, str]) -> int:
    with subprocess.Popen(command, env=env) as child:
        # The console sends Ctrl-C and Ctrl-Break to both processes: the child ends in its own order, we wait for it.
        _on(("SIGINT", "SIGBREAK"), lambda *_: None)
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                return child.wait()


def _on(names: Sequence[str], handler: Callable[[int, FrameType | None], object]) -> None:
    """Sets a handler for those of the signals that this platform has."""
    for name in names:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handler)


def main(arguments: Sequence[str]) -> int:
    """The command line. Exit codes: the child's own; 2 for a failed installation; 130 when stopped by the user."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a cp1252 console must not raise
    word, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if word in ("-h", "--help", "help") or (word == "install" and {"-h", "--help"} & set(rest)):
        print(HELP, end="")
        return 0
    if word != "install" and word not in COMMANDS:
        print(
            f"streamvace: unknown command {word!r}: use {', '.join(COMMANDS)} or install (--help says more)",
            file=sys.stderr,
        )
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
        print("streamvace: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    progress.done()
    sys.stdout.flush()
    return hand_over(child_command(python, command, rest), ROOT if command.in_root else None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
