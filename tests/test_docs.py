"""Every relative link and picture of the documentation leads to a file, and every linked heading exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = (
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "td_project" / "README.md",
    ROOT / "tests" / "fuzz" / "README.md",
)
FENCE = re.compile(r"^ *```.*?^ *```", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return FENCE.sub("", page.read_text("utf-8"))


def targets(page: Path) -> list[str]:
    """The link targets of a page inside the project."""
    return [target for target in LINK.findall(prose(page)) if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings: lower case, no punctuation, dashes for spaces."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_link_and_picture_targets_exist(page: Path) -> None:
    for target in targets(page):
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target}: no such file"
        assert ROOT in file.parents, f"{target}: outside the project"
        assert not anchor or anchor in anchors(file), f"{target}: no such heading"


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_the_map_of_the_documentation_names_every_page(page: Path) -> None:
    listed = {target.partition("#")[0] for target in targets(ROOT / "docs" / "README.md")}
    assert page.name == "README.md" or page.name in listed


def test_there_are_links_to_check() -> None:
    assert sum(len(targets(page)) for page in PAGES) > 80
