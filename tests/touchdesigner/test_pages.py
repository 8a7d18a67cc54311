"""The component's parameters come from the address space."""

from __future__ import annotations

import pytest
from streamvace_td.pages import ABOUT, OWN, STATUS, pages, par_name, schema_specs

import osc_schema
from tests.osc.lists import STRINGS, WEIGHTED

MADE = pages()


def test_every_row_is_a_parameter_on_the_page_of_its_group() -> None:
    specs = schema_specs(MADE)
    assert list(specs) == [row.address for row in sorted_by_page()]
    where = {spec.name: page.name for page in MADE for spec in page.pars}
    for row in osc_schema.load():
        assert where[par_name(row)] == (STATUS if row.access == "read" else osc_schema.groups()[row.group])


def sorted_by_page() -> list[osc_schema.Parameter]:
    rows = osc_schema.load()
    groups = list(dict.fromkeys(row.group for row in rows if row.access == "write"))
    written = [row for group in groups for row in rows if row.access == "write" and row.group == group]
    return written + [row for row in rows if row.access == "read"]


def test_the_components_own_page_is_first_status_and_about_are_last() -> None:
    names = [page.name for page in MADE]
    assert (names[0], names[-2:]) == (OWN.name, [STATUS, ABOUT])
    about = ["Help", "Report", "Version", "Toxsavebuild", "Testedwith", "Licence", "Helpaddress"]
    assert [spec.name for spec in MADE[-1].pars] == about


def test_the_status_page_is_read_only() -> None:
    [status] = [page for page in MADE if page.name == STATUS]
    assert all(spec.read_only for spec in status.pars)
    assert [spec for page in MADE if page.name not in (STATUS, ABOUT) for spec in page.pars if spec.read_only] == []


@pytest.mark.parametrize("spec", [spec for page in MADE for spec in page.pars], ids=lambda spec: spec.name)
def test_every_parameter_has_a_help_text(spec: object) -> None:
    from streamvace_td.pages import ParSpec

    assert isinstance(spec, ParSpec)
    assert len(spec.help) > 10
    assert spec.row is None or f"OSC: {spec.row.address}" in spec.help
    assert spec.label


def test_a_new_row_is_a_new_parameter() -> None:
    made = pages([*osc_schema.load(), STRINGS, WEIGHTED])
    specs = schema_specs(made)
    assert [page.name for page in made][-3] == "Test"
    assert (specs[STRINGS.address].style, specs[STRINGS.address].default) == ("Str", "red")
    assert specs[WEIGHTED.address].default == "red=1"
    assert "separated by |" in specs[STRINGS.address].help
    assert "text=weight" in specs[WEIGHTED.address].help


def test_a_trigger_with_an_argument_has_a_field_for_it() -> None:
    for row in osc_schema.load():
        if row.argument:
            page = next(page for page in MADE if page.name == osc_schema.groups()[row.group])
            names = [spec.name for spec in page.pars]
            button = page.pars[names.index(par_name(row))]
            value = page.pars[names.index(button.argument)]
            assert names.index(value.name) + 1 + bool(row.second) == names.index(button.name)
            if row.second:
                second = page.pars[names.index(button.second)]
                assert (second.style, second.default, second.row) == ("Str", "", None)
                assert names.index(second.name) + 1 == names.index(button.name)
            assert value.style == {"string": "StrMenu", "int": "Int", "choice": "Menu"}[row.argument]
            assert (value.maximum, value.row) == (row.maximum, None)


def test_a_row_with_the_name_of_another_parameter_is_rejected() -> None:
    from dataclasses import replace

    row = osc_schema.by_address()["/streamvace/seed"]
    for address in ("/streamvace/se_ed", "/streamvace/start", "/streamvace/state"):
        with pytest.raises(ValueError, match="rename an address"):
            pages([*osc_schema.load(), replace(row, address=address)])
