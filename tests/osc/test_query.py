"""The namespace that controllers read, without a server."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

import osc_schema
from streamvace.control.parameters import Parameters
from streamvace.osc.query import ATTRIBUTES, Namespace, host_info
from tests.osc.lists import STRINGS, WEIGHTED

DEFAULTS = {row.address: row.default for row in osc_schema.load() if row.default is not None}
SCALE = "/streamvace/context_scale"


def ask(path: str, query: str = "", **changed: Any) -> Any:
    """The JSON of an answer with 200, else the status. changed: values by the last part of their address."""
    values = {**DEFAULTS, **{f"/streamvace/{name}": value for name, value in changed.items()}}
    answer = Namespace(osc_schema.by_address()).answer(path, query, values, host_info(7700))
    assert (answer.body is not None) == (answer.status == 200)
    return answer.status if answer.body is None else json.loads(json.dumps(answer.body))


def leaves(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "TYPE" in node:
        yield node
    for child in node.get("CONTENTS", {}).values():
        yield from leaves(child)


def test_the_namespace_holds_every_parameter_of_the_schema_and_no_more() -> None:
    nodes = {node["FULL_PATH"]: node for node in leaves(ask("/"))}
    below = {address for address in osc_schema.by_address() if address.rpartition("/")[0] in osc_schema.by_address()}
    nodes |= {address: ask(address) for address in below}
    assert set(nodes) == set(osc_schema.by_address())
    for row in osc_schema.load():
        node = nodes[row.address]
        assert node["DESCRIPTION"] == row.help
        assert node["ACCESS"] == (2 if row.type == "trigger" else 3 if row.access == "write" else 1)
        assert node["VALUE"] == [None] if row.default is None else list(osc_schema.flat(row.default))
        assert set(node) <= {*ATTRIBUTES}


def test_the_range_says_what_the_parameters_take(parameters: Parameters) -> None:
    """Both ends of every range and every choice are taken as they are; one beyond is not."""
    for node in leaves(ask("/")):
        if node["ACCESS"] != 3 or "RANGE" not in node:
            continue
        if node["RANGE"][0] is None:
            continue  # weights: their texts have no range
        [limits] = node["RANGE"]
        for value in limits.get("VALS") or (limits["MIN"], limits["MAX"]):
            assert parameters.check(node["FULL_PATH"], (value,)).status == "set", node["FULL_PATH"]
        if "MAX" in limits:
            assert parameters.check(node["FULL_PATH"], (limits["MAX"] + 1,)).status == "clamped"
            assert node["CLIPMODE"] == ["both"]


def test_a_fader_a_menu_a_switch_a_text_a_button_and_an_output() -> None:
    assert ask(SCALE) == {
        "FULL_PATH": SCALE,
        "TYPE": "f",
        "VALUE": [1.0],
        "ACCESS": 3,
        "RANGE": [{"MIN": 0.0, "MAX": 2.0}],
        "CLIPMODE": ["both"],
        "DESCRIPTION": osc_schema.by_address()[SCALE].help,
        "TAGS": ["Control strength", "control", "basic"],
    }
    menu = ask("/streamvace/hold_mode")
    assert (menu["TYPE"], menu["VALUE"], menu["RANGE"][0]["VALS"][0]) == ("s", ["hold"], "hold")
    assert (ask("/streamvace/pause")["TYPE"], ask("/streamvace/pause", pause=True)["TYPE"]) == ("F", "T")
    assert (ask("/streamvace/pause", pause=True)["VALUE"]) == [True]
    assert ask("/streamvace/prompt", prompt="ünïcode")["VALUE"] == ["ünïcode"]
    reset = ask("/streamvace/reset")
    assert (reset["TYPE"], reset["ACCESS"], reset["VALUE"]) == ("I", 2, [None])
    remove = ask("/streamvace/reference/remove")
    assert (remove["TYPE"], remove["ACCESS"], remove["RANGE"]) == ("i", 2, [{"MIN": 1, "MAX": 8}])
    assert ask("/streamvace/reference/add")["TYPE"] == "s"
    latency = ask("/streamvace/status/latency_p50")
    assert (latency["ACCESS"], latency["UNIT"], "CLIPMODE" in latency) == (1, ["time.ms"], False)


def node_of(row: osc_schema.Parameter, value: osc_schema.Value) -> dict[str, Any]:
    body = Namespace({row.address: row}).answer(row.address, "", {row.address: value}, {}).body
    assert body is not None
    return body


def test_a_list_has_as_many_type_tags_as_it_holds() -> None:
    assert node_of(STRINGS, ("a", "b"))["TYPE"] == "ss"
    assert node_of(STRINGS, ("a", "b"))["VALUE"] == ["a", "b"]
    assert (node_of(STRINGS, ())["TYPE"], node_of(STRINGS, ())["VALUE"]) == ("s", [""])
    pairs = node_of(WEIGHTED, (("a", 0.25), ("b", 1.0)))
    assert (pairs["TYPE"], pairs["VALUE"]) == ("sfsf", ["a", 0.25, "b", 1.0])
    assert pairs["RANGE"] == [None, {"MIN": 0.0, "MAX": 1.0}] * 2
    assert pairs["CLIPMODE"] == ["none", "both"] * 2
    assert "RANGE" not in node_of(WEIGHTED, ())


def test_containers_have_contents_and_no_value() -> None:
    root = ask("/")
    assert (root["FULL_PATH"], root["ACCESS"], list(root["CONTENTS"])) == ("/", 0, ["streamvace"])
    status = ask("/streamvace/status")
    assert status["FULL_PATH"] == "/streamvace/status"
    assert status["CONTENTS"]["fps"]["FULL_PATH"] == "/streamvace/status/fps"
    assert "VALUE" not in status
    assert ask("/streamvace/status/") == status


def test_one_attribute_can_be_asked_for_alone() -> None:
    assert ask(SCALE, "VALUE", context_scale=0.25) == {"VALUE": [0.25]}
    assert ask(SCALE, "RANGE") == {"RANGE": [{"MIN": 0.0, "MAX": 2.0}]}
    assert ask("/", "CONTENTS")["CONTENTS"]["streamvace"]["FULL_PATH"] == "/streamvace"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/streamvace/reset", "VALUE", 204),
        ("/streamvace", "VALUE", 204),
        (SCALE, "CONTENTS", 204),
        (SCALE, "UNIT", 204),
        (SCALE, "GABBAGABBAHEY", 400),
        (SCALE, "value", 400),
        (SCALE, "VALUE&RANGE", 400),
        ("/nowhere", "", 404),
        ("/nowhere", "VALUE", 404),
        ("/streamvace/ping", "", 404),
        (SCALE + "/deeper", "", 404),
        ("", "VALUE", 204),
    ],
)
def test_what_is_not_there_has_its_status(path: str, query: str, status: int) -> None:
    assert ask(path, query) == status


def test_host_info_names_the_osc_port_and_what_is_supported() -> None:
    info = ask("/", "HOST_INFO")
    assert (info["NAME"], info["OSC_PORT"], info["OSC_TRANSPORT"]) == ("streamvace", 7700, "UDP")
    assert all(isinstance(supported, bool) for supported in info["EXTENSIONS"].values())
    assert info["EXTENSIONS"]["LISTEN"]
    assert not info["EXTENSIONS"]["PATH_CHANGED"], "the namespace of a running show never changes"


def test_only_what_has_a_value_can_be_listened_to() -> None:
    namespace = Namespace(osc_schema.by_address())
    assert namespace.listenable(SCALE)
    assert namespace.listenable("/streamvace/status/fps")
    for path in ("/", "/streamvace", "/streamvace/reset", "/nowhere", ""):
        assert not namespace.listenable(path)


def test_what_is_below_a_parameter_has_its_own_path_and_is_no_content_of_it() -> None:
    """Clients refuse a node that is both: python-oscquery then reads nothing at all."""
    scale = osc_schema.by_address()[SCALE]
    below = dataclasses.replace(scale, address=f"{SCALE}/fade")
    namespace = Namespace({scale.address: scale, below.address: below})
    values = {SCALE: 1.0, below.address: 0.5}
    node, fade = (namespace.answer(path, "", values, {}).body for path in (SCALE, below.address))
    assert node is not None
    assert node["VALUE"] == [1.0]
    assert "CONTENTS" not in node
    assert fade is not None
    assert fade["VALUE"] == [0.5]
