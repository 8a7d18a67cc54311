"""Any combination of VACE's inputs, on every pipeline and autoencoder: shapes, alignment in time, nothing ignored."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamvace.model.blocks import Bidirectional
from streamvace.model.rope import rotary_table
from streamvace.records.chunk import REFERENCE_MODES, ChunkInput
from tests.compositions import CODECS, INPUTS, ROWS, compose, contexts_of, latents_of, make

compositions = st.sets(st.sampled_from(INPUTS)).map(frozenset)
hypothesis = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(("name", "codec"), ROWS)
@hypothesis(max_examples=4)
@given(
    shows=st.lists(st.tuples(compositions, st.sampled_from(REFERENCE_MODES)), min_size=2, max_size=4),
    prompts=st.lists(st.sampled_from(["red", "blue"]), min_size=4, max_size=4),
)
def test_modes_switched_on_and_off_between_chunks_never_break_the_stream(
    name: str, codec: str, shows: list[tuple[frozenset[str], str]], prompts: list[str]
) -> None:
    """The right number of frames, the same frames in the cache as without any mode, and no trace after a cut."""
    generator, plain = make(name, codec), make(name, codec)
    for index, (inputs, mode) in enumerate(shows):
        wanted = generator.frames_wanted()
        given_now = compose(generator, inputs, index, reference_mode=mode, prompt=prompts[index])
        chunk = generator.step(given_now)
        plain.step(ChunkInput(prompts[index]))
        assert chunk.frames.shape == (wanted, *generator.size[::-1], 3)
        assert chunk.index == index
        assert generator.state.cache.frames == plain.state.cache.frames
        assert generator.state.position == plain.state.position
    generator.reset()
    again = generator.step(compose(generator, frozenset({"control", "mask"}), 9))
    fresh = make(name, codec)
    np.testing.assert_array_equal(again.frames, fresh.step(compose(fresh, frozenset({"control", "mask"}), 9)).frames)


@pytest.mark.parametrize(("name", "codec"), ROWS)
@hypothesis(max_examples=6)
@given(
    inputs=compositions.filter(bool),
    mode=st.sampled_from(["joint", "memory"]),
    first=st.booleans(),
    data=st.data(),
)
def test_no_input_is_ignored_in_any_composition(
    name: str, codec: str, inputs: frozenset[str], mode: str, first: bool, data: st.DataObject
) -> None:
    """Each changes the picture in every combination. A scale map alone has nothing to scale."""
    left_out = data.draw(st.sampled_from(sorted(inputs)))
    if left_out == "scale_map" and not inputs - {"scale_map", "source"}:
        inputs |= {"control"}
    results = []
    for shown in (inputs, inputs - {left_out}):
        generator = make(name, codec)
        if not first:
            generator.step(ChunkInput("red"))
        results.append(latents_of(generator, compose(generator, shown, 1, reference_mode=mode)))
    assert not torch.equal(*results), f"{left_out} beside {sorted(inputs)}"


@pytest.mark.parametrize(("name", "codec"), [*CODECS, ("streamdiffusionv2", "taehv"), ("streamdiffusionv2", "wan-vae")])
@pytest.mark.parametrize("first", [True, False])
@hypothesis(max_examples=6)
@given(beside=compositions, struck=st.sampled_from(["control", "second_control"]), data=st.data())
def test_an_impulse_in_a_control_frame_moves_its_own_latent_frame_first(
    name: str, codec: str, first: bool, beside: frozenset[str], struck: str, data: st.DataObject
) -> None:
    """No earlier latent frame changes. A causal codec changes later ones too, TinyAE does not."""
    generator = make(name, codec)
    if not first:
        generator.step(compose(generator, frozenset({"control"}), 3))
    # Kept pixels would hide the impulse: no mask here, and no anchor on the changed frame.
    shown = (beside - {"mask"}) | {"control", "second_control"}
    still = compose(generator, shown, 1)
    frames = len(still.control)  # type: ignore[arg-type]
    anchored = {place for place, name in ((0, "first_frame"), (frames - 1, "last_frame")) if name in shown}
    frame = data.draw(st.sampled_from(sorted(set(range(frames)) - anchored)))
    picture = getattr(still, struck).copy()
    picture[frame] = 255 - picture[frame]
    which = 0 if struck == "control" else 1
    before = contexts_of(generator, still)[which]
    after = contexts_of(generator, replace(still, **{struck: picture}))[which]
    moved = (before != after).flatten(1).any(dim=1).nonzero().flatten().tolist()
    ahead = 2 if "references" in shown else 0
    group = ahead + ((frame + 3) // 4 if first else frame // 4)
    assert moved[0] == group
    if codec == "tiny":
        assert moved == [group]


@pytest.mark.parametrize(("name", "codec"), CODECS)
@pytest.mark.parametrize("first", [True, False])
def test_a_last_frame_moves_the_last_latent_frame_only_and_a_first_frame_the_first(
    name: str, codec: str, first: bool
) -> None:
    generator = make(name, codec)
    if not first:
        generator.step(compose(generator, frozenset({"control"}), 3))
    still = compose(generator, frozenset({"control"}), 1)
    before = contexts_of(generator, still)[0]
    for place, expected in (("last_frame", 2), ("first_frame", 0)):
        anchor = compose(generator, frozenset({place}), 1)
        after = contexts_of(generator, replace(still, **{place: getattr(anchor, place)}))[0]
        moved = (before != after).flatten(1).any(dim=1).nonzero().flatten().tolist()
        assert moved[0] == expected


@pytest.mark.parametrize(("name", "codec"), ROWS)
def test_all_inputs_at_once_stream_to_the_steady_state(name: str, codec: str) -> None:
    generator = make(name, codec)
    for index in range(generator.spec.cache.window // generator.spec.chunk + 2):
        chunk = generator.step(compose(generator, frozenset(INPUTS), index, reference_mode="memory"))
        assert chunk.index == index
    assert len(generator.state.cache.frames) == generator.spec.cache.window


@pytest.mark.parametrize(("name", "codec"), CODECS)
def test_an_impulse_in_a_control_frame_moves_the_hints_of_its_own_latent_frame(name: str, codec: str) -> None:
    """The branch's frames are isolated here: otherwise all of them would attend to the changed one."""
    for frame in range(12):
        generator = make(name, codec)
        generator.step(compose(generator, frozenset({"control"}), 3))
        still = compose(generator, frozenset({"control"}), 1)
        assert still.control is not None
        control = still.control.copy()
        control[frame] = 255 - control[frame]
        parts, state = generator.networks, generator.state
        apart = torch.block_diag(*[torch.ones(4, 4)] * 3).bool()
        memory = Bidirectional(rotary_table(range(3), 2, 2, parts.wan.size.head_dim, "cpu"), apart)
        time = parts.wan.embed_time(torch.full((1, 3), 500.0))
        hints = []
        for chunk in (still, replace(still, control=control)):
            embedded = contexts_of(generator, chunk)[0].flatten(0, 1).unsqueeze(0)
            made = parts.branch.hints(torch.zeros_like(embedded), embedded, time, state.context_text, memory)
            hints.append(next(made))
        moved = (hints[0] != hints[1])[0].unflatten(0, (3, 4)).flatten(1).any(dim=1).nonzero().flatten().tolist()
        assert moved[0] == frame // 4
        assert codec != "tiny" or moved == [frame // 4]
