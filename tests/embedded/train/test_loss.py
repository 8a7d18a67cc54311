"""What the training asks for: faults that come and go cost more than faults that stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from streamvace.embedded.train.data import token_table
from streamvace.embedded.train.loss import (
    CACHE_T,
    CLEAN_SHARE,
    LOWEST_T,
    MOTION_WEIGHT,
    OBJECT_WEIGHT,
    STEADY_WEIGHT,
    after_cut,
    channel_weights,
    colourless,
    denoising_loss,
    draw_times,
    object_weights,
    own_history,
    stream_noise,
    weighed,
)
from streamvace.embedded.train.network import CHUNK, Encoded, Network
from streamvace.embedded.train.package import load_package
from streamvace.model.noise import tile_at
from streamvace.model.specs import pipeline
from streamvace.world.text import tokens_of

FRAMES = 2 * CHUNK


def nowhere(clips: int) -> Tensor:
    """Places of clips without materials."""
    return torch.zeros(clips, 2).long()


def data() -> Encoded:
    torch.manual_seed(0)
    x0 = torch.randn(2, 32, FRAMES, 16, 16)
    quiet = torch.zeros(2, dtype=torch.bool)
    return Encoded(
        x0,
        torch.zeros(2, 128, FRAMES, 16, 16),
        torch.zeros(2, 24).long(),
        quiet,
        torch.zeros(2, FRAMES, 16, 16),
        x0[:, :, :1],
        nowhere(2),
    )


def loss_of(fault: Callable[[Tensor], Tensor], monkeypatch: pytest.MonkeyPatch, causal: bool) -> float:
    """The loss of a network that knows the truth but for `fault`."""
    sample = data()

    def forward(net: Network, noisy: Tensor, *rest: object) -> Tensor:
        return fault(sample.x0.clone())

    monkeypatch.setattr(Network, "forward", forward)
    draw = torch.Generator().manual_seed(1)
    cost = denoising_loss(
        Network(),
        sample,
        0,
        channels=torch.ones(32),
        causal=causal,
        hears=False,
        refers=False,
        generator=draw,
        bfloat16=False,
    )
    return float(cost)


def flicker(x0: Tensor) -> Tensor:
    x0[:, :, ::2] += 0.5
    x0[:, :, 1::2] -= 0.5
    return x0


def test_the_truth_costs_nothing_within_a_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loss_of(lambda x0: x0, monkeypatch, causal=False) == 0


@pytest.mark.parametrize("causal", [True, False])
def test_a_fault_that_flickers_costs_more_than_one_that_stays(monkeypatch: pytest.MonkeyPatch, causal: bool) -> None:
    stays = loss_of(lambda x0: x0 + 0.5, monkeypatch, causal)
    comes_and_goes = loss_of(flicker, monkeypatch, causal)
    assert comes_and_goes > 1.5 * stays > 0


def test_a_faulty_past_is_off_in_the_chosen_clips_first_chunk_alone() -> None:
    """By up to 0.3 of each channel's deviation, a half of it in whole patches."""
    scale = torch.tensor([1.0, 10.0]).view(1, 2, 1, 1, 1)
    x0 = scale * torch.randn(64, 2, FRAMES, 16, 16, generator=torch.Generator().manual_seed(0))
    chosen = torch.arange(64) % 2 == 0
    fault = own_history(x0, CHUNK, chosen, torch.Generator().manual_seed(1)) - x0
    assert not fault[~chosen].any()
    assert not fault[:, :, CHUNK:].any()
    size = (fault[chosen, :, :CHUNK] / scale).square().mean((0, 2, 3, 4)).sqrt()
    # The mean square of 0.3 u, u even over 0..1, of patches (1) and cells (0.7).
    torch.testing.assert_close(size, torch.full((2,), 0.3 * (1.49 / 3) ** 0.5), atol=0.04, rtol=0)
    patches = fault[chosen, :, :CHUNK].unflatten(3, (8, 2)).unflatten(5, (8, 2)).mean((4, 6))
    assert float(patches.square().mean() / fault[chosen, :, :CHUNK].square().mean()) > 0.6


def test_most_streams_in_training_continue_a_finished_past_and_many_of_these_a_faulty_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x0 = torch.randn(400, 32, FRAMES, 2, 2, generator=torch.Generator().manual_seed(0))
    quiet = torch.zeros(400, dtype=torch.bool)
    sample = Encoded(
        x0, torch.zeros(0), torch.zeros(0), quiet, torch.zeros(400, FRAMES, 2, 2), x0[:, :, :1], nowhere(400)
    )
    seen: list[tuple[Tensor, Tensor]] = []

    def forward(net: Network, noisy: Tensor, t: Tensor, *rest: object) -> Tensor:
        seen.append((noisy, t))
        return x0

    monkeypatch.setattr(Network, "forward", forward)
    draw = torch.Generator().manual_seed(1)
    denoising_loss(
        Network(),
        sample,
        0,
        channels=torch.ones(32),
        causal=True,
        hears=False,
        refers=False,
        generator=draw,
        bfloat16=False,
    )
    ((noisy, t),) = seen
    finished = t[:, 0] == CACHE_T
    assert float(finished.float().mean()) == pytest.approx(CLEAN_SHARE * 0.6, abs=0.06)
    faulty = (noisy - x0)[finished, :, :CHUNK].flatten(1).any(1)
    assert float(faulty.float().mean()) == pytest.approx(0.6, abs=0.1)


