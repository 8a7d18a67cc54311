"""The commands that mend, as they have to be typed on this installation."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def bootstrapped() -> bool:
    """Whether this Python is the one of `plugin/bootstrap.py`: then the user's own `pip` and `streamvace`, if there
    are any, belong to another."""
    return (_ROOT / "plugin" / "bootstrap.py").exists() and Path(sys.prefix).resolve() == _ROOT / ".venv"


def install(extra: str, here: bool | None = None) -> str:
    """The command that installs an optional part (`ndi`, `vision`, ...). here: `bootstrapped()`, if already known."""
    mine = bootstrapped() if here is None else here
    return f"python plugin/bootstrap.py install {extra}" if mine else f'pip install "streamvace[{extra}]"'


def command(words: str, here: bool | None = None) -> str:
    """A command of this program (`models pull vision`). here: `bootstrapped()`, if already known."""
    mine = bootstrapped() if here is None else here
    return f"python plugin/bootstrap.py {words}" if mine else f"streamvace {words}"
