"""The address space follows its own rules."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

import osc_schema
from tests.real_parts import require_package

DOCUMENT = json.loads(osc_schema.PATH.read_text(encoding="utf-8"))
SCHEMA = json.loads(osc_schema.PATH.with_name("schema.json").read_text(encoding="utf-8"))


def a_row(**changes: Any) -> dict[str, Any]:
    row = {
        "address": "/streamvace/test",
        "label": "Test",
        "group": "test",
        "type": "float",
        "min": 0.0,
        "max": 1.0,
        "default": 0.5,
        "applies": "now",
        "access": "write",
        "help": "Only for this test.",
    }
    row.update(changes)
    return {key: value for key, value in row.items() if value != "gone"}


def test_the_file_matches_its_json_schema() -> None:
    require_package("jsonschema", "pip install jsonschema")
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(DOCUMENT)


def test_every_row_of_the_file_is_loaded_in_order() -> None:
    alone = [row.address for row in osc_schema.load() if not row.family]
    assert alone == [row["address"] for row in DOCUMENT["parameters"]]
    assert list(osc_schema.by_address().values()) == list(osc_schema.load())


def test_no_service_has_the_address_of_a_parameter() -> None:
    assert not {service.address for service in osc_schema.services()} & set(osc_schema.by_address())


def test_rows_cannot_be_changed_by_accident() -> None:
    with pytest.raises(FrozenInstanceError):
        osc_schema.load()[0].address = "/elsewhere"  # type: ignore[misc]
    with pytest.raises(TypeError):
        osc_schema.by_address()["/x"] = osc_schema.load()[0]  # type: ignore[index]


def test_only_triggers_have_no_default() -> None:
    for row in osc_schema.load():
        assert (row.default is None) == (row.type == "trigger")


def test_it_needs_nothing_but_the_standard_library() -> None:
    """TouchDesigner imports it in its own Python, without the project's libraries."""
    code = (
        "import sys; before = set(sys.modules); import osc_schema; osc_schema.load(); "
        "foreign = {m.split('.')[0] for m in set(sys.modules) - before} - sys.stdlib_module_names - {'osc_schema'}; "
        "sys.exit(str(foreign) if foreign else 0)"
    )
    root = osc_schema.PATH.parent.parent
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


INVALID_ROWS = {
    "no help": a_row(help="gone"),
    "an unknown key": a_row(maximum=3),
    "a foreign address": a_row(address="/elsewhere/x"),
    "an unknown type": a_row(type="vec3"),
    "an unknown time to apply": a_row(applies="later"),
    "an unknown access": a_row(access="both"),
    "a number without a maximum": a_row(max="gone"),
    "a default out of range": a_row(default=2.0),
    "an int with a float default": a_row(type="int", default=0.5),
    "a bool for a number": a_row(default=True),
    "not a number": a_row(default=float("nan")),
    "a choice with an unknown default": a_row(type="choice", min="gone", max="gone", choices=["a", "b"], default="c"),
    "a choice with one value": a_row(type="choice", min="gone", max="gone", choices=["a"], default="a"),
    "a default string that is too long": a_row(type="string", min="gone", max="gone", max_length=2, default="abc"),
    "a bool that is a number": a_row(type="bool", min="gone", max="gone", default=1),
    "a list without a limit": a_row(type="strings", min="gone", max="gone", max_length=9, default=[]),
    "a list longer than a message": a_row(
        type="strings", min="gone", max="gone", max_length=9, max_items=17, default=[]
    ),
    "a default list that is too long": a_row(
        type="strings", min="gone", max="gone", max_length=9, max_items=1, default=["a", "b"]
    ),
    "a list with an empty string": a_row(
        type="strings", min="gone", max="gone", max_length=9, max_items=2, default=[""]
    ),
    "weights in a list of strings": a_row(
        type="strings", min="gone", max="gone", max_length=9, max_items=2, default=[["a", 1.0]]
    ),
    "weights without a range": a_row(
        type="weighted", min="gone", max="gone", max_length=9, max_items=2, default=[["a", 1.0]]
    ),
    "a weight out of range": a_row(type="weighted", max_length=9, max_items=2, default=[["a", 2.0]]),
    "a string without its weight": a_row(type="weighted", max_length=9, max_items=2, default=["a"]),
    "an argument without a trigger": a_row(argument="int"),
    "a second argument without a first": a_row(type="trigger", min="gone", max="gone", default=None, second="seconds"),
    "an argument without limits": a_row(
        type="trigger", min="gone", max="gone", default=None, argument="string", max_length="gone"
    ),
    "an argument of an unknown type": a_row(type="trigger", default=None, argument="float"),
    "an unknown scale": a_row(scale="octaves"),
    "a log scale from zero": a_row(scale="log"),
    "a log scale of a text": a_row(type="string", min="gone", max="gone", max_length=9, default="", scale="log"),
    "a snap out of range": a_row(snaps=[0.5, 1.5]),
    "an unknown level": a_row(level="expert"),
    "a need without an address": a_row(needs=[{"values": [True]}]),
    "a trigger with a value": a_row(type="trigger", min="gone", max="gone", default=1),
}


