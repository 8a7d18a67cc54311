"""What the parameters promise to whoever turns a knob, and to whoever reads them."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_schema
from streamvace.control.parameters import Change, Parameters, Snapshot
from streamvace.system.errors import UserError

SCALE = "/streamvace/context_scale"
SEED = "/streamvace/seed"
PROMPT = "/streamvace/prompt"
INPUT = "/streamvace/input/control"
PAUSE = "/streamvace/pause"
MASK = "/streamvace/mask_source"
RESET, HARD_CUT = "/streamvace/reset", "/streamvace/hard_cut"
QUIT = "/streamvace/quit"


@pytest.fixture
def parameters() -> Parameters:
    return Parameters()


def test_every_writable_parameter_starts_at_its_default(parameters: Parameters) -> None:
    snapshot = parameters.snapshot()
    for row in osc_schema.load():
        if row.access == "write" and row.type != "trigger":
            assert snapshot[row.address] == row.default
            assert type(snapshot[row.address]) is type(row.default)
    assert snapshot.version == 0
    assert snapshot.generation == 0


ACCEPTED: list[tuple[str, Any, Any]] = [
    (SCALE, 0.25, 0.25),
    (SCALE, 2, 2.0),
    (SEED, 7, 7),
    (SEED, 7.6, 8),
    (PAUSE, True, True),
    (PAUSE, 1.0, True),
    (PAUSE, 0.7, True),
    (MASK, "alpha", "alpha"),
    (MASK, " Alpha ", "alpha"),
    (MASK, 1, "alpha"),
    (MASK, 0.9, "alpha"),
    (PROMPT, "Würfel 🎲", "Würfel 🎲"),
    (PROMPT, "", ""),
    (INPUT, 2, "2"),
    (INPUT, 2.0, "2"),
    (INPUT, "ndi:stage", "ndi:stage"),
]


@pytest.mark.parametrize(("address", "sent", "held"), ACCEPTED)
def test_what_has_one_clear_meaning_is_taken(parameters: Parameters, address: str, sent: Any, held: Any) -> None:
    assert parameters.set(address, (sent,), "test").status == "set"
    assert parameters.snapshot()[address] == held
    assert type(parameters.snapshot()[address]) is type(held)


@pytest.mark.parametrize(
    ("address", "sent", "held"),
    [
        (SCALE, 3.5, 2.0),
        (SCALE, -1, 0.0),
        pytest.param(SCALE, 10**400, 2.0, id="beyond any float"),
        pytest.param(SCALE, -(10**5000), 0.0, id="beyond what Python prints"),
        (SEED, 1e30, 2**31 - 1),
        (SEED, -5, 0),
        ("/streamvace/prompt_blend", 9, "slerp"),
    ],
)
def test_what_is_out_of_range_is_clamped_and_said(parameters: Parameters, address: str, sent: Any, held: Any) -> None:
    result = parameters.set(address, (sent,), "test")
    assert result.status == "clamped"
    assert result.value == held
    assert parameters.snapshot()[address] == held
    assert address in result.line
    assert "\n" not in result.line


def test_a_clamp_names_what_came_and_what_is_allowed(parameters: Parameters) -> None:
    assert parameters.set(SCALE, (3.5,), "test").line == f"{SCALE}: limited to 2 (range 0-2), got 3.5"


REFUSED: list[tuple[str, tuple[object, ...]]] = [
    (SCALE, (math.nan,)),
    (SCALE, (math.inf,)),
    (SCALE, (-math.inf,)),
    (SCALE, ("0.5",)),
    (SCALE, (True,)),
    (SCALE, (None,)),
    (SCALE, (0.1, 0.2)),
    (SCALE, ()),
    (SCALE, ((0.5,),)),
    (SEED, (math.nan,)),
    (SEED, (b"\x00\x01",)),
    (PAUSE, ("on",)),
    (PAUSE, (math.nan,)),
    (MASK, ("luma\nfake line",)),
    (MASK, (True,)),
    (PROMPT, (1.0,)),
    (INPUT, (2.5,)),
    (INPUT, (-1,)),
    (INPUT, (True,)),
    (INPUT, (math.nan,)),
    (INPUT, (1e9,)),
    (PROMPT, ("x" * 2001,)),
    (PROMPT, ("half a pair \ud83d",)),
    (PROMPT, ("a\0b",)),
    (RESET, ("now",)),
    (RESET, (math.nan,)),
    (RESET, (1, 1)),
    ("/streamvace/status/fps", (30.0,)),
    ("/streamvace/nothing", (1,)),
]


@pytest.mark.parametrize(("address", "arguments"), REFUSED)
def test_what_has_no_meaning_is_refused_and_changes_nothing(
    parameters: Parameters, address: str, arguments: tuple[object, ...]
) -> None:
    before = parameters.snapshot()
    result = parameters.set(address, arguments, "test")
    assert result.status == "refused"
    assert address in result.line
    assert "\n" not in result.line
    assert len(result.line) < 300
    assert parameters.snapshot() is before


def test_a_refusal_names_what_came_and_what_is_taken(parameters: Parameters) -> None:
    assert parameters.set(SEED, ("abc",), "test").line == f"{SEED}: takes one int 0..2147483647, got 'abc'"
    assert "2001 characters" in parameters.set(PROMPT, ("x" * 2001,), "test").line


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(), lambda inner: st.tuples(inner)
)


@given(st.sampled_from([*osc_schema.by_address(), "/nowhere"]), st.lists(anything, max_size=3))
def test_no_arguments_whatever_raise_or_leave_a_value_out_of_its_type(address: str, arguments: list[object]) -> None:
    parameters = Parameters()
    result = parameters.set(address, tuple(arguments), "test")
    assert "\n" not in result.line
    for held in parameters.snapshot().values:
        row = osc_schema.by_address()[held]
        value = parameters.snapshot()[held]
        assert type(value) is type(row.default)
        if isinstance(value, float):
            assert row.minimum is not None
            assert row.maximum is not None
            assert row.minimum <= value <= row.maximum


@pytest.mark.parametrize("arguments", [(), (True,), (1,), (1.0,), (0.5,)])
def test_a_trigger_fires_on_nothing_and_on_a_press(parameters: Parameters, arguments: tuple[object, ...]) -> None:
    assert parameters.set(RESET, arguments, "test").status == "set"
    assert parameters.snapshot().generation == 1
    assert parameters.snapshot().fired[RESET] == 1


@pytest.mark.parametrize("argument", [False, 0, 0.0, 0.2, -1])
def test_a_trigger_ignores_the_buttons_release(parameters: Parameters, argument: object) -> None:
    assert parameters.set(RESET, (argument,), "test").status == "ignored"
    assert parameters.snapshot().generation == 0


def test_only_reset_starts_a_new_generation(parameters: Parameters) -> None:
    parameters.set(QUIT, (), "test")
    parameters.set(RESET, (), "test")
    parameters.set(RESET, (), "test")
    assert parameters.snapshot().generation == 2
    assert {name: count for name, count in parameters.snapshot().fired.items() if count} == {RESET: 2, QUIT: 1}


def test_a_hard_cut_is_a_generation_too_and_is_told_apart_from_a_reset(parameters: Parameters) -> None:
    seen = []
    for address in (RESET, HARD_CUT, RESET, SCALE, HARD_CUT):
        parameters.set(address, (0.5,) if address == SCALE else (), "test")
        seen.append((parameters.snapshot().generation, parameters.snapshot().hard))
    assert seen == [(1, 0), (2, 2), (3, 2), (3, 2), (4, 4)]


def test_a_snapshot_stays_as_it_was(parameters: Parameters) -> None:
    old = parameters.snapshot()
    parameters.set(SCALE, (0.1,), "test")
    assert old[SCALE] == 1.0
    assert parameters.snapshot()[SCALE] == 0.1
    with pytest.raises(TypeError):
        old.values[SCALE] = 5.0  # type: ignore[index]


def test_the_version_counts_changes_and_not_messages(parameters: Parameters) -> None:
    parameters.set(SCALE, (0.5,), "test")
    assert parameters.set(SCALE, (0.5,), "test").status == "unchanged"
    parameters.set(SCALE, (math.nan,), "test")
    assert parameters.snapshot().version == 1


def test_each_address_knows_when_it_last_changed() -> None:
    times = iter([100, 200, 300, 400])
    parameters = Parameters(clock=lambda: next(times))
    parameters.set(SCALE, (0.5,), "test")
    parameters.set(RESET, (), "test")
    parameters.set(SCALE, (0.5,), "test")
    changed = parameters.snapshot().changed_ns
    assert (changed[SEED], changed[SCALE], changed[RESET]) == (100, 200, 300)


def test_a_bundle_appears_whole_under_one_version(parameters: Parameters) -> None:
    wishes = [
        Change(parameters.check(SCALE, (0.5,)), "a"),
        Change(parameters.check(PROMPT, ("red",)), "a"),
        Change(parameters.check(RESET, ()), "a"),
    ]
    results = parameters.apply_bundle(wishes)
    assert [result.status for result in results] == ["set", "set", "set"]
    snapshot = parameters.snapshot()
    assert (snapshot.version, snapshot.generation, snapshot[SCALE], snapshot[PROMPT]) == (1, 1, 0.5, "red")


def test_one_bad_message_does_not_hold_up_its_bundle(parameters: Parameters) -> None:
    results = parameters.apply_bundle(
        [Change(parameters.check(SCALE, (math.nan,)), "a"), Change(parameters.check(PROMPT, ("red",)), "a")]
    )
    assert [result.status for result in results] == ["refused", "set"]
    assert parameters.snapshot()[PROMPT] == "red"


def test_nobody_ever_sees_half_a_bundle(parameters: Parameters) -> None:
    """One thread writes pairs that belong together, another reads: no snapshot may mix two pairs."""
    done = threading.Event()
    torn: list[Mapping[str, object]] = []

    def read() -> None:
        while not done.is_set():
            snapshot = parameters.snapshot()
            if snapshot[PROMPT] != f"seed {snapshot[SEED]}" and snapshot.version:
                torn.append(snapshot.values)

    reader = threading.Thread(target=read)
    reader.start()
    for seed in range(2000):
        parameters.apply_bundle(
            [Change(parameters.check(SEED, (seed,)), "a"), Change(parameters.check(PROMPT, (f"seed {seed}",)), "a")]
        )
    done.set()
    reader.join()
    assert torn == []


def test_presses_from_many_threads_are_all_counted(parameters: Parameters) -> None:
    threads = [
        threading.Thread(target=lambda: [parameters.set(RESET, (), "test") for _ in range(200)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert parameters.snapshot().generation == 800
    assert parameters.snapshot().version == 800


def test_listeners_hear_what_changed_and_who_did_it(parameters: Parameters) -> None:
    heard: list[tuple[int, dict[str, str]]] = []

    def listener(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        heard.append((snapshot.version, dict(changed)))

    stop = parameters.listen(listener)
    parameters.apply_bundle(
        [
            Change(parameters.check(SCALE, (0.5,)), "desk"),
            Change(parameters.check(PROMPT, ("red",)), "web"),
            Change(parameters.check(SEED, (42,)), "x"),
        ]
    )
    parameters.set(SCALE, (0.5,), "web")
    parameters.set(RESET, (), "web")
    stop()
    parameters.set(SCALE, (0.6,), "web")
    assert heard == [(1, {SCALE: "desk", PROMPT: "web"}), (2, {RESET: "web"})]


def test_a_listener_that_fails_is_counted_and_harms_no_one(parameters: Parameters) -> None:
    heard: list[int] = []

    def broken(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        raise RuntimeError("a bug")

    parameters.listen(broken)
    parameters.listen(lambda snapshot, changed: heard.append(snapshot.version))
    assert parameters.set(SCALE, (0.5,), "test").status == "set"
    assert heard == [1]
    assert parameters.listener_errors == 1


def test_a_listener_may_set_parameters_itself(parameters: Parameters) -> None:
    parameters.listen(lambda snapshot, changed: parameters.set(SEED, (1,), "listener") if SCALE in changed else None)
    parameters.set(SCALE, (0.5,), "test")
    assert parameters.snapshot()[SEED] == 1


def test_overrides_replace_defaults(parameters: Parameters) -> None:
    started = Parameters({SCALE: 0.8, PROMPT: "a cube"})
    assert started.snapshot()[SCALE] == 0.8
    assert started.snapshot()[PROMPT] == "a cube"
    assert started.snapshot()[SEED] == parameters.snapshot()[SEED]
    assert started.snapshot().version == 0


@pytest.mark.parametrize(
    "overrides",
    [{SCALE: 3.0}, {SCALE: "much"}, {"/streamvace/nothing": 1}, {RESET: True}, {"/streamvace/status/fps": 1}],
)
def test_a_wrong_override_stops_the_start_with_one_line(overrides: dict[str, Any]) -> None:
    with pytest.raises(UserError) as caught:
        Parameters(overrides)
    assert next(iter(overrides)) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_typed_readers_give_the_type_they_name(parameters: Parameters) -> None:
    snapshot = parameters.snapshot()
    assert snapshot.number(SCALE) == 1.0
    assert snapshot.number(SEED) == 42.0
    assert snapshot.integer(SEED) == 42
    assert snapshot.flag(PAUSE) is False
    assert snapshot.text(MASK) == "none"
    for reader, address in [
        (snapshot.number, PROMPT),
        (snapshot.number, PAUSE),
        (snapshot.integer, SCALE),
        (snapshot.flag, SCALE),
        (snapshot.text, SEED),
    ]:
        with pytest.raises(TypeError, match=address):
            reader(address)
