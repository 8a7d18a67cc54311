"""The work of a pass is that of the networks, whatever their code looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streamvace.costs.chunk import Job, chunk_work, codec_work, pass_work
from streamvace.costs.work import Work
from streamvace.model.specs import WAN_1_3B, pipeline

ROWS, COLUMNS = 23, 40
TOKENS = 3 * ROWS * COLUMNS
LONGLIVE = pipeline("longlive")


def test_the_products_and_the_attention_of_a_pass_are_those_of_the_published_sizes() -> None:
    """Six projections and the feed-forward part of each layer; self-attention to 12 frames, cross-attention to 512."""
    size = WAN_1_3B
    work = pass_work(size, 3, 12, ROWS, COLUMNS)
    products = 2 * TOKENS * size.num_layers * (6 * size.dim**2 + 2 * size.dim * size.ffn_dim)
    attention = 4 * TOKENS * size.num_layers * size.dim * (12 * ROWS * COLUMNS + 512)
    assert work.products == pytest.approx(products, rel=0.005)
    assert work.attention == pytest.approx(attention, rel=0.005)


def test_layers_are_counted_by_two_small_networks_as_in_a_whole_one() -> None:
    size = replace(WAN_1_3B, dim=24, ffn_dim=48, num_heads=2, num_layers=5, vace_layers=(0, 1))
    grown = pass_work(replace(size, num_layers=6), 1, 4, 2, 3) + pass_work(size, 1, 4, 2, 3) * -1
    assert grown.kernels == pytest.approx(pass_work(size, 1, 4, 2, 3).kernels / 5, rel=0.25)
    assert grown.products == 2 * 6 * (6 * 24**2 + 2 * 24 * 48)


def test_control_costs_two_encodings_and_the_context_branch_at_every_step() -> None:
    plain, control = (chunk_work(Job(LONGLIVE, (640, 368), control=on)) for on in (False, True))
    encoded, _ = codec_work("taehv", 3)
    assert "context" not in plain
    assert plain["encode"].convolutions == 0
    assert control["encode"].kernels == 2 * encoded.kernels
    assert control["encode"].convolutions == pytest.approx(2 * encoded.convolutions * 640 * 368 / 64**2)
    # Half as many layers, which attend to the chunk instead of the window, and project their hints.
    dim, layer = WAN_1_3B.dim, 6 * WAN_1_3B.dim**2 + 2 * WAN_1_3B.dim * WAN_1_3B.ffn_dim
    assert control["context"].products == pytest.approx(4 * 2 * TOKENS * 15 * (layer + dim**2), rel=0.005)
    assert control["context"].attention == pytest.approx(4 * 4 * TOKENS * 15 * dim * (TOKENS + 512))


def test_the_clean_pass_counts_and_only_where_the_pipeline_has_one() -> None:
    assert chunk_work(Job(LONGLIVE, (640, 368)))["history"].flops * 4 == pytest.approx(
        chunk_work(Job(LONGLIVE, (640, 368)))["denoise"].flops
    )
    assert "history" not in chunk_work(Job(pipeline("streamdiffusionv2"), (512, 512)))


def test_two_cards_share_the_work_and_exchange_what_ulysses_sends() -> None:
    alone, shared = (chunk_work(Job(LONGLIVE, (640, 368), cards=n))["denoise"] for n in (1, 2))
    assert (shared.flops, shared.kernels) == (alone.flops / 2, alone.kernels)
    # Queries, keys, values and the result in bf16: half of each is on this card, and half of that is sent.
    sent = 4 * 2 * TOKENS * WAN_1_3B.dim / 4
    assert shared.exchanged == 4 * WAN_1_3B.num_layers * sent
    assert (alone.exchanged, shared.meetings) == (0, 4 * WAN_1_3B.num_layers * 2)


def test_work_adds_and_scales() -> None:
    assert Work(1, 2, 3, 4, 5, 6, 7) * 2 + Work(kernels=1) == Work(2, 4, 6, 8, 11, 12, 14)
