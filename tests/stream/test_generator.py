"""`Generator.step`: chunks, prompts, control, cuts and LoRAs on small networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from streamvace.conditioning.context import ContextState
from streamvace.conditioning.pixels import to_pixels
from streamvace.model.cache import KVCache
from streamvace.model.noise import Use, draw_noise, seed_noise
from streamvace.model.specs import PIPELINES, PipelineSpec, at_latency, pipeline
from streamvace.records.chunk import PromptMix
from streamvace.stream.generator import Chunk, ChunkInput, Generator
from streamvace.stream.user_loras import UserLoras
from streamvace.system.errors import UserError
from tests.networks import SMALL, small_generator, small_lora, small_spec
from tests.stream.passes import passes

CPU = torch.device("cpu")


def control(generator: Generator, seed: int = 0) -> np.ndarray:
    width, height = generator.size
    return np.random.default_rng(seed).integers(0, 256, (generator.frames_wanted(), height, width, 3), np.uint8)


def run(generator: Generator, chunks: int, prompt: str = "red", **given: object) -> list[Chunk]:
    return [
        generator.step(ChunkInput(prompt, control=control(generator, index), **given))  # type: ignore[arg-type]
        for index in range(chunks)
    ]


def test_the_first_chunk_has_nine_frames_and_later_ones_twelve() -> None:
    generator = small_generator()
    assert [len(chunk.frames) for chunk in run(generator, 3)] == [9, 12, 12]
    assert [chunk.index for chunk in run(generator, 2)] == [3, 4]


def test_at_low_latency_a_chunk_is_one_latent_frame_and_the_window_is_as_long_as_before() -> None:
    spec = replace(at_latency(pipeline("embedded"), "low"), size=SMALL)
    generator = small_generator(spec)
    assert [len(chunk.frames) for chunk in run(generator, 8)] == [5, 4, 4, 4, 4, 4, 4, 4]
    cache = generator.state.cache
    assert isinstance(cache, KVCache)
    assert cache.rule.window == pipeline("embedded").cache.window


@pytest.mark.parametrize("name", [name for name in PIPELINES if name != "embedded"])
def test_a_pipeline_without_low_latency_says_how_many_frames_it_makes(name: str) -> None:
    frames = 4 * pipeline(name).chunk
    with pytest.raises(UserError, match=f"^{name} has no latency low: it makes {frames} frames at a time, .*embedded"):
        at_latency(pipeline(name), "low")
    assert at_latency(pipeline(name), "normal") is pipeline(name)
    with pytest.raises(UserError, match="unknown latency 'high'; there are: normal, low"):
        at_latency(pipeline(name), "high")


@pytest.mark.parametrize("name", [name for name in PIPELINES if name != "embedded"])
def test_every_pipeline_of_the_table_streams_switches_prompt_and_resets(name: str) -> None:
    """Each pipeline with its own window, sink and history rule, on a small network; 1 + 4 (f - 1) frames, then 4 f."""
    spec = replace(pipeline(name), size=SMALL)
    generator = small_generator(spec)
    window_chunks = spec.cache.window // spec.chunk + 2
    chunks = run(generator, window_chunks) + run(generator, 2, prompt="blue")
    expected = [1 + 4 * (spec.first_chunk - 1)] + [4 * spec.chunk] * (len(chunks) - 1)
    assert [len(chunk.frames) for chunk in chunks] == expected
    generator.reset()
    np.testing.assert_array_equal(run(generator, 1)[0].frames, chunks[0].frames)


def test_the_same_seed_and_inputs_give_the_same_frames() -> None:
    first, second = small_generator(), small_generator()
    for ours, theirs in zip(run(first, 4), run(second, 4), strict=True):
        np.testing.assert_array_equal(ours.frames, theirs.frames)


@pytest.mark.parametrize(("seed", "rule"), [(0, "hash"), (7, "hash"), (7, "sum")])
def test_a_chunk_starts_from_the_noise_of_the_seed_and_its_first_frame(
    seed: int, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = small_generator(small_spec(history="last_step"))
    seen = passes(generator, monkeypatch)
    run(generator, 3, seed=seed, noise_rule=rule)
    for position, made in zip((0, 3, 6), seen[::2], strict=True):
        wanted = torch.Generator()
        seed_noise(wanted, rule, seed, position, Use.CHUNK)
        assert torch.equal(made.latents, draw_noise((1, 16, 3, 4, 4), wanted, torch.float32))


def test_a_hard_cut_starts_the_stream_over_exactly() -> None:
    generator = small_generator()
    fresh = run(generator, 2)
    again = [
        generator.step(ChunkInput("red", control=control(generator, 0)[:9], reset=True)),
        generator.step(ChunkInput("red", control=control(generator, 1))),
    ]
    for ours, theirs in zip(again, fresh, strict=True):
        np.testing.assert_array_equal(ours.frames, theirs.frames)


def test_warming_up_leaves_no_trace() -> None:
    warmed = small_generator()
    seen: list[float] = []
    warmed.warm_up(seen.append)
    assert seen[-1] == 1.0
    np.testing.assert_array_equal(run(warmed, 2)[1].frames, run(small_generator(), 2)[1].frames)


@pytest.mark.parametrize("rule", ["recache", "forget", "none"])
def test_a_prompt_switch_changes_the_picture_and_keeps_the_stream(rule: str) -> None:
    kept = small_generator(small_spec(on_prompt_switch=rule))
    switched = small_generator(small_spec(on_prompt_switch=rule))
    run(kept, 3)
    run(switched, 3)
    same = kept.step(ChunkInput("red", control=control(kept, 9)))
    other = switched.step(ChunkInput("blue", control=control(switched, 9)))
    assert other.index == 3
    assert (same.frames != other.frames).any()
    wan, words = switched.networks.wan, switched.networks.text.encode(["blue"])
    for ours, theirs in zip(switched.state.text, wan.text_kv(wan.embed_text(words)), strict=True):
        assert all(map(torch.equal, ours, theirs))


@torch.inference_mode()
def test_recache_rewrites_the_history_with_the_new_prompt() -> None:
    """Outside the sink, the held K/V are those of the clean latents under the new prompt."""
    generator = small_generator(small_spec(on_prompt_switch="recache"))
    run(generator, 3)
    state, wan = generator.state, generator.networks.wan
    clean, sink = state.clean, state.cache.in_order(1)
    assert clean is not None
    generator.step(ChunkInput("blue", control=control(generator, 9)))
    by_hand = KVCache(SMALL, generator.spec.cache, 2, 2)
    for start in (0, 3, 6):
        by_hand.chunk(start, 3)
    tokens, grid = wan.embed(clean)
    for theirs, mine in zip(by_hand.k + by_hand.v, state.cache.k + state.cache.v, strict=True):
        theirs[:, :1] = mine[:, :1]
    wan.run(tokens, grid, wan.embed_time(torch.zeros(1, 6)), state.text, by_hand.replay(3, 6))
    # Held: the sink frame 0, frames 7 and 8 of the history, the new chunk.
    for ours, theirs, old in zip(state.cache.in_order(1), by_hand.in_order(1), sink, strict=True):
        torch.testing.assert_close(ours[:, :4], old[:, :4])
        torch.testing.assert_close(ours[:, 4:12], theirs[:, 16:24], atol=1e-5, rtol=0)


def test_a_forgetting_pipeline_shows_the_new_prompt_from_the_next_chunk_on() -> None:
    """The cache starts over; the stream, its position and its decoder continue."""
    generator = small_generator(small_spec(on_prompt_switch="forget"))
    run(generator, 3)
    assert generator.step(ChunkInput("blue", control=control(generator, 9))).index == 3
    assert generator.state.cache.frames == [9, 10, 11]
    run(generator, 2, prompt="blue")
    assert len(generator.state.cache.frames) == generator.spec.cache.window


@pytest.mark.parametrize(
    ("steps", "done"),
    [(0, [1000, 750, 500, 250]), (1, [1000]), (2, [1000, 250]), (4, [1000, 750, 500, 250]), (8, [1000, 750, 500, 250])],
)
def test_a_chunk_takes_the_steps_it_is_given_and_at_most_what_there_are(
    steps: int, done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = small_generator(small_spec(steps=(1000, 750, 500, 250), warp=False, history="last_step"))
    seen = passes(generator, monkeypatch)
    run(generator, 1, denoise_steps=steps)
    assert [made.timestep for made in seen] == done


def test_the_context_scale_multiplies_the_hints_and_zero_turns_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    hints: dict[float, list[torch.Tensor]] = {}
    for scale in (1.0, 0.5, 2.0, 0.0):
        generator = small_generator()
        seen = passes(generator, monkeypatch)
        run(generator, 1, context_scale=scale)
        hints[scale] = seen[0].hints
        assert seen[-1].timestep == 0
        assert seen[-1].hints == []  # the history is written without hints
    assert hints[0.0] == []
    assert float(hints[1.0][0].abs().max()) > 0
    for scale in (0.5, 2.0):
        torch.testing.assert_close(hints[scale][0], scale * hints[1.0][0])


def test_where_control_ends_its_past_ends_too() -> None:
    """What it shows when it returns is not blurred into what it showed before."""
    generator = small_generator()
    run(generator, 1)
    assert generator.state.context.reactive is not None
    generator.step(ChunkInput("red"))
    assert generator.state.context == ContextState()


@pytest.mark.parametrize("before", [0, 1])
def test_a_source_is_encoded_as_a_stream_s_start_only_at_a_stream_s_start(
    before: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = small_generator()
    for _ in range(before):
        generator.step(ChunkInput("red"))
    codec, encode = generator.networks.codec, generator.networks.codec.encode
    states: list[list[torch.Tensor] | None] = []
    monkeypatch.setattr(codec, "encode", lambda pixels, state: states.append(state) or encode(pixels, state))
    source = control(generator)
    generator.step(ChunkInput("red", source=source, noise_scale=0.7))
    if before:
        assert states[0] is not None
        assert all(map(torch.equal, states[0], codec.blank_state(to_pixels(source, CPU, torch.float32))))
    else:
        assert states[0] is None


def test_an_all_white_mask_is_the_same_as_no_mask() -> None:
    masked, plain = small_generator(), small_generator()
    for index in range(3):
        white = np.full((masked.frames_wanted(), 32, 32), 255, np.uint8)
        ours = masked.step(ChunkInput("red", control=control(masked, index), mask=white))
        np.testing.assert_array_equal(ours.frames, plain.step(ChunkInput("red", control=control(plain, index))).frames)


def test_a_mask_without_control_regenerates_a_part_of_the_own_output() -> None:
    """Nothing is silently ignored: the mask alone changes the picture."""
    masked, plain = small_generator(), small_generator()
    for generator in (masked, plain):
        generator.step(ChunkInput("red"))
    mask = np.zeros((12, 32, 32), np.uint8)
    mask[:, :16] = 255
    assert (masked.step(ChunkInput("red", mask=mask)).frames != plain.step(ChunkInput("red")).frames).any()


def test_modes_can_be_switched_on_and_off_between_chunks() -> None:
    generator = small_generator()
    for index, (with_control, with_mask) in enumerate([(1, 0), (0, 0), (1, 1), (0, 1), (1, 0), (1, 1)]):
        count = generator.frames_wanted()
        chunk = generator.step(
            ChunkInput(
                "red",
                control=control(generator, index) if with_control else None,
                mask=np.eye(32, dtype=np.uint8)[None].repeat(count, 0) * 255 if with_mask else None,
            )
        )
        assert chunk.frames.shape == (count, 32, 32, 3)


@pytest.mark.parametrize("name", ["control", "mask", "source"])
def test_frames_of_the_wrong_size_are_refused_with_both_sizes_and_lose_nothing(name: str) -> None:
    """Refused before anything changes: not even the prompt of the same chunk has emptied the cache."""
    generator = small_generator(small_spec(on_prompt_switch="forget"))
    run(generator, 2)
    held = generator.state.cache.frames
    tail = () if name == "mask" else (3,)
    with pytest.raises(ValueError, match=rf"{name} is uint8 \[9, 32, 32.*takes uint8 \[12, 32, 32"):
        generator.step(ChunkInput("blue", **{name: np.zeros((9, 32, 32, *tail), np.uint8)}))  # type: ignore[arg-type]
    assert (generator.state.cache.frames, generator.state.prompt) == (held, PromptMix.of("red"))
    assert generator.step(ChunkInput("red")).index == 2


def test_a_size_the_pipeline_cannot_generate_is_refused_with_the_fix() -> None:
    with pytest.raises(UserError, match=r"40x32.*multiples of 16"):
        small_generator(size=(40, 32))


def test_a_result_that_is_not_finite_is_an_error_and_resets_the_stream() -> None:
    generator = small_generator()
    run(generator, 2)
    generator.networks.wan.head.head.bias.fill_(float("nan"))
    with pytest.raises(FloatingPointError):
        generator.step(ChunkInput("red"))
    generator.networks.wan.head.head.bias.zero_()
    assert generator.step(ChunkInput("red")).index == 0


def test_unknown_words_are_reported_once_per_prompt() -> None:
    generator = small_generator()
    assert "quux" in generator.step(ChunkInput("red quux")).notes[0]
    assert generator.step(ChunkInput("red quux")).notes == ()


def test_every_stage_of_a_chunk_is_timed_and_their_sum_is_within_the_total() -> None:
    seconds = run(small_generator(), 1)[0].seconds
    assert {"text", "encode", "context", "denoise", "cache", "decode", "total"} == set(seconds)
    assert 0 < sum(v for k, v in seconds.items() if k != "total") <= seconds["total"]


def test_the_chunk_carries_the_tags_of_its_input() -> None:
    chunk = small_generator().step(ChunkInput("red", generation=3, captured_ns=99, snapshot_version=12))
    assert (chunk.generation, chunk.captured_ns, chunk.snapshot_version) == (3, 99, 12)


def test_memory_does_not_grow_with_the_length_of_the_stream() -> None:
    generator = small_generator(small_spec(on_prompt_switch="recache"))
    run(generator, 3)
    before = generator.state.nbytes
    run(generator, 12)
    assert generator.state.nbytes == before
    assert generator.state.clean is not None
    assert generator.state.clean.shape[2] == generator.spec.cache.window
    assert len(generator.state.cache.frames) == generator.spec.cache.window


def styled_generator(mode: str, spec: PipelineSpec | None = None) -> Generator:
    """A generator with a user LoRA on every linear layer of its base network."""
    generator = small_generator(spec)
    wan = generator.networks.wan
    lora = (small_lora(wan), 1.0)
    loras = UserLoras(wan, merged=[lora]) if mode == "merged" else UserLoras(wan, side=[lora])
    generator.networks = replace(generator.networks, loras=loras)
    return generator


@pytest.mark.parametrize("mode", ["merged", "side"])
def test_a_lora_changes_strength_between_chunks_and_leaves_no_trace_at_0_after_a_reset(mode: str) -> None:
    held, moved, base = styled_generator(mode), styled_generator(mode), small_generator()
    for generator in (held, moved):
        run(generator, 2)
    assert (run(held, 1)[0].frames != run(moved, 1, lora_strength=0.5)[0].frames).any()
    moved.reset()
    for ours, theirs in zip(run(moved, 3, lora_strength=0.0), run(base, 3), strict=True):
        np.testing.assert_array_equal(ours.frames, theirs.frames)


@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_a_side_lora_gives_the_same_stream_as_a_merged_one(strength: float) -> None:
    merged, side = styled_generator("merged"), styled_generator("side")
    for ours, theirs in zip(run(side, 3, lora_strength=strength), run(merged, 3, lora_strength=strength), strict=True):
        assert np.abs(ours.frames.astype(int) - theirs.frames).max() <= 1


@pytest.mark.parametrize("mode", ["merged", "side"])
def test_a_strength_change_reaches_the_text_without_a_new_prompt(mode: str) -> None:
    generator = styled_generator(mode)
    run(generator, 1)
    before = generator.state.text[1][0]._version
    run(generator, 1)
    assert generator.state.text[1][0]._version == before
    run(generator, 1, lora_strength=0.0)
    base = small_generator()
    run(base, 1)
    assert torch.equal(generator.state.text[1][0], base.state.text[1][0])


@pytest.mark.parametrize("mode", ["merged", "side"])
@pytest.mark.parametrize("name", ["longlive", "krea-realtime", "streamdiffusionv2"])
def test_a_lora_at_0_does_not_change_prompt_switches(name: str, mode: str) -> None:
    """Recached, recomputed and last-step histories run at the chunk's own strength."""
    spec = replace(pipeline(name), size=SMALL)
    styled, base = styled_generator(mode, spec), small_generator(spec)
    for generator in (styled, base):
        run(generator, 3, lora_strength=0.0) if generator is styled else run(generator, 3)
    ours, theirs = run(styled, 1, "blue", lora_strength=0.0)[0], run(base, 1, "blue")[0]
    np.testing.assert_array_equal(ours.frames, theirs.frames)


