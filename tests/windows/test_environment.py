"""What of the environment is built again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.windows.environment import Step, build_steps


def built(folder: Path, wine: str = "10", libraries: str = "numpy 2.4", broken: str = "") -> list[str]:
    """The names of the steps that are made. broken: the one that fails."""
    made: list[str] = []

    def make(name: str) -> Callable[[], None]:
        def run() -> None:
            made.append(name)
            if name == broken:
                raise OSError("no space left")

        return run

    parts = {"wine": wine, "python": "3.13", "libraries": libraries}
    build_steps(folder, [Step(name, made_of, make(name)) for name, made_of in parts.items()])
    return made


def test_what_is_there_is_not_built_again(tmp_path: Path) -> None:
    assert built(tmp_path) == ["wine", "python", "libraries"]
    assert built(tmp_path) == []


def test_other_libraries_in_the_lock_are_installed_into_the_environment_that_is_there(tmp_path: Path) -> None:
    built(tmp_path)
    assert built(tmp_path, libraries="numpy 2.5") == ["libraries"]
    assert built(tmp_path, libraries="numpy 2.5") == []


def test_what_stands_on_a_changed_part_is_built_again(tmp_path: Path) -> None:
    built(tmp_path)
    assert built(tmp_path, wine="11") == ["wine", "python", "libraries"]


def test_a_step_that_failed_is_made_again_also_when_the_lock_is_the_old_one(tmp_path: Path) -> None:
    built(tmp_path)
    with pytest.raises(OSError, match="no space"):
        built(tmp_path, libraries="numpy 2.5", broken="libraries")
    assert built(tmp_path) == ["libraries"]