@pytest.mark.parametrize("row", INVALID_ROWS.values(), ids=INVALID_ROWS.keys())
def test_an_invalid_row_is_rejected_with_its_address(row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=row["address"]):
        osc_schema.parse(row)


SWITCH = a_row(address="/streamvace/switch", type="choice", min="gone", max="gone", choices=["a", "b"], default="a")
UNKNOWN_TO_EACH_OTHER = {
    "a second row of the same address": [a_row(), a_row()],
    "a group without a heading": [a_row(group="elsewhere")],
    "a need of a row that is not there": [a_row(needs=[{"address": "/streamvace/switch", "values": ["a"]}])],
    "a need of an output": [
        a_row(needs=[{"address": "/streamvace/out", "values": [0.5]}]),
        a_row(address="/streamvace/out", access="read"),
    ],
    "a need of a value that the other never holds": [
        SWITCH,
        a_row(needs=[{"address": "/streamvace/switch", "values": ["c"]}]),
    ],
    "a need of a value of another type": [SWITCH, a_row(needs=[{"address": "/streamvace/switch", "unless": [1.0]}])],
    "a need without a value": [SWITCH, a_row(needs=[{"address": "/streamvace/switch"}])],
    "a need of itself, through another": [
        {**SWITCH, "needs": [{"address": "/streamvace/test", "unless": [0.0]}]},
        a_row(needs=[{"address": "/streamvace/switch", "values": ["b"]}]),
    ],
}


@pytest.mark.parametrize("rows", UNKNOWN_TO_EACH_OTHER.values(), ids=UNKNOWN_TO_EACH_OTHER.keys())
def test_rows_that_contradict_each_other_are_rejected(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match=r"/streamvace/(test|switch): "):
        osc_schema.check([osc_schema.parse(row) for row in rows], ["test"])


def test_help_says_what_a_row_needs() -> None:
    needs = [
        {"address": "/streamvace/kind", "values": ["edges", "depth"]},
        {"address": "/streamvace/mask", "unless": ["none"]},
        {"address": "/streamvace/share", "unless": [0.0]},
        {"address": "/streamvace/on", "values": [True]},
        {"address": "/streamvace/files", "unless": [[]]},
    ]
    assert osc_schema.needs_in_words(osc_schema.parse(a_row(needs=needs))) == (
        "Needs kind edges or depth, or mask other than none, or share other than 0, or on on, or files not empty."
    )
    assert osc_schema.needs_in_words(osc_schema.parse(a_row())) == ""


def test_a_valid_row_is_accepted() -> None:
    assert osc_schema.parse(a_row()).maximum == 1.0


def test_a_list_is_stored_as_tuples_and_sent_as_consecutive_arguments() -> None:
    row = osc_schema.parse(a_row(type="weighted", max_length=9, max_items=2, default=[["a", 1.0], ["b", 0.5]]))
    assert row.default == (("a", 1.0), ("b", 0.5))
    assert osc_schema.flat(row.default) == ("a", 1.0, "b", 0.5)
    assert osc_schema.flat(("x", "y")) == ("x", "y")
    assert osc_schema.flat(0.5) == (0.5,)


def test_an_empty_list_is_sent_as_an_empty_string_because_no_argument_is_a_query() -> None:
    assert osc_schema.flat(()) == ("",)


def test_a_family_of_rows_is_written_once_and_numbered() -> None:
    rows = osc_schema.by_address()
    assert [row.address for row in rows.values() if row.address.endswith("/rate") and row.family] == [
        f"/streamvace/mod/{number}/rate" for number in (1, 2, 3, 4)
    ]
    third = rows["/streamvace/mod/3/rate"]
    assert (third.family, third.number, third.label, third.switch) == ("mod", 3, "Mod 3 rate", "/streamvace/mod/3/on")
    assert third.needs[0].address == "/streamvace/mod/3/source"
    assert (rows["/streamvace/mod/3/on"].switch, rows["/streamvace/seed"].switch) == ("", "")


def test_of_a_member_that_is_off_only_the_switch_is_carried() -> None:
    values = {
        "/streamvace/seed": 7,
        "/streamvace/mod/1/on": False,
        "/streamvace/mod/1/rate": 2.0,
        "/streamvace/mod/2/on": True,
        "/streamvace/mod/2/rate": 3.0,
    }
    assert set(values) - set(osc_schema.carried(values)) == {"/streamvace/mod/1/rate"}