@pytest.mark.parametrize("name", [name for name in PIPELINES if name != "embedded"])
def test_a_region_without_tokens_is_no_style_in_every_pipeline(name: str) -> None:
    """No style inside a black mask or outside a white one, through prompt switches and under every history rule."""
    spec = replace(pipeline(name), size=SMALL)
    for level, region in ((0, "mask"), (255, "outside")):
        limited, off = styled_generator("side", spec), styled_generator("side", spec)
        for index, prompt in enumerate(("red", "red", "red", "blue", "blue")):
            given = ChunkInput(
                prompt,
                control=control(off, index),
                mask=np.full((off.frames_wanted(), 32, 32), level, np.uint8),
            )
            ours = limited.step(replace(given, lora_region=region))
            np.testing.assert_array_equal(ours.frames, off.step(replace(given, lora_strength=0.0)).frames)


def test_a_style_shows_in_its_region_and_without_a_mask_that_is_everywhere() -> None:
    mask = np.zeros((9, 32, 32), np.uint8)
    mask[:, :, :16] = 255
    left, right, off, whole, none = (
        styled_generator("side").step(ChunkInput("red", **given)).frames  # type: ignore[arg-type]
        for given in (
            {"mask": mask, "lora_region": "mask"},
            {"mask": mask, "lora_region": "outside"},
            {"mask": mask, "lora_strength": 0.0},
            {"lora_region": "mask"},
            {"lora_region": "outside"},
        )
    )
    assert (left != right).any()
    assert (left != off).any()
    np.testing.assert_array_equal(none, small_generator().step(ChunkInput("red")).frames)
    assert (whole != none).any()


