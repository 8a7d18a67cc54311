"""Commands that fix what is missing, written as the user must type them on this installation."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
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
    return f"python plugin/bootstrap.py install {extra}" if mine else pip_command(f"streamvace[{extra}]")


def pip_command(*words: str, python: str = sys.executable) -> str:
    """The command that runs `pip install WORDS` for this Python, whatever `pip` is on the user's path.

    An environment that uv made has no pip of its own; there it is uv's.
    """
    quoted = [_quoted(each) for each in words]
    if find_spec("pip") is None:
        return " ".join(("uv pip install --python", _quoted(python), *quoted))
    return " ".join((_quoted(python), "-m pip install", *quoted))


def _quoted(word: str) -> str:
    """In double quotes, which every shell knows, where a shell would read the word differently without them."""
    return word if re.fullmatch(r"[\w.:/\\=+@-]+", word) else f'"{word}"'


def command(words: str, here: bool | None = None) -> str:
    """The command line for `streamvace WORDS` (`models pull vision`). here: `bootstrapped()`, if already known."""
    mine = bootstrapped() if here is None else here
    return f"python plugin/bootstrap.py {words}" if mine else f"streamvace {words}"
