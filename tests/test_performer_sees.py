"""None of the published adaptation's defects appears here, tested by what a performer would see of each.

Numbers are those of the specification's list (B1-B15, T1-T3). Where another test already covers a defect, it is named
here and not repeated:

B1   below (three tests); `test_hints.test_joint_references_give_the_chunk_the_hints_that_batch_vace_gives_it`
B2   `test_hints.test_a_reference_is_encoded_alone_and_only_when_it_is_new`
B3   `test_hints.test_every_reference_shows_in_every_mode`, below
B4   below
B5   below
B6   `test_generator.test_the_first_chunk_has_nine_frames_and_later_ones_twelve`, below
B7   below; `test_composition.test_a_last_frame_moves_the_last_latent_frame_only_and_a_first_frame_the_first`
B8   below
B9   below
B10  below; `test_composition.test_modes_switched_on_and_off_between_chunks_never_break_the_stream`
B11  `test_generator.test_a_mask_without_control_regenerates_a_part_of_the_own_output`,
     `conditioning.test_context.test_soft_masks_stay_soft_and_keep_their_place`, below
B12  below
B13  below
B14  `test_wan_loading.test_its_lora_is_merged_into_the_base_and_not_into_the_context_branch`,
     `model.test_quantize.test_only_the_blocks_are_quantised`
B15  `conditioning.test_context.test_a_mask_that_is_all_white_for_one_chunk_does_not_pick_up_a_stale_stream`, below
T1   below; `parity.test_parity` on longlive_vace_nopadkeys
T2   below
T3   `test_hints.test_the_history_is_written_with_hints_when_asked`
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from streamvace.conditioning.context import ContextState, encode_context
from streamvace.model.blocks import Bidirectional
from streamvace.model.rope import rotary_table
from streamvace.model.specs import pipeline
from streamvace.records.chunk import ChunkInput
from tests.compositions import CODECS, compose, contexts_of, latents_of, make
from tests.networks import SMALL, small_codec, small_generator

CONTROL = frozenset({"control"})
both_autoencoders = pytest.mark.parametrize("codec", ["taehv", "wan-vae"])
every_autoencoder = pytest.mark.parametrize(("name", "codec"), CODECS)


@every_autoencoder
def test_b1_a_reference_neither_delays_the_control_nor_cuts_off_its_end(name: str, codec: str) -> None:
    """The chunk's own part of the context is the same with references and without."""
    for references in ({"references"}, {"references", "mask"}, {"references", "last_frame"}):
        alone, beside = make(name, codec), make(name, codec)
        for index in range(2):
            without = contexts_of(alone, compose(alone, CONTROL | references - {"references"}, index))[0]
            with_them = contexts_of(beside, compose(beside, CONTROL | references, index))[0]
            torch.testing.assert_close(with_them[2:], without, atol=0, rtol=0)
            for generator in (alone, beside):
                generator.step(compose(generator, CONTROL, index))


@pytest.mark.parametrize("count", [3, 5])
def test_b1_the_control_still_steers_with_as_many_references_as_the_chunk_is_long(count: int) -> None:
    """In the published mode the references replace it entirely."""
    made = []
    for seed in (1, 2):
        generator = make("longlive", "taehv")
        references = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)
        made.append(latents_of(generator, compose(generator, CONTROL, seed, references=references)))
    assert not torch.equal(*made)


def test_b1_one_latent_a_chunk_leaves_room_for_references_and_control() -> None:
    """StreamDiffusionV2: the reference implementation drops the control, or all references but one."""
    made = []
    for seed, struck in ((1, None), (2, None), (1, 0), (1, 1)):
        generator = make("streamdiffusionv2", "taehv")
        generator.step(ChunkInput("red"))
        references = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
        if struck is not None:
            references[struck] = 255 - references[struck]
        made.append(latents_of(generator, compose(generator, CONTROL, seed, references=references)))
    assert all(not torch.equal(one, other) for at, one in enumerate(made) for other in made[:at])


@every_autoencoder
def test_b3_several_references_and_an_anchor_or_a_mask_do_not_stop_the_show(name: str, codec: str) -> None:
    generator = make(name, codec)
    for index, others in enumerate(({"first_frame"}, {"mask"}, {"first_frame", "last_frame", "mask"})):
        frames = generator.frames_wanted()
        chunk = generator.step(compose(generator, CONTROL | {"references"} | others, index))
        assert len(chunk.frames) == frames


@every_autoencoder
def test_b4_the_picture_to_repaint_leaves_no_trace_in_the_control(name: str, codec: str) -> None:
    """Nor do kept and generated pixels affect each other: each encoder stream has its own state."""
    plain, repainting = make(name, codec), make(name, codec)
    masked = CONTROL | {"mask"}
    for index in range(3):
        contexts = [contexts_of(generator, compose(generator, masked, index))[0] for generator in (plain, repainting)]
        torch.testing.assert_close(*contexts, atol=0, rtol=0)
        plain.step(compose(plain, masked, index))
        repainting.step(compose(repainting, masked | {"source"}, index))


