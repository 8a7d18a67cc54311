"""Address patterns mean what OSC 1.0 says, and no pattern costs more than its length."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.osc.pattern import Addresses, is_pattern

MATCHES = [
    ("/a/b", "/a/b", True),
    ("/a/b", "/a/c", False),
    ("/a/*", "/a/b", True),
    ("/a/*", "/a/", True),
    ("/a/*", "/a/b/c", False),
    ("/*", "/a/b", False),
    ("/*/*", "/a/b", True),
    ("/a?c", "/abc", True),
    ("/a?c", "/ac", False),
    ("/a?c", "/a/c", False),
    ("/[abc]", "/b", True),
    ("/[abc]", "/d", False),
    ("/[!abc]", "/d", True),
    ("/[!abc]", "/a", False),
    ("/[a-c]x", "/bx", True),
    ("/[a-c]x", "/dx", False),
    ("/[c-a]", "/b", False),
    ("/[a-]", "/-", True),
    ("/[]", "/a", False),
    ("/{foo,bar}", "/bar", True),
    ("/{foo,bar}", "/baz", False),
    ("/{foo,}x", "/x", True),
    ("/{fo,foo}o", "/foo", True),
    ("/{fo,foo}o", "/fooo", True),
    ("/*scale", "/context_scale", True),
    ("/c*_*e", "/context_scale", True),
    ("/c*_*x", "/context_scale", False),
    ("/s[a-z]?d", "/seed", True),
    ("/a[b", "/ab", False),
    ("/a{b", "/ab", False),
    ("/a]b", "/a]b", False),
    ("/a}b", "/a}b", False),
    ("/a**b", "/axxb", True),
    ("/.*", "/anything", False),
]


def matching(pattern: str, addresses: list[str]) -> tuple[str, ...]:
    return Addresses(addresses).matching(pattern)


@pytest.mark.parametrize(("pattern", "address", "expected"), MATCHES)
def test_patterns_mean_what_osc_says(pattern: str, address: str, expected: bool) -> None:
    assert matching(pattern, [address]) == ((address,) if expected else ())


def test_all_matches_come_in_the_order_of_the_addresses() -> None:
    assert matching("/a/*", ["/a/z", "/b/x", "/a/b"]) == ("/a/z", "/a/b")


def test_only_pattern_letters_make_a_pattern() -> None:
    assert not is_pattern("/streamvace/context_scale")
    assert all(is_pattern(f"/a{letter}") for letter in "?*[]{}")


parts = st.one_of(
    st.sampled_from(["a", "b", "c", "/", "*", "?", "[ab]", "[!ab]", "[a-b]", "{a,bc}", "{ab,a,}"]),
)


def as_regular_expression(pieces: list[str]) -> str:
    """The same pattern for an independent judge; short enough that its backtracking does no harm."""
    words = {"*": "[^/]*", "?": "[^/]", "[!ab]": "[^ab/]", "{a,bc}": "(?:a|bc)", "{ab,a,}": "(?:ab|a|)"}
    return "".join(words.get(piece, piece) for piece in pieces)


@settings(max_examples=1000)
@given(st.lists(parts, max_size=8), st.text("abc/", max_size=10))
def test_matching_agrees_with_regular_expressions(pieces: list[str], name: str) -> None:
    pattern, address = "/" + "".join(pieces), "/" + name
    expected = re.fullmatch("/" + as_regular_expression(pieces), address) is not None
    assert (matching(pattern, [address]) != ()) == expected


@settings(max_examples=500)
@given(st.lists(parts, max_size=8), st.lists(st.text("abc/", max_size=10), max_size=12))
def test_many_addresses_at_once_are_each_on_their_own(pieces: list[str], names: list[str]) -> None:
    pattern, addresses = "/" + "".join(pieces), ["/" + name for name in names]
    assert matching(pattern, addresses) == tuple(each for each in addresses if matching(pattern, [each]))


BLOW_UPS = {
    "stars between letters": "/" + "*a" * 24,
    "all stars": "/streamvace/" + "*" * 200,
    "stars to the limit": "/" + "*a" * 127,
    "alternatives that overlap": "/" + "{a,aa,aaa,}*" * 20,
    "empty alternatives": "/" + "{,,,,}" * 40,
    "classes": "/" + "[!-~]*" * 40,
}


@pytest.mark.parametrize("pattern", BLOW_UPS.values(), ids=BLOW_UPS.keys())
def test_patterns_made_to_blow_up_come_to_an_end(pattern: str) -> None:
    """A backtracking matcher would not live to see the end of this."""
    names = ["/" + "a" * length + ending for length in (40, 119) for ending in ("", "b")]
    assert set(matching(pattern, names)) <= set(names)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=80))
def test_any_text_is_a_pattern_that_can_be_tried(text: str) -> None:
    assert set(matching("/" + text, ["/a", "/streamvace/seed"])) <= {"/a", "/streamvace/seed"}
