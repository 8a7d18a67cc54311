"""Effects of references, anchors, second controls, scales and reused hints, on small networks."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from streamvace.model.blocks import Bidirectional
from streamvace.model.noise import StreamNoise, Use, draw_noise, seed_noise
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import add_noise
from streamvace.records.chunk import ChunkInput
from streamvace.stream.generator import Generator
from streamvace.stream.hints import ChunkHints
from tests.networks import SMALL, small_generator, small_spec

TWO_BLOCKS = replace(SMALL, vace_layers=(0, 1))


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), np.uint8)


def latents_of(generator: Generator, chunks: int = 1, **given: object) -> list[torch.Tensor]:
    """The finished latents of some chunks under moving control; finer than 8-bit frames."""
    made = []
    for index in range(chunks):
        control = pictures(generator.frames_wanted(), index)
        generator.step(ChunkInput(**({"prompt": "red", "control": control} | given)))  # type: ignore[arg-type]
        assert generator.state.clean is not None
        made.append(generator.state.clean[:, :, -3:])
    return made


def all_differ(*pictures: torch.Tensor) -> bool:
    return all(not torch.equal(one, other) for one, other in combinations(pictures, 2))


def record_hints(generator: Generator) -> list[list[torch.Tensor]]:
    """The context branch's hints, call by call."""
    made: list[list[torch.Tensor]] = []
    branch = generator.networks.branch
    original = branch.hints

    def recorded(*args: object, **kwargs: object) -> list[torch.Tensor]:
        made.append(list(original(*args, **kwargs)))  # type: ignore[arg-type]
        return made[-1]

    branch.hints = recorded  # type: ignore[method-assign, assignment]
    return made


