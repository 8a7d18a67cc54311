"""The log of a show: nothing that shaped it is missing."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.parameters import Change, Parameters
from streamvace.live.show_log import writer as show_log
from streamvace.live.show_log.reader import read_show
from streamvace.live.show_log.writer import CARRIED, ShowLog, from_json, plain_fields, to_json
from streamvace.records.chunk import ChunkInput, PromptMix
from streamvace.system.errors import UserError
from tests.live.show import SIZE
from tests.live.show_log.logs import HEAD, Rig, chunk


def test_every_change_is_logged_with_its_writer_at_the_first_chunk_that_shows_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.made(0)
    rig.parameters.set("/streamvace/seed", (7,), "panel")
    early = ChunkInput("a", snapshot_version=0)  # built before the change, finished after it
    rig.log.made(early, chunk(early, 1))
    asked = [rig.parameters.check("/streamvace/prompt", ("red",)), rig.parameters.check("/streamvace/reset", ())]
    rig.parameters.apply_bundle([Change(coerced, "osc") for coerced in asked])
    rig.made(2, seed=7, prompt="red")
    rig.made(3, seed=7, prompt="red")
    rig.log.close()
    head, *lines = [json.loads(line) for line in rig.path.read_text("utf-8").splitlines()]
    assert head["parameters"]["/streamvace/seed"] == 3
    assert head["size"] == list(SIZE)
    assert [line["chunk"] for line in lines] == [0, 1, 2, 3]
    assert [line["set"] for line in lines] == [
        [],
        [],
        [["/streamvace/seed", 7, "panel"], ["/streamvace/prompt", "red", "osc"], ["/streamvace/reset", None, "osc"]],
        [],
    ]
    assert lines[2]["shape"] == {"seed": 7, "prompt": "red"}
    assert lines[3]["shape"] == {}
    assert lines[0]["s"] <= lines[3]["s"]


def test_the_log_covers_every_field_that_shapes_a_chunk(tmp_path: Path) -> None:
    pixels = np.zeros((1, 1, 1, 3), np.uint8)
    arrays = {field.name: pixels for field in fields(ChunkInput) if "Pixels" in str(field.type)}
    inputs = replace(ChunkInput("a"), **arrays)  # type: ignore[arg-type]
    known = {*plain_fields(inputs), *arrays, *CARRIED}
    assert known == {field.name for field in fields(ChunkInput)}


weights = st.lists(st.tuples(st.text(max_size=5), st.floats(0.125, 2)), min_size=1, max_size=3)


values = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=10),
    st.none(),
    st.lists(st.floats(0, 2), max_size=4).map(tuple),
    weights.map(tuple),
    st.builds(lambda parts, blend: PromptMix(tuple(parts), blend), weights, st.sampled_from(("linear", "slerp"))),
)


@given(values)
def test_values_are_read_back_unchanged(value: object) -> None:
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


def test_a_log_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "show.jsonl").write_text("an older show")
    with pytest.raises(UserError, match="exists; choose another name"):
        Rig(tmp_path)


def test_a_long_pause_with_moving_faders_keeps_only_the_newest_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(show_log, "_PENDING", 10)
    rig = Rig(tmp_path)
    for step in range(200):
        rig.parameters.set("/streamvace/seed", (step + 10,), "fader")
        rig.parameters.set("/streamvace/context_scale", (step / 200,), "fader")
    rig.made(0)
    rig.log.close()
    (chunk,) = read_show(rig.path).chunks
    assert dict(chunk.changes) == {"/streamvace/seed": 209, "/streamvace/context_scale": 0.995}
    assert len(chunk.changes) <= 12
    assert rig.log.merged > 380


def test_a_full_disk_ends_the_log_and_not_the_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "gone" / "show.jsonl"
    path.parent.mkdir()
    real_open = Path.open

    def full(self: Path, *arguments: object, **named: object) -> object:
        if self == path:
            raise OSError(28, "No space left on device")
        return real_open(self, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", full)
    log = ShowLog(path, HEAD, Parameters().snapshot())
    for index in range(20):
        log.made(ChunkInput("a"), chunk(ChunkInput("a"), index))
    log.close()
    assert "No space left on device" in caplog.messages[0]
    assert "lines are missing" in caplog.messages[1]