def test_a_replay_styles_each_frame_where_it_was_styled(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = styled_generator("side")
    half = np.zeros((12, 32, 32), np.uint8)
    half[:, :16] = 255
    run(generator, 1)
    generator.step(ChunkInput("red", mask=half, lora_region="mask"))
    regions = generator.state.regions
    assert [each is None for each in regions] == [True] * 3 + [False] * 3
    assert regions[-1] is not None
    assert regions[-1].flatten().tolist() == [1.0, 1.0, 0.0, 0.0]
    limited: list[list[torch.Tensor | None]] = []
    loras, limit = generator.networks.loras, generator.networks.loras.limit
    monkeypatch.setattr(loras, "limit", lambda frames: limited.append(list(frames)) or limit(frames))
    generator.step(ChunkInput("blue", mask=half, lora_region="mask"))  # recaches six frames of both kinds
    assert len(limited[0]) == 6
    assert all(ours is theirs for ours, theirs in zip(limited[0], regions, strict=True))
    assert len(generator.state.regions) == generator.spec.cache.window


def test_a_seam_is_eased_to_the_last_picture_that_was_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = small_generator(small_spec(ease_seams=4))
    before: list[torch.Tensor | None] = []
    monkeypatch.setattr(
        "streamvace.stream.picture_work.ease_chunk_", lambda pixels, last, *how: before.append(last) or pixels
    )
    shown: list[torch.Tensor] = []
    for _ in range(3):
        generator.step(ChunkInput("red"))
        assert generator.state.last_pixels is not None
        shown.append(generator.state.last_pixels[:, :, -1])
    assert before[0] is None
    assert all(map(torch.equal, before[1:], shown))  # type: ignore[arg-type]


def test_a_region_mask_of_the_wrong_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(ValueError, match=r"mask is uint8 \[8, 32, 32\].*\[9, 32, 32\]"):
        styled_generator("side").step(
            ChunkInput("red", mask=np.zeros((8, 32, 32), np.uint8), lora_region="mask", context_scale=0.0)
        )


def test_past_bias_changes_krea_realtime_and_at_1_nothing() -> None:
    spec = replace(pipeline("krea-realtime"), size=SMALL)
    plain, same, looser = (small_generator(spec) for _ in range(3))
    first = [run(generator, 1, past_bias=bias)[0].frames for generator, bias in ((plain, 1.0), (looser, 0.1))]
    np.testing.assert_array_equal(*first)  # the first chunk of a stream has no past
    run(same, 1)
    expected = run(plain, 2)[1]
    np.testing.assert_array_equal(run(same, 2, past_bias=1.0)[1].frames, expected.frames)
    moved = run(looser, 2, past_bias=0.1)[1]
    assert (moved.frames != expected.frames).any()
    assert moved.notes == ()


def test_a_pipeline_without_a_past_bias_says_so_and_goes_on() -> None:
    biased, plain = small_generator(), small_generator()
    run(biased, 1)
    run(plain, 1)
    chunk = run(biased, 1, past_bias=0.3)[0]
    assert chunk.notes == ("/streamvace/past_bias: has no effect in longlive, only in Krea Realtime",)
    np.testing.assert_array_equal(chunk.frames, run(plain, 1)[0].frames)


@pytest.mark.parametrize("bias", [0.0, -1.0, 1.5])
def test_a_past_bias_out_of_range_is_refused(bias: float) -> None:
    with pytest.raises(ValueError, match=f"past_bias is {bias}"):
        run(small_generator(), 1, past_bias=bias)


def test_a_hard_cut_begins_like_a_reset_and_a_soft_one_keeps_the_stream() -> None:
    cut, fresh, kept, soft = (small_generator() for _ in range(4))
    for generator in (cut, kept, soft):
        run(generator, 2)
    first = run(fresh, 1)[0]
    cut.reset()
    asked = control(cut, 0)
    run(cut, 2)
    begun = cut.step(ChunkInput("red", control=asked, cut="hard"))
    assert begun.index == 0
    np.testing.assert_array_equal(begun.frames, first.frames)
    softened = soft.step(ChunkInput("red", control=control(soft, 5), cut="soft"))
    unmoved = kept.step(ChunkInput("red", control=control(kept, 5)))
    assert softened.index == 2
    assert (softened.frames != unmoved.frames).any()


def test_a_soft_cut_lasts_until_the_window_holds_only_what_came_after_it() -> None:
    generator = small_generator()
    window, span = generator.spec.cache.window, generator.spec.chunk
    run(generator, 1)
    generator.step(ChunkInput("red", control=control(generator), cut="soft"))
    biased: list[bool] = []
    made = generator.state.cache.chunk

    def watched(*arguments: object) -> object:
        passed = made(*arguments)  # type: ignore[arg-type]
        biased.append(passed.bias is not None)
        return passed

    generator.state.cache.chunk = watched  # type: ignore[method-assign, assignment]
    run(generator, window // span + 1)
    assert biased == [True] * (window // span - 1) + [False] * 2


def test_a_reset_ends_a_soft_cut() -> None:
    generator, plain = small_generator(), small_generator()
    run(generator, 2, cut="soft")
    generator.reset()
    np.testing.assert_array_equal(run(generator, 2)[1].frames, run(plain, 2)[1].frames)


def test_an_unknown_cut_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="cut 'jump'; there are: soft, hard"):
        run(small_generator(), 1, cut="jump")