def test_joint_references_give_the_chunk_the_hints_that_batch_vace_gives_it() -> None:
    """Batch VACE over [references | clip], its reference hints dropped."""
    generator = small_generator(small_spec(size=TWO_BLOCKS, steps=(1000,)))
    made = record_hints(generator)
    control, references = pictures(9), pictures(2, 5)
    generator.step(ChunkInput("red", control=control, references=references))
    parts, codec = generator.networks, generator.networks.codec

    def pixels(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(array).permute(3, 0, 1, 2).unsqueeze(0) / 127.5 - 1

    z = torch.cat([codec.encode(pixels(each[None]), None)[0] for each in references], dim=2)
    reactive, _ = codec.encode(pixels(control), None)
    grey, _ = codec.encode(torch.zeros(1, 3, 9, 32, 32), None)
    clip = torch.cat((grey, reactive, torch.ones(1, 64, 3, 4, 4)), dim=1)
    front = torch.cat((z, torch.zeros(1, 80, 2, 4, 4)), dim=1)
    noise, of_references = StreamNoise("cpu", 0.0, 0), torch.Generator()
    noise.begin_chunk(42, 0)
    seed_noise(of_references, "hash", 42, 0, Use.REFERENCES)
    drawn = draw_noise((1, 16, 2, 4, 4), of_references, torch.float32)
    x = torch.cat((add_noise(z, drawn, 1.0), noise.draw((1, 16, 3, 4, 4), torch.float32)), dim=2)
    tokens, grid = parts.wan.embed(x)
    time = parts.wan.embed_time(torch.full((1, 5), 1000.0))
    memory = Bidirectional(rotary_table(range(5), 2, 2, SMALL.head_dim, "cpu"))
    batch = parts.branch(tokens, torch.cat((front, clip), dim=2), time, generator.state.context_text, memory)
    assert grid.frames == 5
    for ours, theirs in zip(made[0], batch, strict=True):
        torch.testing.assert_close(ours, theirs[:, 2 * 4 :], atol=1e-5, rtol=0)


@pytest.mark.parametrize("mode", ["joint", "memory", "paper"])
def test_every_reference_shows_in_every_mode(mode: str) -> None:
    """Each is used, each on its own, and none needs a control."""
    seen = [latents_of(small_generator(), references=pictures(3), reference_mode=mode)[0]]
    for index in range(3):
        references = pictures(3)
        references[index] = 255 - references[index]
        seen.append(latents_of(small_generator(), references=references, reference_mode=mode)[0])
    seen.append(latents_of(small_generator())[0])
    assert all_differ(*seen)
    alone = latents_of(small_generator(), control=None, references=pictures(1), reference_mode=mode)[0]
    assert all_differ(alone, latents_of(small_generator(), control=None)[0])


@pytest.mark.parametrize(("learned", "same_as"), [(True, "joint"), (False, "memory")])
def test_auto_picks_the_reference_mode_that_the_model_supports(learned: bool, same_as: str) -> None:
    spec = replace(small_spec(), learned_references=learned)
    made = [
        latents_of(small_generator(spec), references=pictures(2), reference_mode=mode)[0] for mode in ("auto", same_as)
    ]
    assert torch.equal(*made)


def test_a_reference_is_encoded_alone_and_only_when_it_is_new() -> None:
    generator = small_generator()
    calls: list[int] = []
    original = generator.networks.codec.encode

    def counted(pixels: torch.Tensor, state: object) -> object:
        if pixels.shape[2] == 1:
            calls.append(pixels.shape[0])
        return original(pixels, state)  # type: ignore[arg-type]

    generator.networks.codec.encode = counted  # type: ignore[method-assign, assignment]
    one, two = pictures(1, 1), pictures(1, 2)
    latents_of(generator, references=np.concatenate((one, two)))
    alone = [latent for _, latent in generator.state.references.encoded]
    latents_of(generator, references=np.concatenate((two, one)))
    assert calls == [1, 1]
    swapped = generator.state.references.latents
    torch.testing.assert_close(swapped, torch.cat((alone[1], alone[0]), dim=2), atol=0, rtol=0)
    latents_of(generator, references=two)
    assert generator.state.references.latents is not None
    assert generator.state.references.latents.shape[2] == 1
    latents_of(generator)
    assert generator.state.references.latents is None
    assert calls == [1, 1]


def test_showing_a_reference_does_not_change_the_picture_s_noise() -> None:
    """With the context branch's output at zero, `joint` equals the picture without a reference bit by bit."""
    silent = replace(small_spec(), size=SMALL)
    plain, shown = small_generator(silent), small_generator(silent)
    for generator in (plain, shown):
        generator.networks.branch.vace_blocks[0].after_proj.weight.zero_()  # type: ignore[union-attr]
        generator.networks.branch.vace_blocks[0].after_proj.bias.zero_()  # type: ignore[union-attr]
    assert torch.equal(latents_of(plain)[0], latents_of(shown, references=pictures(2))[0])


def test_memory_mode_shows_references_to_the_base_without_any_hints() -> None:
    plain, shown = small_generator(), small_generator()
    silent = latents_of(plain, 3, context_scale=0.0)
    seen = latents_of(shown, 3, context_scale=0.0, references=pictures(2), reference_mode="memory")
    assert all(all_differ(*pair) for pair in zip(seen, silent, strict=True))
    joint = latents_of(small_generator(), 3, context_scale=0.0, references=pictures(2))
    assert torch.equal(joint[2], silent[2])


def test_memory_keys_are_made_once_per_reference_and_prompt_and_leave_no_trace_when_gone() -> None:
    generator = small_generator()
    latents_of(generator, references=pictures(1), reference_mode="memory")
    keys = generator.state.references.keys
    latents_of(generator, references=pictures(1), reference_mode="memory")
    assert generator.state.references.keys is keys
    latents_of(generator, prompt="blue", references=pictures(1), reference_mode="memory")
    assert generator.state.references.keys is not keys
    generator.reset()
    assert torch.equal(latents_of(generator)[0], latents_of(small_generator())[0])


def test_the_published_mode_puts_references_where_the_control_was() -> None:
    """As many references as the chunk has latent frames replace the whole control: a weakness of the paper's mode."""
    first = latents_of(small_generator(), references=pictures(3), reference_mode="paper")[0]
    other = latents_of(small_generator(), control=pictures(9, 7), references=pictures(3), reference_mode="paper")[0]
    assert torch.equal(first, other)
    joint = latents_of(small_generator(), references=pictures(3))[0]
    assert all_differ(joint, latents_of(small_generator(), control=pictures(9, 7), references=pictures(3))[0])


@pytest.mark.parametrize("place", ["first_frame", "last_frame"])
def test_an_anchor_shapes_every_chunk_it_is_given_for(place: str) -> None:
    plain, anchored = small_generator(), small_generator()
    for index in range(3):
        without = latents_of(plain, control=None)[0]
        with_it = latents_of(anchored, control=None, **{place: pictures(1, index)[0]})[0]
        assert all_differ(with_it, without)


def test_a_second_control_at_weight_0_is_the_first_and_at_1_the_second() -> None:
    def both(weight: float) -> torch.Tensor:
        return latents_of(small_generator(), 1, second_control=pictures(9, 3), second_weight=weight)[0]

    assert torch.equal(both(0.0), latents_of(small_generator())[0])
    assert torch.equal(both(1.0), latents_of(small_generator(), control=pictures(9, 3))[0])
    assert all_differ(*map(both, (0.0, 0.3, 0.6, 1.0)))


def test_a_second_control_blends_hints_not_pictures() -> None:
    generator = small_generator(small_spec(steps=(1000,)))
    latents_of(generator, control=pictures(9), second_control=pictures(9, 3), second_weight=0.25)
    separately = []
    for seed in (0, 3):
        alone = small_generator(small_spec(steps=(1000,)))
        made = record_hints(alone)
        latents_of(alone, control=pictures(9, seed))
        separately.append(made[0][0])
    blended = small_generator(small_spec(steps=(1000,)))
    taken: list[torch.Tensor] = []
    run = blended.networks.wan.run
    blended.networks.wan.run = lambda *args: (taken.extend(args[5]), run(*args))[1]  # type: ignore[method-assign]
    latents_of(blended, control=pictures(9), second_control=pictures(9, 3), second_weight=0.25)
    torch.testing.assert_close(taken[0], 0.75 * separately[0] + 0.25 * separately[1], atol=1e-6, rtol=0)


def test_under_a_mask_the_kept_pixels_are_the_first_control_s() -> None:
    mask = np.zeros((9, 32, 32), np.uint8)
    mask[:, :16] = 255
    kept = pictures(9, 3)
    other = kept.copy()
    other[:, 16:] = 0  # where the mask keeps pixels, the second control is not used
    given = {"mask": mask, "second_weight": 0.5}
    first = latents_of(small_generator(), second_control=kept, **given)[0]
    assert torch.equal(first, latents_of(small_generator(), second_control=other, **given)[0])


def test_a_scale_map_of_128_changes_nothing_and_half_a_map_frees_half_the_picture() -> None:
    plain = latents_of(small_generator())[0]
    neutral = np.full((9, 32, 32), 128, np.uint8)
    assert torch.equal(latents_of(small_generator(), scale_map=neutral)[0], plain)
    taken: list[torch.Tensor] = []
    generator = small_generator()
    run = generator.networks.wan.run
    generator.networks.wan.run = lambda *args: (taken.extend(args[5]), run(*args))[1]  # type: ignore[method-assign]
    half = neutral.copy()
    half[:, :, 16:] = 0
    latents_of(generator, scale_map=half)
    columns = taken[0].view(3, 2, 2, -1)
    assert (columns[:, :, 1] == 0).all()
    assert (columns[:, :, 0] != 0).any()


def test_every_frame_of_a_scale_map_counts_and_only_for_its_own_latent_frame() -> None:
    for first, count in ((True, 9), (False, 12)):
        for frame in range(count):
            generator = small_generator()
            if not first:
                latents_of(generator)
            builder, state = generator._hints, generator.state
            scale = np.full((count, 32, 32), 128, np.uint8)
            scale[frame] = 255
            given = ChunkInput("red", control=pictures(count), scale_map=scale)
            (place,) = builder._scales(given, generator.networks, 3)
            assert isinstance(place, torch.Tensor)
            moved = (place.view(3, 4) != 1).any(dim=1).nonzero().flatten().tolist()
            assert moved == [(frame + 3) // 4 if first else frame // 4], (first, frame, state.position)


def test_block_scales_weigh_each_context_block() -> None:
    spec = small_spec(size=TWO_BLOCKS)
    plain = latents_of(small_generator(spec))[0]
    assert torch.equal(latents_of(small_generator(spec), block_scales=(1.0, 1.0))[0], plain)
    scales = ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.5, 0.5))
    assert all_differ(*(latents_of(small_generator(spec), block_scales=each)[0] for each in scales))
    none = latents_of(small_generator(spec), control=None)[0]
    assert torch.equal(latents_of(small_generator(spec), block_scales=(0.0, 0.0))[0], none)


