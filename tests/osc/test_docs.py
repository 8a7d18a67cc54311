"""What is written agrees with what is there."""

from __future__ import annotations

import osc_schema
from streamvace.osc import docs

PAGE = osc_schema.PATH.parent.parent / "docs" / "osc.md"


def test_the_page_is_the_one_the_schema_makes() -> None:
    """If not: `python -m streamvace.osc.docs > docs/osc.md`."""
    assert PAGE.read_text(encoding="utf-8") == docs.render()


def test_every_address_has_one_row_and_a_family_of_them_one_for_all() -> None:
    page = docs.render()
    for named in (*osc_schema.load(), *osc_schema.services()):
        number = getattr(named, "number", 0)
        address = named.address.replace(f"mod/{number}/", "mod/N/").replace(f"mod_{number}", "mod_N")
        assert page.count(f"| `{address}` |") == 1
    assert "Needs mod/N/source lfo or envelope." in page
