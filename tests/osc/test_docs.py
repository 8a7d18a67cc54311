"""What is written agrees with what is there."""

from __future__ import annotations

import osc_schema
from streamvace.osc import docs

PAGE = osc_schema.PATH.parent.parent / "docs" / "osc.md"


def test_the_page_is_the_one_the_schema_makes() -> None:
    """If not: `python -m streamvace.osc.docs > docs/osc.md`."""
    assert PAGE.read_text(encoding="utf-8") == docs.render()


def test_every_address_has_one_row() -> None:
    page = docs.render()
    for named in (*osc_schema.load(), *osc_schema.services()):
        assert page.count(f"| `{named.address}` |") == 1
