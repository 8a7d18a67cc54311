"""Every hint for an installation reaches the Python that prints it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from streamvace.system import fix_hints
from streamvace.system.fix_hints import install_command, pip_command
from tests.test_house import PACKAGE, python_files


@pytest.mark.skipif(sys.platform == "win32", reason="shlex splits as POSIX shells do")
@pytest.mark.parametrize("hint", [install_command("pytest", here=False), pip_command("-U", "numpy>=1")])
def test_a_hint_runs_as_it_is_printed_and_reaches_this_python(hint: str) -> None:
    """As a dry run without a network: pip checks the requirement against what is installed here."""
    words = shlex.split(hint)
    done = subprocess.run([*words, "--dry-run", "--no-index", "--no-deps"], capture_output=True, text=True, check=False)
    assert words[0] == sys.executable
    assert done.returncode == 0, done.stderr
    assert str(Path(sys.prefix).resolve()) in done.stdout or "already satisfied" in done.stdout


def test_an_environment_of_uv_has_no_pip_so_the_hint_is_uvs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fix_hints, "find_spec", lambda name: None)
    assert pip_command("av", python="/opt/show/bin/python") == "uv pip install --python /opt/show/bin/python av"


@pytest.mark.parametrize(
    ("words", "python", "command"),
    [
        (("streamvace[ndi]",), "/opt/py", '/opt/py -m pip install "streamvace[ndi]"'),
        (("torch>=2",), r"C:\Users\A B\.venv\Scripts\python.exe",
         r'"C:\Users\A B\.venv\Scripts\python.exe" -m pip install "torch>=2"'),
        (("-U", "av"), r"D:\show\python.exe", r"D:\show\python.exe -m pip install -U av"),
    ],
)  # fmt: skip
def test_words_that_a_shell_would_split_or_expand_are_quoted(words: tuple[str, ...], python: str, command: str) -> None:
    assert pip_command(*words, python=python) == command


def test_the_bootstraps_environment_is_filled_by_the_bootstrap() -> None:
    assert install_command("ndi", here=True) == "python plugin/bootstrap.py install ndi"


def test_no_other_file_writes_such_a_command() -> None:
    """It would name whatever `pip` is on the user's path."""
    own = Path(fix_hints.__file__)
    others = {path for path in python_files(PACKAGE) if "pip install" in path.read_text("utf-8")}
    assert others == {own}


def test_every_extra_that_a_hint_names_exists() -> None:
    extras = (PACKAGE.parent / "pyproject.toml").read_text("utf-8").partition("[project.optional-dependencies]")[2]
    known = set(re.findall(r"^([\w-]+) = \[", extras.partition("\n[")[0], re.MULTILINE))
    named = {
        name
        for path in python_files(PACKAGE)
        for name in re.findall(r"""install_command\(["']([\w-]+)["']""", path.read_text("utf-8"))
    }
    assert named
    assert named <= known
