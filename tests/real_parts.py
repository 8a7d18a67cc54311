"""Tests of real parts: skipped with the mend where a part is missing, failed where it must not be missing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest


def require(what: str, present: bool, mend: str) -> None:
    """Go on when `present`. Otherwise skip this test and say what to install; with CI=true, fail it."""
    if present:
        return
    message = f"{what} is missing: {mend}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def require_program(program: str, mend: str) -> str:
    """The full path of a program that a test starts."""
    path = shutil.which(program)
    require(program, path is not None, mend)
    assert path is not None
    return path


def require_package(package: str, mend: str) -> None:
    require(package, find_spec(package) is not None, mend)


@contextmanager
def alone_on_this_machine(what: str) -> Iterator[None]:
    """Waits until no other run of the tests on this machine uses it: two checkouts may be tested at the same time.

    Windows has no such lock in the standard library; there it does not wait.
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    with (Path(tempfile.gettempdir()) / f"streamvace-tests-{what}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
