"""The networks of a golden, and its pipeline: ours, changed to the settings in the sidecar."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from streamvace.model.blocks import Memory, TextKV
from streamvace.model.context import ContextBranch
from streamvace.model.sampler import flow_to_x0, sigma_of, sigma_table
from streamvace.model.specs import PipelineSpec, WanSize, pipeline
from streamvace.model.transformer import CausalWan, Grid, TimeEmbedding, sinusoid
from streamvace.parity.report import Sidecar, Tensors

WEIGHT_SEED = 1234

PIPELINES = {
    "longlive": "longlive",
    "streamdiffusionv2": "streamdiffusionv2",
    "memflow": "memflow",
    "krea_realtime_video": "krea-realtime",
    "reward_forcing": "reward-forcing",
}
"""From the name of a pipeline in a sidecar to its name in the pipeline table."""


def golden_spec(meta: Sidecar) -> PipelineSpec:
    """The row of the pipeline table with the recording's sizes, without the features that the recorded programs lack:
    LongLive's endless positions, StreamDiffusionV2's cache rules, warped steps, and the new text for MemFlow's bank."""
    config, row = meta["components_config"], pipeline(PIPELINES[meta["pipeline"]])
    recorded = config.get("record_interval")
    cache = replace(
        row.cache,
        window=config["local_attn_size"],
        sink=meta["calls"][0]["block_sink_size"],
        keep_sink_on_switch=config.get("global_sink", True),
        positions="window" if row.name == "reward-forcing" else "absolute",
        sink_refresh=None,
        bank=row.cache.bank if recorded else 0,
        record_every=recorded or 1,
        bank_sees_new_text=False,
    )
    return replace(
        row,
        size=golden_size(meta),
        cache=cache,
        chunk=config["num_frame_per_block"],
        first_chunk=len(meta["calls"][0]["t"]),
        history="clean_pass" if row.history == "last_step" else row.history,
        steps=tuple(meta["denoising_steps"]),
        shift=meta["timestep_shift"],
        warp=False,
        raw_source=False,
    )


def clean_latents(meta: Sidecar, call: dict[str, Any], flow: Tensor, x: Tensor) -> Tensor:
    """The clean latents of a recorded call, from its flow and its noisy latents x, all `[1, C, F, h, w]`."""
    sigma = sigma_of(torch.tensor(call["t"]), sigma_table(meta["timestep_shift"])).double()
    return flow_to_x0(flow, x, sigma.to(flow.device).view(1, 1, -1, 1, 1))


class GoldenWan(CausalWan):
    """Records the latents and the output of every pass.

    rounded: timestep angles in float32, as in the recorded VACE wrapper (off by 4.6e-5 at t = 1000). The recorded base
    model, like ours, uses float64.
    """

    def __init__(self, size: WanSize, rounded: bool) -> None:
        super().__init__(size)
        self.passes: list[tuple[Tensor, Tensor]] = []
        self._rounded, self._latents = rounded, torch.empty(0)

    def embed(self, x: Tensor) -> tuple[Tensor, Grid]:
        """See CausalWan.embed."""
        self._latents = x
        return super().embed(x)

    def embed_time(self, t: Tensor) -> TimeEmbedding:
        """See CausalWan.embed_time."""
        if not self._rounded:
            return super().embed_time(t)
        features = sinusoid(t, self.size.freq_dim, torch.float32)
        e = self.time_embedding(features.to(self.head.modulation.dtype))
        return TimeEmbedding(e, self.time_projection(e).unflatten(-1, (6, -1)))

    def run(
        self,
        tokens: Tensor,
        grid: Grid,
        time: TimeEmbedding,
        text: Sequence[TextKV],
        memory: Memory,
        hints: Sequence[Tensor] = (),
    ) -> Tensor:
        """See CausalWan.run."""
        out = super().run(tokens, grid, time, text, memory, hints)
        self.passes.append((self._latents, out))
        return out


def golden_size(meta: Sidecar) -> WanSize:
    """The size of the small network that a golden was recorded with."""
    kwargs = meta["model_kwargs"]
    return WanSize(
        dim=kwargs["dim"],
        ffn_dim=kwargs["ffn_dim"],
        num_layers=kwargs["num_layers"],
        num_heads=kwargs["num_heads"],
        vace_layers=tuple(meta["vace_layers"] or ()),
        in_dim=kwargs["in_dim"],
        out_dim=kwargs["out_dim"],
        text_len=kwargs["text_len"],
        text_dim=kwargs["text_dim"],
        freq_dim=kwargs["freq_dim"],
        vace_in_dim=meta["vace_in_dim"],
        patch=tuple(kwargs["patch_size"]),
        eps=kwargs["eps"],
    )


def golden_weight(key: str, shape: torch.Size) -> Tensor:
    """One weight, drawn by the seeded rule of all goldens, so that weights need not be stored."""
    seed = int(hashlib.sha256(f"{WEIGHT_SEED}:{key}".encode()).hexdigest()[:8], 16)
    r: Tensor = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    if "modulation" in key:
        return 0.3 * r
    if "norm" in key and key.endswith("weight"):
        return 1 + 0.1 * r
    if key.endswith("bias"):
        return 0.05 * r
    r = r / r[0].numel() ** 0.5
    return 0.5 * r if key.endswith("after_proj.weight") else r


def golden_network(meta: Sidecar, tensors: Tensors) -> tuple[GoldenWan, ContextBranch]:
    """The networks of a golden, with its stored weights (`sd.*`) or weights by the seeded rule.

    Without VACE the branch is not part of the golden and has random weights.
    """
    size = golden_size(meta)
    wan, branch = GoldenWan(size, rounded=meta["vace"]), ContextBranch(size)
    for module in (wan, branch) if meta["vace"] else (wan,):
        module.load_state_dict(
            {
                key: tensors[f"sd.{key}"] if f"sd.{key}" in tensors else golden_weight(key, value.shape)
                for key, value in module.state_dict().items()
            }
        )
    place = placed(tensors)
    return wan.to(place.device, place.dtype), branch.to(place.device, place.dtype)


def placed(tensors: Tensors) -> Tensor:
    """A recorded tensor whose device and dtype are those of the whole replay."""
    return next(each for each in tensors.values() if each.is_floating_point() and each.dtype != torch.float64)
