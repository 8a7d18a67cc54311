"""The list of references, edited one by one while the show runs."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from osc_schema import Value
from streamvace.control.parameters import Change, Parameters, Snapshot
from streamvace.control.reference_list import EDITS, REFERENCES

ADD, REMOVE, CLEAR = "/streamvace/reference/add", "/streamvace/reference/remove", "/streamvace/reference/clear"


def a_list(*names: str) -> Parameters:
    return Parameters({REFERENCES: names}, edits=EDITS)


def held(parameters: Parameters) -> Value:
    return parameters.snapshot()[REFERENCES]


def test_references_are_added_at_the_end_and_removed_by_their_number() -> None:
    parameters = a_list()
    for name in ("cat.png", "hat.png", "bat.png"):
        assert parameters.set(ADD, (name,), "desk").status == "set"
    assert held(parameters) == ("cat.png", "hat.png", "bat.png")
    parameters.set(REMOVE, (2.0,), "desk")  # a fader's float
    assert held(parameters) == ("cat.png", "bat.png")
    parameters.set(CLEAR, (), "desk")
    assert held(parameters) == ()


def test_one_that_is_there_already_stays_where_it_is() -> None:
    parameters = a_list("cat.png", "hat.png")
    parameters.set(ADD, ("cat.png",), "desk")
    assert held(parameters) == ("cat.png", "hat.png")


def test_a_full_list_and_a_number_too_high_are_refused_in_one_line() -> None:
    parameters = a_list(*(f"{number}.png" for number in range(8)))
    full = parameters.set(ADD, ("more.png",), "desk")
    assert (full.status, full.line) == (
        "refused",
        f"{ADD}: there are 8 references already; remove one first",
    )
    few = a_list("cat.png").set(REMOVE, (2,), "desk")
    assert (few.status, few.line) == ("refused", f"{REMOVE}: there is no reference 2; there are 1")
    for nonsense in ((), (0,), (9,), ("cat.png",), (float("nan"),), (1, 2)):
        assert a_list("cat.png").set(REMOVE, nonsense, "desk").status == "refused"
    for nonsense in ((), (3,), ("",), ("x" * 300,)):
        assert a_list().set(ADD, nonsense, "desk").status == "refused"


def test_a_bundle_of_edits_is_applied_in_order_and_appears_as_one_version() -> None:
    parameters = a_list("old.png")
    wishes = [(CLEAR, ()), (ADD, ("a.png",)), (ADD, ("b.png",)), (REMOVE, (1,))]
    parameters.apply_bundle([Change(parameters.check(address, arguments), "desk") for address, arguments in wishes])
    assert held(parameters) == ("b.png",)
    assert parameters.snapshot().version == 1


def test_everybody_hears_of_the_new_list_the_writer_too() -> None:
    heard: list[Mapping[str, str]] = []

    def listen(snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        heard.append(changed)

    parameters = a_list()
    parameters.listen(listen)
    parameters.set(ADD, ("cat.png",), "desk")
    assert heard[0][REFERENCES] == ""
    assert heard[0][ADD] == "desk"


NAMES = st.sampled_from([f"{letter}.png" for letter in "abcdefghij"])
WISHES = st.one_of(
    st.tuples(st.just(ADD), NAMES.map(lambda name: (name,))),
    st.tuples(st.just(REMOVE), st.integers(1, 8).map(lambda number: (number,))),
    st.tuples(st.just(CLEAR), st.just(())),
    st.tuples(st.just(REFERENCES), st.lists(NAMES, min_size=1, max_size=8).map(tuple)),
)


@given(st.lists(st.lists(WISHES, max_size=6), max_size=6))
def test_any_bundles_of_edits_leave_the_list_that_a_plain_list_would_be(
    bundles: list[list[tuple[str, tuple[object, ...]]]],
) -> None:
    parameters, model = a_list(), list[object]()
    for bundle in bundles:
        results = parameters.apply_bundle(
            [Change(parameters.check(address, arguments), "desk") for address, arguments in bundle]
        )
        for result, (address, arguments) in zip(results, bundle, strict=True):
            before = list(model)
            if address == ADD and arguments[0] not in model:
                model += arguments if len(model) < 8 else ()
            elif address == REMOVE and isinstance(arguments[0], int):
                del model[arguments[0] - 1 : arguments[0]]
            elif address == CLEAR:
                model.clear()
            elif address == REFERENCES:
                model[:] = arguments
            refusable = address == REMOVE or (address == ADD and arguments[0] not in before)
            assert (result.status == "refused") == (refusable and model == before)
        assert held(parameters) == tuple(model)