@both_autoencoders
def test_b4_what_is_generated_never_ghosts_into_what_is_kept(codec: str) -> None:
    autoencoder = small_codec(codec)
    kept = []
    for seed in (1, 2):
        state = ContextState()
        for first, count in ((True, 9), (False, 12), (False, 12)):
            clip = torch.rand(1, 3, count, 16, 16, generator=torch.Generator().manual_seed(seed))
            clip[..., 8:] = 0.25
            mask = torch.zeros(1, 1, count, 16, 16)
            mask[..., :8] = 1
            context, state = encode_context(autoencoder, state, clip, mask, first)
        kept.append(context[:, :16])
    torch.testing.assert_close(*kept, atol=0, rtol=0)


@every_autoencoder
def test_b5_inpainting_loses_no_frame_in_any_chunk(name: str, codec: str) -> None:
    """Pixels of the hole: with the Wan VAE the reference drops the last three frames of every later chunk."""
    for first in (True, False):
        generator = make(name, codec)
        if not first:
            generator.step(compose(generator, CONTROL | {"mask"}, 0))
        still = compose(generator, CONTROL | {"mask"}, 1)
        before = contexts_of(generator, still)[0]
        assert still.control is not None
        for frame in range(len(still.control)):
            control = still.control.copy()
            control[frame] = 255 - control[frame]
            after = contexts_of(generator, replace(still, control=control))[0]
            moved = (before != after).flatten(1).any(dim=1).nonzero().flatten().tolist()
            assert moved[0] == ((frame + 3) // 4 if first else frame // 4)


@both_autoencoders
def test_b6_no_control_frame_is_lost_between_the_first_chunk_and_the_second(codec: str) -> None:
    """A control clip through the stream, chunk by chunk, is that clip encoded as a whole."""
    autoencoder = small_codec(codec)
    clip = torch.rand(1, 3, 33, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    whole, _ = encode_context(autoencoder, ContextState(), clip, None, first=True)
    state, parts = ContextState(), []
    for start, end in ((0, 9), (9, 21), (21, 33)):
        part, state = encode_context(autoencoder, state, clip[:, :, start:end], None, first=start == 0)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=2), whole, atol=2e-5, rtol=0)


@both_autoencoders
def test_b7_a_first_frame_alone_is_the_whole_of_the_first_latent(codec: str) -> None:
    """As in VACE's training: only the picture, not one part picture and three parts grey."""
    autoencoder = small_codec(codec)
    picture = torch.rand(1, 3, 16, 16) * 2 - 1
    grey = torch.zeros(1, 3, 9, 16, 16)
    context, _ = encode_context(autoencoder, ContextState(), grey, None, True, {0: picture})
    alone, _ = autoencoder.encode(picture.unsqueeze(2), None)
    torch.testing.assert_close(context[:, :16, :1], alone, atol=1e-5, rtol=0)


def test_b7_one_latent_a_chunk_takes_first_and_last_frame() -> None:
    generator = make("streamdiffusionv2", "wan-vae")
    seen = []
    for index in range(3):
        seen.append(len(generator.step(compose(generator, frozenset({"first_frame", "last_frame"}), index)).frames))
    assert seen == [5, 4, 4]


@both_autoencoders
def test_b8_streamdiffusionv2_sees_the_control_as_bright_as_every_pipeline(codec: str) -> None:
    """VACE was trained on normalised latents; only the picture to repaint goes in raw."""
    row = pipeline("streamdiffusionv2")
    contexts = []
    for raw in (True, False):
        generator = small_generator(replace(row, size=SMALL, raw_source=raw), codec=codec)
        contexts.append(contexts_of(generator, compose(generator, CONTROL | {"references"}, 1))[0])
    torch.testing.assert_close(*contexts, atol=0, rtol=0)


@every_autoencoder
def test_b9_what_was_given_for_one_chunk_shapes_that_chunk_only(name: str, codec: str) -> None:
    """A second chunk without inputs needs no hints and keeps no encoder stream."""
    generator = make(name, codec)
    generator.step(compose(generator, CONTROL | {"mask", "references", "first_frame", "second_control"}, 0))
    generator.step(ChunkInput("red"))
    assert generator.state.context == ContextState()
    assert generator.state.references.latents is None
    later, fresh = make(name, codec), make(name, codec)
    later.step(compose(later, CONTROL | {"first_frame"}, 0))
    fresh.step(compose(fresh, CONTROL | {"first_frame"}, 0))
    anchored = latents_of(later, compose(later, CONTROL | {"first_frame"}, 1))
    assert not torch.equal(anchored, latents_of(fresh, compose(fresh, CONTROL, 1)))


