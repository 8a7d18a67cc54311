"""Addresses: a name, and what is different this time."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from streamvace.system.errors import UserError
from streamvace.video.core.address import parse_address
from streamvace.video.core.shared_texture import TextureOptions


@dataclass(frozen=True)
class Everything:
    loud: bool = False
    rate: float = 1.0
    word: str = ""
    place: int = 0

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError("rate is above 0")


def test_an_address_of_a_file_manager_is_said_as_it_is_written() -> None:
    for rest, said in (("file:///a%20b.mp4?wide", "file:///a%20b.mp4?"), ("a.mp4?wide", "file:a.mp4?")):
        with pytest.raises(UserError) as caught:
            parse_address("file", rest, Everything)
        assert f"unknown option 'wide' in {said}wide: " in str(caught.value)
        assert str(caught.value).endswith(f"write {said}loud")


@pytest.mark.parametrize(
    ("rest", "name", "options"),
    [
        ("", "", TextureOptions()),
        ("Stage left: depth", "Stage left: depth", TextureOptions()),
        ("depth?premultiplied", "depth", TextureOptions(premultiplied=True)),
        ("?flipped", "", TextureOptions(flipped=True)),
        ("a?flipped&premultiplied", "a", TextureOptions(premultiplied=True, flipped=True)),
        ("a?", "a", TextureOptions()),
    ],
)
def test_an_address_is_a_name_and_what_the_other_program_does_differently(
    rest: str, name: str, options: TextureOptions
) -> None:
    assert parse_address("spout", rest, TextureOptions) == (name, options)


def test_an_unknown_option_names_those_there_are() -> None:
    with pytest.raises(UserError, match=r"unknown option 'straight' in .* there is premultiplied, flipped;"):
        parse_address("spout", "a?straight", TextureOptions)


@pytest.mark.parametrize(
    ("rest", "options"),
    [
        ("a?loud", Everything(loud=True)),
        ("a?loud=off&rate=0.5", Everything(rate=0.5)),
        ("a?place=12", Everything(place=12)),
        ("a?word=b=c&loud=1", Everything(loud=True, word="b=c")),
    ],
)
def test_options_have_the_types_of_their_fields(rest: str, options: Everything) -> None:
    assert parse_address("x", rest, Everything) == ("a", options)


@pytest.mark.parametrize(
    ("rest", "line"),
    [
        ("a?rate=fast", "x:a?rate=fast: rate takes a number, not 'fast'; write rate=0.5"),
        ("a?rate=nan", "x:a?rate=nan: rate takes a number, not 'nan'; write rate=0.5"),
        ("a?rate", "x:a?rate: rate takes a number, not ''; write rate=0.5"),
        ("a?place=-1", "x:a?place=-1: place takes a whole number, not '-1'; write place=1"),
        ("a?loud=maybe", "x:a?loud=maybe: loud takes on or off, not 'maybe'; write loud"),
        ("a?word=", "x:a?word=: word takes a text, not ''; write word=..."),
        ("a?rate=-1", "x:a?rate=-1: rate is above 0"),
    ],
)
def test_a_value_that_an_option_does_not_take_is_one_line_with_an_example(rest: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_address("x", rest, Everything)
    assert str(caught.value) == line
