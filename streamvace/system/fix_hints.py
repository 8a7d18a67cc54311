"""Commands that fix what is missing, written as the user must type them on this installation."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def bootstrapped() -> bool:
    """Whether this Python belongs to the environment of `plugin/bootstrap.py`.

    If it does, the `pip` and `streamvace` on the user's path belong to another Python, if they exist at all.
    """
    return (_ROOT / "plugin" / "bootstrap.py").exists() and Path(sys.prefix).resolve() == _ROOT / ".venv"


def install_command(extra: str, here: bool | None = None) -> str:
    """The command that installs an optional part (`ndi`, `vision`, ...). here: `bootstrapped()`, if already known."""
    mine = bootstrapped() if here is None else here
    return f"python plugin/bootstrap.py install {extra}" if mine else f'pip install "streamvace[{extra}]"'


def command(words: str, here: bool | None = None) -> str:
    """The command line for `streamvace WORDS` (`models pull vision`). here: `bootstrapped()`, if already known."""
    mine = bootstrapped() if here is None else here
    return f"python plugin/bootstrap.py {words}" if mine else f"streamvace {words}"