def test_hints_are_made_as_often_as_requested() -> None:
    steps = (1000, 900, 700, 500)
    for every, calls in ((1, 4), (2, 2), (3, 2), (4, 1), (9, 1)):
        generator = small_generator(small_spec(steps=steps))
        made = record_hints(generator)
        latents_of(generator, hint_reuse=every)
        assert len(made) == calls
    every_step = latents_of(small_generator(small_spec(steps=steps)))[0]
    assert all_differ(every_step, latents_of(small_generator(small_spec(steps=steps)), hint_reuse=2)[0])


@pytest.mark.parametrize(("threshold", "calls"), [(0.0, 5), (0.12, 4), (0.25, 3), (1.0, 2)])
def test_a_picture_that_has_settled_needs_no_new_hints(threshold: float, calls: int) -> None:
    """Each step changes it less than the previous one: by 0.33, 0.2, 0.11 and 0.06 of its norm."""
    generator = small_generator()
    latents_of(generator)
    given = ChunkInput("red", control=pictures(12), hint_threshold=threshold)
    encoded = generator._pictures.encode(given, generator.state, True, 12)
    hints = generator._hints.open(given, encoded.contexts, generator.state, generator.networks, 3)
    assert hints is not None
    made = record_hints(generator)
    x0 = torch.ones(1, 16, 3, 4, 4)
    time = generator.networks.wan.embed_time(torch.full((1, 3), 500.0))
    for step in range(5):
        hints.prepare_step(0.5)
        hints.take(torch.zeros(1, 12, SMALL.dim), time)
        hints.watch(x0 * (1 + 0.5**step))
    assert len(made) == calls


def test_hints_see_the_picture_of_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(ChunkHints, "watch", lambda hints, x0: seen.append(x0))
    (last,) = latents_of(small_generator(small_spec(steps=(1000, 750, 500))))
    assert len(seen) == 3
    assert torch.equal(seen[-1], last)


def test_the_history_is_written_with_hints_when_asked() -> None:
    plain, hinted = small_generator(), small_generator()
    made = record_hints(hinted)
    assert torch.equal(latents_of(plain)[0], latents_of(hinted, history_hints=True)[0])
    assert len(made) == len(hinted.spec.steps) + 1
    # The second chunk is shaped by the other history.
    assert all_differ(latents_of(plain)[0], latents_of(hinted, history_hints=True)[0])
