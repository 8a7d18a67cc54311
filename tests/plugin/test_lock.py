"""The lock: complete, with hashes, without an index's address, and within the ranges of pyproject.toml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from install_plan import BASE, EXTRAS, LOCK, lock_rows
from packaging.markers import Marker
from packaging.requirements import Requirement
from torch_build import TORCH

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / LOCK).read_text("utf-8")
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
PYTHONS = ("3.10.0", "3.11.0", "3.12.0", "3.13.0", "3.14.0")
SYSTEMS = (("win32", "AMD64"), ("darwin", "arm64"), ("linux", "x86_64"), ("linux", "aarch64"))


def pinned(rows: str) -> list[Requirement]:
    return [Requirement(line.rstrip(" \\")) for line in rows.splitlines() if re.match(r"\w", line)]


def ranges(table: str) -> list[Requirement]:
    """The requirements of a list in pyproject.toml, without those on streamvace itself."""
    found = re.search(rf"^{table} = \[(.*?)\]$", PROJECT, re.MULTILINE | re.DOTALL)
    assert found is not None
    words = re.findall(r'"([^"]+)"', found[1])
    return [Requirement(word) for word in words if not word.startswith("streamvace")]


def extras() -> list[str]:
    return re.findall(
        r"^([a-z0-9]+) = \[", PROJECT.partition("optional-dependencies]")[2].partition("\n[")[0], re.MULTILINE
    )


def test_every_file_has_hashes_and_no_address() -> None:
    blocks = re.split(r"^# .*\n(?=\w)", TEXT, flags=re.MULTILINE)[1:]
    assert len(blocks) > 100
    for block in blocks:
        first, *hashes = block.splitlines()
        assert re.fullmatch(r"[a-z0-9._-]+==[^ ;]+( ; .+)? \\", first), first
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in hashes)
    assert "://" not in TEXT
    assert "index" not in TEXT


def test_torch_is_chosen_elsewhere() -> None:
    assert not [each.name for each in pinned(TEXT) if re.fullmatch(r"torch|triton|nvidia-.*|cuda-.*", each.name)]
    (torch,) = [each for each in ranges("dependencies") if each.name == "torch"]
    assert torch.specifier.contains(TORCH)


@pytest.mark.parametrize("extra", [BASE, *extras()])
def test_an_extra_gets_one_version_of_each_library_on_every_system_and_python(extra: str) -> None:
    rows = pinned(lock_rows(TEXT, [extra]))
    for python in PYTHONS:
        for system, machine in SYSTEMS:
            place = {"python_full_version": python, "python_version": python[:4], "sys_platform": system}
            place |= {"platform_machine": machine, "platform_python_implementation": "CPython"}
            here = [row for row in rows if row.marker is None or row.marker.evaluate(place)]
            versions = {row.name: next(iter(row.specifier)).version for row in here}
            assert len(versions) == len(here), f"two versions of a library on {system} with Python {python}"
            for wanted in ranges("dependencies" if extra == BASE else extra):
                applies = wanted.marker is None or wanted.marker.evaluate(place)
                if applies and wanted.name != "torch":
                    assert wanted.specifier.contains(versions[wanted.name.lower()]), f"{wanted} on Python {python}"


def test_every_range_ends_at_a_version() -> None:
    for table in ("dependencies", *extras()):
        for each in ranges(table):
            assert re.search("<|==", str(each.specifier)), f"{each} has no upper bound"


def test_the_platforms_own_extras_are_in_the_lock() -> None:
    base = lock_rows(TEXT, ())
    for extra in EXTRAS:
        assert lock_rows(TEXT, (extra.name,)) != base
    assert Marker("sys_platform == 'win32'") in [row.marker for row in pinned(lock_rows(TEXT, ("spout",)))]
