"""The Wan VAE: chunking changes nothing, streams share nothing, time runs one way."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from streamvace.model.autoencoder.base import CodecState
from streamvace.model.autoencoder.wan_vae import LIGHT_WIDTH, WanVAE

CLOSE = {"atol": 2e-5, "rtol": 0.0}
LATENTS = 5


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Layers this small spend their time waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small_vae(latents_at_once: int = 1) -> WanVAE:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return WanVAE(width=4, latents_at_once=latents_at_once).eval().requires_grad_(False)


def clip(frames: int, seed: int = 0, height: int = 16, width: int = 24) -> Tensor:
    return torch.rand(1, 3, frames, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def latents(frames: int, seed: int = 0) -> Tensor:
    return torch.randn(1, 16, frames, 2, 3, generator=torch.Generator().manual_seed(seed))


def chunkings() -> st.SearchStrategy[list[int]]:
    """Ways to cut LATENTS latent frames into chunks."""
    return st.sets(st.integers(1, LATENTS - 1)).map(
        lambda cuts: [b - a for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), LATENTS], strict=True)]
    )


@settings(max_examples=10, deadline=None)
@given(chunks=chunkings(), at_once=st.integers(1, 3))
def test_encoding_in_chunks_equals_the_whole_clip(chunks: list[int], at_once: int) -> None:
    pixels = clip(1 + 4 * (LATENTS - 1))
    whole, _ = small_vae(latents_at_once=LATENTS).encode(pixels, None)
    codec, state, parts, at = small_vae(at_once), None, [], 0
    for count in chunks:
        frames = 4 * count - (3 if state is None else 0)
        z, state = codec.encode(pixels[:, :, at : at + frames], state)
        parts.append(z)
        at += frames
    torch.testing.assert_close(torch.cat(parts, 2), whole, **CLOSE)


@settings(max_examples=10, deadline=None)
@given(chunks=chunkings(), at_once=st.integers(1, 3))
def test_decoding_in_chunks_equals_the_whole_clip(chunks: list[int], at_once: int) -> None:
    z = latents(LATENTS)
    whole, _ = small_vae(latents_at_once=LATENTS).decode(z, None)
    assert whole.shape == (1, 3, 1 + 4 * (LATENTS - 1), 16, 24)
    codec, state, parts = small_vae(at_once), None, []
    for part in z.split(chunks, dim=2):
        frames, state = codec.decode(part, state)
        parts.append(frames)
    torch.testing.assert_close(torch.cat(parts, 2), whole, **CLOSE)


def test_one_latent_may_start_a_stream_and_gives_one_frame() -> None:
    codec = small_vae()
    first, state = codec.decode(latents(1), None)
    then, _ = codec.decode(latents(1, seed=1), state)
    assert (first.shape[2], then.shape[2]) == (1, 4)


def test_two_interleaved_streams_do_not_touch() -> None:
    codec = small_vae()

    def run(seeds: tuple[int, ...]) -> list[list[Tensor]]:
        """Three chunks of every stream, the streams taking turns."""
        encoders: dict[int, CodecState | None] = dict.fromkeys(seeds)
        decoders: dict[int, CodecState | None] = dict.fromkeys(seeds)
        out: dict[int, list[Tensor]] = {seed: [] for seed in seeds}
        for chunk in range(3):
            for seed in seeds:
                z, encoders[seed] = codec.encode(clip(8 if chunk else 5, seed * 10 + chunk), encoders[seed])
                frames, decoders[seed] = codec.decode(z, decoders[seed])
                out[seed] += [z, frames]
        return list(out.values())

    together, alone = run((1, 2)), run((1,)) + run((2,))
    for ours, theirs in zip(together, alone, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_a_state_can_be_used_twice() -> None:
    """A call reads the state it is given and leaves it as it was."""
    codec = small_vae()
    _, state = codec.encode(clip(5), None)
    once, _ = codec.encode(clip(4, seed=1), state)
    again, _ = codec.encode(clip(4, seed=1), state)
    assert torch.equal(once, again)


def test_a_blank_state_takes_groups_of_four_and_knows_only_its_own_first_frame() -> None:
    codec = small_vae()
    pixels = clip(8)
    blank = codec.blank_state(pixels)
    z, _ = codec.encode(pixels, blank)
    assert z.shape[2] == 2
    held, _ = codec.encode(torch.cat((pixels[:, :, :1], pixels), dim=2), None)
    torch.testing.assert_close(z, held[:, :, 1:], **CLOSE)
    other = torch.cat((pixels[:, :, :1], clip(7, seed=9)), dim=2)
    assert all(torch.equal(a, b) for a, b in zip(blank, codec.blank_state(other), strict=True))


@pytest.mark.parametrize("frame", [0, 1, 4, 5, 8, 12])
def test_an_impulse_reaches_only_its_own_latent_and_later_ones(frame: int) -> None:
    codec = small_vae()
    pixels = clip(13)
    touched = pixels.clone()
    touched[:, :, frame] += 0.5
    changed = (codec.encode(touched, None)[0] - codec.encode(pixels, None)[0]).abs().amax((0, 1, 3, 4)) > 0
    group = (frame + 3) // 4
    assert not changed[:group].any()
    assert changed[group]


@pytest.mark.parametrize(("frames", "started"), [(4, False), (12, False), (0, False), (5, True), (3, True)])
def test_frames_that_fill_no_group_are_refused(frames: int, started: bool) -> None:
    codec = small_vae()
    state = codec.blank_state(clip(1)) if started else None
    with pytest.raises(ValueError, match="1 \\+ 4 k frames first and 4 k after"):
        codec.encode(clip(frames), state)


def test_sixteen_bit_black_pictures_stay_finite() -> None:
    """Zeros all the way down: the norm's epsilon must not vanish in half precision."""
    codec = small_vae().to(torch.float16)
    for name, tensor in codec.state_dict().items():
        if name.endswith("bias"):
            tensor.zero_()
    z, _ = codec.encode(torch.zeros(1, 3, 1, 16, 16, dtype=torch.float16), None)
    assert torch.isfinite(z).all()


def test_full_and_light_have_the_published_parameters() -> None:
    with torch.device("meta"):
        full, light = WanVAE().state_dict(), WanVAE(LIGHT_WIDTH).state_dict()
    assert len(full) == len(light) == 194
    assert full["decoder.upsamples.3.time_conv.weight"].shape == (768, 384, 3, 1, 1)
    assert full["encoder.middle.1.to_qkv.weight"].shape == (1152, 384, 1, 1)
    assert light["encoder.downsamples.5.resample.1.weight"].shape == (48, 48, 3, 3)
    assert light["conv1.weight"].shape == (32, 32, 1, 1, 1)