@every_autoencoder
def test_b10_after_a_hard_cut_nothing_of_the_old_control_is_left(name: str, codec: str) -> None:
    cut, fresh = make(name, codec), make(name, codec)
    for index in range(2):
        cut.step(compose(cut, CONTROL | {"mask", "references", "source", "second_control"}, index))
    again = compose(fresh, CONTROL | {"mask", "source", "second_control"}, 5)
    np.testing.assert_array_equal(cut.step(replace(again, reset=True)).frames, fresh.step(again).frames)


def test_b11_a_soft_edge_of_the_mask_is_not_a_hard_one() -> None:
    seen = []
    for edge in (140, 200, 255):
        generator = make("longlive", "taehv")
        mask = np.zeros((9, 32, 32), np.uint8)
        mask[:, :, :16] = 255
        mask[:, :, 15] = edge
        seen.append(latents_of(generator, compose(generator, CONTROL, 1, mask=mask)))
    assert all(not torch.equal(one, other) for at, one in enumerate(seen) for other in seen[:at])


def test_b12_a_new_prompt_under_control_is_no_cut() -> None:
    generator = make("longlive", "taehv")
    for index, prompt in enumerate(("red", "red", "blue")):
        chunk = generator.step(compose(generator, CONTROL | {"references"}, index, prompt=prompt))
        assert chunk.index == index
    assert generator.state.position == 9


def test_b13_no_step_repeats_what_the_chunk_has_done_once() -> None:
    """Text keys once a prompt, context tokens once a chunk, references once a picture."""
    generator = make("longlive", "taehv")
    branch, codec = generator.networks.branch, generator.networks.codec
    count = {"text": 0, "embed": 0, "encode": 0}

    def counting(name: str, inner: object) -> object:
        def outer(*args: object) -> object:
            count[name] += 1
            return inner(*args)  # type: ignore[operator]

        return outer

    branch.text_kv = counting("text", branch.text_kv)  # type: ignore[method-assign, assignment]
    branch.embed = counting("embed", branch.embed)  # type: ignore[method-assign, assignment]
    codec.encode = counting("encode", codec.encode)  # type: ignore[method-assign, assignment]
    assert len(generator.spec.steps) == 4
    shown = compose(generator, frozenset({"references"}), 0).references
    for index in range(2):
        generator.step(compose(generator, CONTROL, index, references=shown))
    # Encoded: kept and generated pixels of two chunks, and the two references.
    assert count == {"text": 1, "embed": 2, "encode": 6}


def test_b15_a_mask_that_comes_and_goes_leaves_no_stale_stream() -> None:
    """The context after a masked chunk does not depend on the control before the mask."""
    made = []
    for seed in (1, 2):
        generator = make("longlive", "taehv")
        generator.step(compose(generator, CONTROL, seed))
        generator.step(compose(generator, CONTROL | {"mask"}, 7))
        made.append(contexts_of(generator, compose(generator, CONTROL, 8))[0])
    torch.testing.assert_close(*made, atol=0, rtol=0)


def test_t1_a_picture_of_any_size_is_controlled_by_its_own_tokens_only() -> None:
    """24 tokens per frame, no multiple of 128: the branch attends only to them, and no padding gets attention."""
    branch = small_generator().networks.branch
    draw = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(1, 72, 2, 12, generator=draw) for _ in range(3))
    table = rotary_table(range(3), 4, 6, 12, "cpu")
    ours = Bidirectional(table).attend(0, q, k, v)
    scores = torch.einsum("bqhd,bkhd->bhqk", table.rotate(q), table.rotate(k)) / 12**0.5
    theirs = torch.einsum("bhqk,bkhd->bqhd", scores.softmax(dim=-1), v)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    seen: list[int] = []

    class Watched:
        def attend(self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            seen.extend((q.shape[1], k.shape[1]))
            return v

    tokens = torch.randn(1, 72, SMALL.dim, generator=draw)
    wan = small_generator().networks.wan
    text = branch.text_kv(wan.embed_text(torch.zeros(1, SMALL.text_len, SMALL.text_dim)))
    list(branch.hints(tokens, tokens, wan.embed_time(torch.full((1, 3), 500.0)), text, Watched()))
    assert seen == [72, 72]


def test_t2_memflow_remembers_with_control_on() -> None:
    """In the reference implementation the bank stays empty with VACE."""
    held = []
    for shown in (CONTROL | {"references"}, frozenset()):
        generator = make("memflow", "taehv")
        for index in range(8):
            generator.step(compose(generator, frozenset(shown), index))
        held.append(generator.state.cache.bank.held)
    assert held == [3, 3]


@pytest.mark.parametrize("name", ["memflow", "krea-realtime"])
def test_t2_control_leaves_the_base_network_as_it_is(name: str) -> None:
    """No block is replaced or wrapped: without inputs, the picture equals the one without VACE bit by bit."""
    plain, silent = make(name, "taehv"), make(name, "taehv")
    for index in range(3):
        ours = latents_of(silent, compose(silent, CONTROL | {"references"}, index, context_scale=0.0))
        assert torch.equal(ours, latents_of(plain, ChunkInput("red")))
