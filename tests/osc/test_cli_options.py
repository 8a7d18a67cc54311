"""The command line knows the same parameters, and tells mistakes before the show."""

from __future__ import annotations

import pytest

import osc_schema
from streamvace.control.parameters import Change, Parameters
from streamvace.osc.cli_options import drawn_seed, options, parse_cli
from streamvace.system.errors import UserError
from tests.control.coerced import plain
from tests.osc.lists import STRINGS, WEIGHTED


def test_every_parameter_that_holds_a_value_has_an_option_of_its_own_and_modulators_one_for_all() -> None:
    rows = [row for row in osc_schema.load() if row.access == "write" and row.type != "trigger"]
    held = [*(row.address for row in rows if not row.family), "/streamvace/mod"]
    assert [option.parameter.address for option in options()] == held
    assert len({option.name for option in options()}) == len(held)
    assert {"--context-scale", "--mask-source", "--prompt", "--seed"} <= {option.name for option in options()}


def test_the_help_says_what_it_takes_and_the_default() -> None:
    helps = {option.name: option.help for option in options()}
    assert helps["--context-scale"].endswith(" [0..2] Default: 1.")
    assert helps["--pause"].endswith(" Default: off.")
    assert "[linear, slerp] Default: linear." in helps["--prompt-blend"]


@pytest.mark.parametrize(
    ("name", "text", "address", "value"),
    [
        ("--context-scale", "0.8", "/streamvace/context_scale", 0.8),
        ("context_scale", "1", "/streamvace/context_scale", 1.0),
        ("--seed", "7", "/streamvace/seed", 7),
        ("--pause", "on", "/streamvace/pause", True),
        ("--control", "No", "/streamvace/control", False),
        ("--mask-source", "alpha", "/streamvace/mask_source", "alpha"),
        ("--prompt", "0.5", "/streamvace/prompt", "0.5"),
    ],
)
def test_text_becomes_a_value_that_the_parameters_take(name: str, text: str, address: str, value: object) -> None:
    given = parse_cli({name: text})
    assert plain(given) == {address: value}
    assert type(given[address].value) is type(value)
    parameters = Parameters()
    parameters.apply_bundle([Change(coerced, "cli") for coerced in given.values()])
    assert parameters.snapshot()[address] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("--context-scale", "3"),
        ("--context-scale", "nan"),
        ("--context-scale", "much"),
        ("--seed", "1.5"),
        ("--seed", "9" * 5000),
        ("--pause", "maybe"),
        ("--mask-source", "beta"),
        ("--reset", "1"),
        ("--nothing", "1"),
        ("--status-fps", "1"),
    ],
)
def test_a_mistake_is_one_line_with_the_option_and_what_it_takes(name: str, text: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_cli({name: text})
    assert str(caught.value).startswith(name + ":")
    assert "\n" not in str(caught.value)


def test_a_random_seed_can_be_asked_for_and_only_then_its_number_is_told() -> None:
    seeds = {parse_cli({"--seed": word})["/streamvace/seed"].value for word in ("random", "Random", " random")}
    assert len(seeds) == 3
    assert all(isinstance(seed, int) and 0 <= seed <= 2147483647 for seed in seeds)
    assert drawn_seed({"--seed": "random"})
    assert not drawn_seed({"--seed": "007"})
    assert not drawn_seed({"--prompt": "random"})
    with pytest.raises(UserError, match=r"--seed: takes one int 0\.\.2147483647 or random, got 'rnd'"):
        parse_cli({"--seed": "rnd"})


def test_the_line_holds_both_values() -> None:
    with pytest.raises(UserError, match=r"--context-scale: takes one float 0\.\.2, got '3'"):
        parse_cli({"--context-scale": "3"})


def test_a_list_is_an_option_given_several_times_or_a_line_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osc_schema, "load", lambda: (STRINGS, WEIGHTED))
    assert [option.name for option in options()] == ["--test-strings", "--test-weighted"]
    assert plain(parse_cli({"--test-strings": ["a=1", "b"]})) == {STRINGS.address: ("a=1", "b")}
    assert plain(parse_cli({"--test-strings": "a\nb"})) == {STRINGS.address: ("a", "b")}
    said = parse_cli({"--test-weighted": ["red=0.25", "blue", "a=b"]})
    assert plain(said) == {WEIGHTED.address: (("red", 0.25), ("blue", 1.0), ("a=b", 1.0))}
    with pytest.raises(UserError, match=r"--test-weighted: takes up to 3 strings .* weight 0\.\.1, got 'red=3'"):
        parse_cli({"--test-weighted": ["red=3"]})


def test_a_modulator_is_one_option_and_on() -> None:
    given = parse_cli({"--mod": ["1 source=beat target=output/hue high=0.5", "3"]})
    assert plain(given) == {
        "/streamvace/mod/1/on": True,
        "/streamvace/mod/1/source": "beat",
        "/streamvace/mod/1/target": "output/hue",
        "/streamvace/mod/1/high": 0.5,
        "/streamvace/mod/3/on": True,
    }
    assert set(given) <= set(Parameters().snapshot().values)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "the number is 1 to 4, got ''"),
        ("5 rate=2", "the number is 1 to 4, got '5'"),
        ("1 rte=2", "takes NAME=VALUE with on, source, shape, rate"),
        ("1 rate", "got 'rate'"),
        ("1 fire=1", "got 'fire=1'"),
        ("2 rate=99", "--mod 2: rate takes one float 0.01..30, got '99'"),
        ("2 shape=round", "shape takes one of sine, triangle"),
    ],
)
def test_what_is_wrong_with_a_modulator_is_one_line(line: str, why: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_cli({"--mod": [line]})
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
