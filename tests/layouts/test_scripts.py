"""The scripts of the layout of TouchOSC, run by Lua against stand-ins for its controls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from streamvace.layouts.pages import pages
from streamvace.layouts.touchosc import layout
from tests.layouts.gear import name_of, properties, root_of, text
from tests.real_parts import require_package

STAND_IN = """
local nodes, sent, now = {}, {}, 0
function getMillis() return now end
function pass(ms) now = now + ms end
function Color(r, g, b, a) return r .. ' ' .. g .. ' ' .. b .. ' ' .. a end
function sendOSC(...) sent[#sent + 1] = {...} end
function taken() local all = sent; sent = {}; return all end
function node(name, x, text)
  nodes[name] = { name = name, values = { x = x, text = text, touch = false }, visible = true, color = '', tag = '' }
  return nodes[name]
end
self = { findByName = function(_, name) return nodes[name] end }
"""


class Layout:
    """The root of the layout with all its nodes, as its script sees them."""

    def __init__(self) -> None:
        require_package("lupa", "pip install lupa")
        from lupa import LuaRuntime

        self.lua: Any = LuaRuntime(unpack_returned_tuples=True)
        self.lua.execute(STAND_IN)
        root = root_of(layout(pages(), 9000))
        self.nodes = {name_of(each): self._node(each) for each in root.iter("node")}
        self.lua.execute(properties(root)["script"].text)
        self.lua.globals().init()

    def _node(self, element: Element) -> Any:
        values = {text(each, "key"): text(each, "default") for each in element.findall("values/value")}
        return self.lua.globals().node(name_of(element), float(values.get("x", 0)), values.get("text", ""))

    def arrives(self, address: str, *arguments: object) -> bool:
        tags = {bool: "TF", float: "f", int: "i", str: "s"}
        listed = [
            self.lua.table(tag=("T" if each else "F") if isinstance(each, bool) else tags[type(each)], value=each)
            for each in arguments
        ]
        message = self.lua.table(address, self.lua.table(*listed))
        return bool(self.lua.globals().onReceiveOSC(message, None))

    def sent(self) -> list[tuple[object, ...]]:
        return [tuple(message.values()) for message in self.lua.globals().taken().values()]

    def update(self, after_ms: int) -> None:
        self.lua.globals()["pass"](after_ms)
        self.lua.globals().update()


@pytest.fixture
def surface() -> Layout:
    return Layout()


SUBSCRIBE = ("/streamvace/subscribe", 9000)
SYNC = ("/streamvace/sync", 9000)


def test_it_asks_for_everything_when_it_opens(surface: Layout) -> None:
    assert surface.sent() == [SUBSCRIBE, SYNC]


def test_it_asks_again_while_no_show_answers(surface: Layout) -> None:
    surface.sent()
    surface.update(4000)
    assert surface.sent() == []
    surface.update(2000)
    assert surface.sent() == [SUBSCRIBE, SYNC]


def test_it_only_renews_its_subscription_while_the_show_answers(surface: Layout) -> None:
    surface.sent()
    for _ in range(61):
        surface.arrives("/streamvace/status/fps", 24.0)
        surface.update(1000)
    assert surface.sent() == [SUBSCRIBE]


def test_cues_get_their_names_and_those_without_one_are_hidden(surface: Layout) -> None:
    surface.arrives("/streamvace/status/cues", "dusk", "dawn")
    assert [surface.nodes[f"cue {i} text"]["values"]["text"] for i in (1, 2, 3)] == ["dusk", "dawn", ""]
    assert [surface.nodes[f"cue {i}"]["tag"] for i in (1, 2)] == ["dusk", "dawn"]
    assert [surface.nodes[f"cue {i}"]["visible"] for i in (1, 2, 3, 16)] == [True, True, False, False]
    surface.arrives("/streamvace/status/cues", "")
    assert not surface.nodes["cue 1"]["visible"]


def test_the_cue_of_now_and_the_next_one_are_told_apart(surface: Layout) -> None:
    surface.arrives("/streamvace/status/cues", "dusk", "dawn", "noon")
    surface.arrives("/streamvace/status/cue", "dawn")
    surface.arrives("/streamvace/status/cue_next", "noon")
    dusk, dawn, noon = (surface.nodes[f"cue {i}"]["color"] for i in (1, 2, 3))
    assert len({dusk, dawn, noon}) == 3
    surface.arrives("/streamvace/status/cue", "noon")
    assert surface.nodes["cue 2"]["color"] == dusk
    assert surface.nodes["cue 3"]["color"] == dawn


def test_only_the_choice_that_the_show_holds_is_lit(surface: Layout) -> None:
    def color(choice: str) -> str:
        return str(surface.nodes[f"/streamvace/control_kind {choice}"]["color"])

    surface.arrives("/streamvace/control_kind", "edges")
    lit = color("edges")
    assert lit != color("raw")
    surface.arrives("/streamvace/control_kind", "raw")
    assert color("raw") == lit
    assert color("edges") != lit


def test_a_readout_shows_a_number_with_its_unit_and_a_text_as_it_is(surface: Layout) -> None:
    surface.arrives("/streamvace/status/fps", 23.976)
    surface.arrives("/streamvace/status/state", "live")
    assert surface.nodes["/streamvace/status/fps text"]["values"]["text"] in ("23.98 frames/s", "24.0 frames/s")
    assert surface.nodes["/streamvace/status/state text"]["values"]["text"] == "live"


def test_a_fader_of_doublings_stands_where_the_value_is_unless_a_finger_holds_it(surface: Layout) -> None:
    zoom = surface.nodes["/streamvace/output/zoom"]
    surface.arrives("/streamvace/output/zoom", 0.5 * 8**0.5)
    assert zoom["values"]["x"] == pytest.approx(0.5)
    zoom["values"]["touch"] = True
    surface.arrives("/streamvace/output/zoom", 4.0)
    assert zoom["values"]["x"] == pytest.approx(0.5)


def test_no_message_is_taken_from_the_faders_that_hear_it_themselves(surface: Layout) -> None:
    assert not surface.arrives("/streamvace/context_scale", 1.0)
    assert not surface.arrives("/streamvace/status/cues", "dusk")


def test_the_mix_goes_from_the_prompt_that_was_taken_first_to_the_second(surface: Layout) -> None:
    notify: Callable[[str, object], None] = surface.lua.globals().onReceiveNotify
    surface.sent()
    notify("mix", 0.5)
    assert surface.sent() == []  # nothing to mix yet: an empty mix would clear the show's
    surface.arrives("/streamvace/prompt", "red glass")
    notify("take", 1)
    surface.arrives("/streamvace/prompt", "blue smoke")
    notify("take", 2)
    notify("mix", 0.25)
    assert surface.sent() == [("/streamvace/prompts", "red glass", 0.75, "blue smoke", 0.25)]


def fader(address: str) -> Any:
    """A fader's script with its control, which it knows as `self`."""
    require_package("lupa", "pip install lupa")
    from lupa import LuaRuntime

    lua: Any = LuaRuntime()
    lua.execute(STAND_IN)
    lua.execute(f"label = node('{address} text'); self = node('fader', 0)")
    lua.execute(f"self.parent = {{ children = {{ ['{address} text'] = label }} }}")
    (element,) = (each for each in root_of(layout(pages(), 9000)).iter("node") if name_of(each) == address)
    lua.execute(properties(element)["script"].text)
    return lua


def test_a_fader_shows_its_value() -> None:
    lua = fader("/streamvace/output/hue")
    lua.execute("init(); self.values.x = 0.75; onValueChanged('x')")
    assert lua.eval("label.values.text") == "90.0 degrees"
    assert lua.eval("#taken()") == 0  # its message is sent by the layout


def test_a_fader_of_doublings_sends_what_it_shows_while_it_is_touched() -> None:
    lua = fader("/streamvace/output/zoom")
    lua.execute("self.values.x = 1; onValueChanged('x')")
    assert lua.eval("#taken()") == 0  # feedback is not sent back
    lua.execute("self.values.touch = true; onValueChanged('x')")
    assert list(lua.eval("taken()[1]").values()) == ["/streamvace/output/zoom", 4.0]
    assert lua.eval("label.values.text") == "4.00"