def test_cells_with_objects_and_beside_them_weigh_more() -> None:
    objects = torch.zeros(1, 1, 16, 16)
    objects[..., 5, 5] = 1
    weights = object_weights(objects)[0, 0, 0]
    assert weights[5, 5] == 1 + OBJECT_WEIGHT
    assert 1 < weights[5, 6] < weights[5, 5]
    assert weights[5, 7] == 1


def test_channels_that_hold_movement_weigh_more() -> None:
    _, codec = load_package()
    weights = channel_weights(codec.blocks)
    still = codec.blocks(torch.rand(1, 3, 1, 128, 128).expand(-1, -1, 4, -1, -1)).abs().amax((0, 2, 3, 4))
    assert weights.min() >= 1
    assert weights.max() <= 1 + MOTION_WEIGHT
    # A picture that stands still leaves the heaviest channels nearly silent.
    assert still[weights > 2.8].max() < 0.2 * still[weights < 1.2].max()


def test_a_colourless_prompt_keeps_all_other_words_in_order() -> None:
    tokens = torch.from_numpy(token_table(["neon red ball and black cube on blue stripes background", ""]))
    plain = tokens_of("neon ball and cube on stripes background")
    assert colourless(tokens)[0].tolist() == [*plain, *[0] * (24 - len(plain))]
    assert not colourless(tokens)[1].any()


Pass = tuple[Tensor, Tensor]
"""What the network is given: noisy latents `[B, 32, T, h, w]` and their noise levels `[B, T]`."""


def watched(
    monkeypatch: pytest.MonkeyPatch, step: int, paint: Callable[[Tensor, Tensor, Tensor], Tensor]
) -> tuple[Tensor, list[Pass], float]:
    """One step of 64 clips of two chunks: their true latents, every pass, and the loss. paint: from the truth and a
    pass to what the network makes of it."""
    x0 = torch.randn(64, 32, FRAMES, 4, 4, generator=torch.Generator().manual_seed(0))
    silent, context = torch.zeros(64, dtype=torch.bool), torch.zeros(64, 128, FRAMES, 4, 4)
    sample = Encoded(
        x0, context, torch.zeros(64, 24).long(), silent, torch.zeros(64, FRAMES, 4, 4), x0[:, :, :1], nowhere(64)
    )
    passes: list[Pass] = []

    def forward(net: Network, noisy: Tensor, t: Tensor, *rest: object) -> Tensor:
        passes.append((noisy, t))
        return paint(x0, noisy, t)

    monkeypatch.setattr(Network, "forward", forward)
    how = {"channels": torch.ones(32), "causal": True, "hears": False, "refers": False, "bfloat16": False}
    cost = denoising_loss(Network(), sample, step, generator=torch.Generator().manual_seed(1), **how)  # type: ignore[arg-type]
    return x0, passes, float(cost)


def finished(t: Tensor) -> Tensor:
    """Clips whose first chunk is a past as the cache holds it: without noise. `[B]`."""
    return t[:, 0] == torch.tensor(CACHE_T)


def test_an_odd_step_shows_the_network_the_past_that_it_paints(monkeypatch: pytest.MonkeyPatch) -> None:
    _, (_, (noisy, t)), _ = watched(monkeypatch, 1, lambda x0, noisy, t: torch.full_like(noisy, 7.0))
    assert finished(t).any()
    assert (noisy[finished(t), :, :CHUNK] == 7).all()
    assert (noisy[finished(t), :, CHUNK:] != 7).all()


def test_to_repeat_the_faults_of_the_past_costs_more_than_to_mend_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def repeats(x0: Tensor, noisy: Tensor, t: Tensor) -> Tensor:
        made = x0.clone()
        made[finished(t), :, :CHUNK] = noisy[finished(t), :, :CHUNK]
        return made

    mends = watched(monkeypatch, 0, lambda x0, noisy, t: x0)[2]
    assert watched(monkeypatch, 0, repeats)[2] > mends > 0, "even the truth is a step away from a faulty past"


