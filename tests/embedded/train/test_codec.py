"""TinyAE: any chunking gives the same frames, and what is grey stays exactly nothing."""

import pytest
import torch

from streamvace.embedded.train.codec import fit_codec
from streamvace.model.autoencoder.tiny import TinyAE


@pytest.fixture(scope="module")
def codec() -> TinyAE:
    torch.manual_seed(0)
    model = TinyAE((32, 16, 8)).eval()
    for parameter in model.leave.parameters():
        torch.nn.init.normal_(parameter, 0, 0.05)
    fit_codec(model, 30, 0, None)
    return model


@torch.no_grad()
def test_a_stream_in_chunks_equals_the_whole_clip(codec: TinyAE) -> None:
    clip = torch.rand(2, 3, 25, 64, 96) * 2 - 1
    whole, _ = codec.encode(clip)
    first, state = codec.encode(clip[:, :, :9])
    second, _ = codec.encode(clip[:, :, 9:], state)
    assert whole.shape == (2, 32, 7, 4, 6)
    assert torch.allclose(torch.cat((first, second), 2), whole, atol=1e-5)
    frames, _ = codec.decode(whole)
    head, past = codec.decode(whole[:, :, :3])
    middle, past = codec.decode(whole[:, :, 3:5], past)
    tail, _ = codec.decode(whole[:, :, 5:], past)
    assert frames.shape == clip.shape
    assert head.shape[2] == 9
    assert torch.allclose(torch.cat((head, middle, tail), 2), frames, atol=1e-5)


@torch.no_grad()
def test_mid_grey_encodes_to_zero(codec: TinyAE) -> None:
    assert torch.count_nonzero(codec.encode(torch.zeros(1, 3, 9, 32, 32))[0]) == 0


@torch.no_grad()
def test_the_encoder_sees_the_area_average_of_the_picture(codec: TinyAE) -> None:
    half = torch.rand(1, 3, 4, 32, 32) * 2 - 1
    full = half.repeat_interleave(2, 3).repeat_interleave(2, 4)
    assert torch.allclose(codec.encode(full, [])[0], codec.blocks(half), atol=1e-5)


def test_frames_that_do_not_fit_are_refused_with_their_size(codec: TinyAE) -> None:
    with pytest.raises(ValueError, match="5 frames of 32x32"):
        codec.encode(torch.zeros(1, 3, 5, 32, 32), [])
