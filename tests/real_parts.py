"""Tests that need real programs and packages: skipped with the fix when one is missing, failed in CI."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest


def require(what: str, present: bool, fix: str) -> None:
    """Continue when `present`. Otherwise skip this test and say what to install; with CI=true, fail it."""
    if present:
        return
    message = f"{what} is missing: {fix}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def require_program(program: str, fix: str) -> str:
    """The full path of a program that a test starts."""
    path = shutil.which(program)
    require(program, path is not None, fix)
    assert path is not None
    return path


def require_package(package: str, fix: str) -> None:
    require(package, find_spec(package) is not None, fix)


@contextmanager
def alone_on_this_machine(what: str) -> Iterator[None]:
    """Wait until no other test run on this machine uses it: two checkouts may be tested at the same time.

    On Windows it does not wait, as the standard library has no such lock there.
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    with (Path(tempfile.gettempdir()) / f"streamvace-tests-{what}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