def test_each_chunk_has_one_noise_level_and_four_in_ten_clips_are_pure_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    _, ((_, t),), _ = watched(monkeypatch, 0, lambda x0, noisy, t: x0)
    assert (t[:, :CHUNK] == t[:, :1]).all()
    assert (t[:, CHUNK:] == t[:, CHUNK : CHUNK + 1]).all()
    levels = draw_times(20_000, torch.Generator().manual_seed(0))
    assert 0.05 <= levels.min() < levels.max() == 1
    assert (levels == 1).float().mean() == pytest.approx(0.4, abs=0.02)
    assert (levels < 0.6).float().mean() == pytest.approx(0.2 * 0.55 / 0.6, abs=0.02)


def test_noise_has_the_streams_share_in_common_in_all_frames() -> None:
    places = 2 * torch.randint(8, (64, 2), generator=torch.Generator().manual_seed(1))
    noise = stream_noise(torch.Size((64, 8, 4, 8, 8)), places, torch.Generator().manual_seed(0))
    assert noise.std() == pytest.approx(1, abs=0.02)
    assert (noise[:, :, 0] * noise[:, :, 3]).mean() == pytest.approx(pipeline("embedded").shared_noise, abs=0.02)


def test_noise_says_which_part_of_a_texture_a_clip_shows() -> None:
    """The stream draws the same noise for the seed that stands for the place."""
    places = torch.tensor([[0, 0], [4, 10]])
    noise = stream_noise(torch.Size((2, 32, 4, 8, 8)), places, torch.Generator().manual_seed(0))
    for row, (down, right) in enumerate(places.tolist()):
        theirs = tile_at((down, right), (32, 8, 8), pipeline("embedded").noise_tile)
        assert float((noise[row, :, 2] * theirs).mean()) == pytest.approx(0.5**0.5, abs=0.05)


def test_an_error_is_divided_by_its_noise_level_and_by_no_less_than_a_third() -> None:
    error, nothing = torch.ones(1, 32, 1, 4, 4), torch.zeros(1, 32, 1, 4, 4)

    def cost(t: float) -> float:
        return float(weighed(error, nothing[:, 0], torch.full((1, 1), t), torch.ones(32), nothing, 1))

    assert cost(1.0) == pytest.approx(1.0)
    assert cost(0.5) == pytest.approx(2.0)
    assert cost(0.01) == cost(LOWEST_T) == pytest.approx(1 / LOWEST_T)


def test_at_a_seam_a_change_is_counted_from_the_past_as_it_was_painted() -> None:
    """A past that is off by one everywhere: to mend it at once is a step, to go on with it is none."""
    past, ones, even = torch.ones(1, 32, FRAMES, 4, 4), torch.ones(32), torch.ones(1, FRAMES)
    right = torch.zeros_like(past)
    step = weighed(right, right[:, 0], even, ones, past, CHUNK)
    assert float(step) == pytest.approx(STEADY_WEIGHT / (FRAMES - 1))
    goes_on = right.clone()
    goes_on[:, :, CHUNK] = 1
    error, back = 1 / FRAMES, STEADY_WEIGHT / (FRAMES - 1)
    assert float(weighed(goes_on, right[:, 0], even, ones, past, CHUNK)) == pytest.approx(error + back)


def test_after_a_cut_the_past_is_that_of_another_clip_and_the_rest_is_not() -> None:
    x0 = torch.randn(3, 32, FRAMES, 4, 4)
    past = after_cut(x0, CHUNK, torch.tensor([True, False, False]))
    assert torch.equal(past[0, :, :CHUNK], x0[2, :, :CHUNK])
    assert torch.equal(past[1:], x0[1:])
    assert torch.equal(past[0, :, CHUNK:], x0[0, :, CHUNK:])


def test_after_a_cut_the_next_chunk_need_not_agree_with_the_old_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that paints the truth after another clip's past pays nothing at the seam."""
    monkeypatch.setattr("streamvace.embedded.train.loss.CUT_SHARE", 1.0)
    monkeypatch.setattr("streamvace.embedded.train.loss.CLEAN_SHARE", 1.0)
    monkeypatch.setattr("streamvace.embedded.train.loss.own_history", lambda x0, *rest: x0)
    sample = replace(data(), hinted=torch.ones(2, dtype=torch.bool))
    seen: list[Tensor] = []

    def forward(net: Network, noisy: Tensor, *rest: object) -> Tensor:
        seen.append(noisy)
        return sample.x0.clone()

    monkeypatch.setattr(Network, "forward", forward)
    for seed in range(8):
        cost = denoising_loss(
            Network(),
            sample,
            0,
            channels=torch.ones(32),
            causal=True,
            hears=True,
            refers=False,
            generator=torch.Generator().manual_seed(seed),
            bfloat16=False,
        )
        assert float(cost) == 0
    first = torch.stack([noisy[0, :, :CHUNK] for noisy in seen])
    other = torch.stack([(noisy - sample.x0[1, :, :CHUNK]).abs().mean() for noisy in first])
    assert (other < 0.2).any(), "the other clip's past was shown"
