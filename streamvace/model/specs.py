"""The table of networks and pipelines. A pipeline is a row here; its cache rules are named policies of `cache.py`.

Sizes are those of Wan2.1 (Wan-Video/Wan2.1 configs). The pipelines' figures come from their published configurations
(LongLive: v1.0).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from streamvace.system.errors import UserError


@dataclass(frozen=True)
class WanSize:
    """One size of the Wan transformer and of its VACE context branch.

    text_len, text_dim: rows and width of a text embedding. freq_dim: width of the timestep sinusoid.
    vace_layers: main blocks that receive a hint, one context block each. vace_in_dim: channels of the VACE context.
    """

    dim: int
    ffn_dim: int
    num_layers: int
    num_heads: int
    vace_layers: tuple[int, ...]
    in_dim: int = 16
    out_dim: int = 16
    text_len: int = 512
    text_dim: int = 4096
    freq_dim: int = 256
    vace_in_dim: int = 96
    patch: tuple[int, int, int] = (1, 2, 2)
    eps: float = 1e-6

    @property
    def head_dim(self) -> int:
        """Channels of one attention head."""
        return self.dim // self.num_heads

    def frame_tokens(self, latent_height: int, latent_width: int) -> int:
        """Tokens of one latent frame."""
        return (latent_height // self.patch[1]) * (latent_width // self.patch[2])


WAN_1_3B = WanSize(dim=1536, ffn_dim=8960, num_layers=30, num_heads=12, vace_layers=tuple(range(0, 30, 2)))
WAN_14B = WanSize(dim=5120, ffn_dim=13824, num_layers=40, num_heads=40, vace_layers=tuple(range(0, 40, 5)))
EMBEDDED = WanSize(
    dim=192,
    ffn_dim=768,
    num_layers=8,
    num_heads=3,
    vace_layers=(0, 2, 4, 6),
    in_dim=32,
    out_dim=32,
    text_len=24,
    text_dim=128,
    freq_dim=64,
    vace_in_dim=128,
)
"""The small model that ships: 8x8 tokens per latent frame at 256x256, real time on two CPU cores."""


@dataclass(frozen=True)
class CacheRule:
    """What the KV cache of a pipeline keeps. All counts are latent frames.

    window: most frames attended at once, including sink and current chunk.
    sink: number of first frames of the stream that are never evicted.
    keep_sink_on_switch: a prompt switch leaves the sink's old K/V in place (LongLive's `global_sink`).
    positions: `absolute` stores K rotated to its place in the stream; `window` stores it unrotated and numbers the
        held frames 0, 1, ... at use (Reward Forcing), which matters where a sink leaves a gap; `rewind` stores it
        rotated and moves positions back again and again, except those of the stream's first frames
        (StreamDiffusionV2).
    rewind: (limit, restart) of `rewind`: a chunk that would begin at position `limit` begins at `restart`.
    sink_decay: evicted frames are blended into the sink, sink = decay * sink + (1 - decay) * evicted; None = never.
    sink_refresh: a new frame replaces, layer by layer, the sink frame it is least similar to when their similarity (a
        cosine, -1..1) is below this (StreamDiffusionV2). None = never.
    bank: frames of long-term memory in addition to the window (MemFlow); one is recorded every `record_every` chunks.
    bank_sees_new_text: right after a prompt switch the bank keeps the frames that suit the new text. False: it keeps
        its oldest frames, as in MemFlow's published code, whose text cache is empty at that moment.
    """

    window: int
    sink: int
    keep_sink_on_switch: bool = True
    positions: Literal["absolute", "window", "rewind"] = "absolute"
    rewind: tuple[int, int] = (50, 5)
    sink_decay: float | None = None
    sink_refresh: float | None = None
    bank: int = 0
    record_every: int = 1
    bank_sees_new_text: bool = True


@dataclass(frozen=True)
class PipelineSpec:
    """One row of the pipeline table.

    chunk, first_chunk: latent frames of a chunk, and of the first one of a stream.
    low_latency: the two with latency `low`; None: the pipeline has no such mode.
    history: how finished chunks become K/V: `clean_pass` runs the finished latents once more at `context_timestep`,
        `last_step` leaves what the last denoising step wrote, `recompute` rebuilds the cache from the last clean
        latents before every chunk.
    steps: denoising timesteps, 1000 = pure noise; shift: flow-matching shift of the timestep table.
    warp: map the steps through the shifted table, as in the original training.
    prediction: the network's output, `v` (flow, noise - x0) or `x0`.
    source_step_offset: video to video: how far the first timestep is below the actual noise level.
    raw_source: video to video starts from un-normalised latents, as StreamDiffusionV2 was trained.
    on_prompt_switch: `recache` replays the last window of clean latents with the new text; `forget` empties the cache,
        so that the new text applies from the next chunk on; `none` only swaps the text.
    ease_seams: number of frames after a seam over which small differences to the previous picture fade out; 0 = off.
    ease_latents: the same after each latent frame of the chunk: its number of pixel frames; 0 = off.
    shared_noise: share of the noise's power that is the same in all frames of a stream; 0 = none, as in Wan's training.
    noise_tile: side in cells of the tile that this share comes from (model/noise.py).
    score_bias: past frames can get less attention than in training (Krea Realtime).
    learned_references: the context branch was trained with references. If not, only `memory` shows them.
    default_size: (width, height) in pixels.
    """

    name: str
    size: WanSize
    cache: CacheRule
    steps: tuple[int, ...]
    shift: float
    default_size: tuple[int, int]
    chunk: int = 3
    first_chunk: int = 3
    low_latency: tuple[int, int] | None = None
    history: Literal["clean_pass", "last_step", "recompute"] = "clean_pass"
    context_timestep: float = 0.0
    warp: bool = True
    prediction: Literal["v", "x0"] = "v"
    source_step_offset: int = 0
    raw_source: bool = False
    on_prompt_switch: Literal["recache", "forget", "none"] = "none"
    ease_seams: int = 0
    ease_latents: int = 0
    shared_noise: float = 0.0
    noise_tile: int = 0
    score_bias: bool = False
    learned_references: bool = True


FOUR_STEPS = (1000, 750, 500, 250)
"""The steps of the Self-Forcing family; warped at shift 5 they become 1000, 937.5, 833.3, 625."""

PIPELINES: dict[str, PipelineSpec] = {
    spec.name: spec
    for spec in (
        PipelineSpec(
            name="embedded",
            size=EMBEDDED,
            # Without a sink the frames are contiguous, so absolute rotary positions equal window-relative ones and the
            # stream is endless at no cost. It was trained with six frames.
            cache=CacheRule(window=6, sink=0),
            # One latent decodes to a single frame; two give the stream its first five.
            low_latency=(1, 2),
            steps=(1000, 900, 750, 500),
            shift=1.0,
            warp=False,
            prediction="x0",
            context_timestep=30.0,
            # It was not trained on prompt changes: with its history it keeps the old background forever.
            on_prompt_switch="forget",
            learned_references=False,
            # One chunk; stream/seams.py lists gain and cost.
            ease_seams=12,
            ease_latents=4,
            # As trained; without it, unspecified details change with every latent frame, six times a second.
            shared_noise=0.5,
            noise_tile=4,  # 64 pixels: a tile of the world's textures (world/materials.py)
            default_size=(256, 256),
        ),
        PipelineSpec(
            name="longlive",
            size=WAN_1_3B,
            # Window-relative positions are LongLive's published rule for endless streams. With absolute ones the
            # distance to the sink grows without limit, and the original stops at 1024 latent frames.
            cache=CacheRule(window=12, sink=3, positions="window"),
            steps=FOUR_STEPS,
            shift=5.0,
            on_prompt_switch="recache",
            default_size=(576, 320),
        ),
        PipelineSpec(
            name="streamdiffusionv2",
            size=WAN_1_3B,
            # As published: the position rewinds from 50 to 5, so the sink is never far behind, and a frame unlike the
            # sink becomes a part of it.
            cache=CacheRule(window=6, sink=3, positions="rewind", rewind=(50, 5), sink_refresh=0.2),
            chunk=1,
            # One latent decodes to a single frame; two give the stream its first five.
            first_chunk=2,
            history="last_step",
            steps=(1000, 750),
            shift=8.0,
            warp=False,
            source_step_offset=100,
            raw_source=True,
            default_size=(512, 512),
        ),
        PipelineSpec(
            name="memflow",
            size=WAN_1_3B,
            cache=CacheRule(window=12, sink=3, bank=3, record_every=3),
            steps=FOUR_STEPS,
            shift=5.0,
            on_prompt_switch="recache",
            default_size=(576, 320),
        ),
        PipelineSpec(
            name="krea-realtime",
            size=WAN_14B,
            cache=CacheRule(window=6, sink=0),
            history="recompute",
            score_bias=True,
            steps=FOUR_STEPS,
            shift=5.0,
            default_size=(576, 320),
        ),
        PipelineSpec(
            name="reward-forcing",
            size=WAN_1_3B,
            cache=CacheRule(window=9, sink=3, positions="window", sink_decay=0.999),
            steps=FOUR_STEPS,
            shift=5.0,
            default_size=(576, 320),
        ),
    )
}


def pipeline(name: str) -> PipelineSpec:
    """The row called `name`. Raises UserError with the known names."""
    if name not in PIPELINES:
        raise UserError(f"unknown pipeline {name!r}; there are: {', '.join(PIPELINES)}")
    return PIPELINES[name]


LATENCIES = ("normal", "low")


def at_latency(spec: PipelineSpec, latency: str) -> PipelineSpec:
    """The row with the chunks of a latency, one of LATENCIES. Raises UserError where there is no such
    mode."""
    if latency not in LATENCIES:
        raise UserError(f"unknown latency {latency!r}; there are: {', '.join(LATENCIES)}")
    if latency == "normal":
        return spec
    if spec.low_latency is None:
        able = ", ".join(each.name for each in PIPELINES.values() if each.low_latency)
        raise UserError(
            f"{spec.name} has no latency {latency}: it makes {4 * spec.chunk} frames at a time, as it was trained; "
            f"{able} has it"
        )
    chunk, first = spec.low_latency
    return replace(spec, chunk=chunk, first_chunk=first)
