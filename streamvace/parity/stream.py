"""Replaying the streaming goldens: one recorded call at a time, then the whole loop closed on our own results."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.model.attention import sdpa
from streamvace.model.blocks import Bidirectional, Memory
from streamvace.model.cache import ChunkPass, KVCache
from streamvace.model.context import ContextBranch
from streamvace.model.rope import RotaryTable, rotary_table
from streamvace.model.sampler import add_noise, draw_noise, flow_to_x0, sigma_of, sigma_table
from streamvace.model.specs import CacheRule, WanSize
from streamvace.model.transformer import CausalWan
from streamvace.parity.report import CALL_TOLERANCE, LOOP_TOLERANCE, Report, Sidecar, Tensors

WEIGHT_SEED = 1234
REWARD_FORCING_DECAY = 0.999
PIPELINES: dict[str, dict[str, Any]] = {
    "longlive": {},
    "streamdiffusionv2": {},
    "memflow": {"bank": 3},
    "krea_realtime_video": {},
    "reward_forcing": {"positions": "window", "sink_decay": REWARD_FORCING_DECAY},
}
"""What a recorded pipeline's cache rule has beyond the window and sink that its sidecar states."""


def golden_size(meta: Sidecar) -> WanSize:
    """The small network a golden was recorded with."""
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
    """The seeded rule by which every golden's weights were drawn, so that they need not be stored."""
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


def golden_network(meta: Sidecar, tensors: Tensors) -> tuple[CausalWan, ContextBranch | None]:
    """The networks of a golden, from its stored weights (`sd.*`) or else by the seeded rule."""
    size = golden_size(meta)
    modules: list[torch.nn.Module] = [CausalWan(size)]
    if meta["vace"]:
        modules.append(ContextBranch(size))
    for module in modules:
        module.load_state_dict(
            {
                key: tensors[f"sd.{key}"] if f"sd.{key}" in tensors else golden_weight(key, value.shape)
                for key, value in module.state_dict().items()
            }
        )
    wan, branch = modules[0], modules[1] if len(modules) > 1 else None
    assert isinstance(wan, CausalWan)
    assert branch is None or isinstance(branch, ContextBranch)
    return wan, branch


class StreamReplay:
    """Our networks and cache, driven by a golden's call list."""

    def __init__(
        self, meta: Sidecar, tensors: Tensors, branch_memory: Callable[[RotaryTable], Memory] = Bidirectional
    ) -> None:
        self.meta, self.tensors, self.branch_memory = meta, tensors, branch_memory
        self.wan, self.branch = golden_network(meta, tensors)
        self.frame_tokens: int = meta["frame_seq_length"]
        config = meta["components_config"]
        self.rule = CacheRule(
            window=config["local_attn_size"],
            sink=meta["calls"][0]["block_sink_size"],
            keep_sink_on_switch=config.get("global_sink", True),
            **PIPELINES[meta["pipeline"]],
        )
        self.height, self.width = meta["height"] // 16, meta["width"] // 16
        self.cache = KVCache(self.wan.size, self.rule, self.height, self.width)
        # The recording's VACE wrapper rounds timestep angles to fp32 (4.6e-5 at t = 1000), its base model does not.
        self.angle_dtype = torch.float32 if meta["vace"] else torch.float64
        self.table = sigma_table(meta["timestep_shift"])

    def flow(self, call: dict[str, Any], x: Tensor) -> Tensor:
        """Run one recorded call on latents `x` `[1, 16, F, h, w]`."""
        events = {event["event"] for event in call["events_before"] if event.get("reset_indices", True)}
        if "initialize_kv_cache" in events:
            self.cache.reset()
        text = self.wan.embed_text(self.tensors[call["context"]])
        text_kv = self.wan.text_kv(text)
        if self.rule.bank and call["q_bank"]:
            # The reference scores against its text cache, which a prompt switch has just emptied.
            self.cache.bank.consolidate(None if "initialize_crossattn_cache" in events else [k for k, _ in text_kv])
        memory = self._memory(call, x.shape[2])
        tokens, grid = self.wan.embed(x)
        time = self.wan.embed_time(torch.tensor([call["t"]]), self.angle_dtype)
        hints: list[Tensor] = []
        if call["vace_context"] is not None:
            assert self.branch is not None
            rotary = rotary_table(range(grid.frames), self.height, self.width, self.wan.size.head_dim, x.device)
            context = self.tensors[call["vace_context"]].unsqueeze(0)
            hints = self.branch(tokens, context, time, self.branch.text_kv(text), self.branch_memory(rotary))
        flow = self.wan.run(tokens, grid, time, text_kv, memory, hints, call["vace_context_scale"])
        if self.rule.bank and call["update_bank"]:
            self.cache.record(call["current_start"] // self.frame_tokens)
        return flow

    def _memory(self, call: dict[str, Any], frames: int) -> ChunkPass:
        start = call["current_start"] // self.frame_tokens
        if call["phase"] == "recache":
            return self.cache.replay(start, frames)
        if call["phase"] == "recompute":
            return self.cache.chunk(0, frames)
        return self.cache.chunk(start, frames, call["kv_cache_attention_bias"])

    def x0(self, flow: Tensor, x: Tensor, t: list[float]) -> Tensor:
        """The clean latents a flow stands for."""
        sigma = sigma_of(torch.tensor(t), self.table).double().view(1, 1, -1, 1, 1)
        return flow_to_x0(flow, x, sigma)


class _ZeroPaddedKeys:
    """The reference's padding defect: keys padded with zeros to a multiple of 128, which take softmax mass."""

    def __init__(self, rotary: RotaryTable) -> None:
        self._rotary = rotary

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See blocks.Memory.attend."""
        padding = (0, 0, 0, 0, 0, -k.shape[1] % 128)
        return sdpa(self._rotary.rotate(q), F.pad(self._rotary.rotate(k), padding), F.pad(v, padding))


def recorded_defect(meta: Sidecar, tensors: Tensors) -> str:
    """Why a recording is evidence of a defect of the reference rather than truth; empty when it is truth."""
    for index, call in enumerate(meta["calls"]):
        if call["vace_context"] is None:
            continue
        frames = tensors[f"call{index:03d}.x0"].shape[1]
        context_frames = tensors[call["vace_context"]].shape[1]
        if context_frames != frames:
            return f"the recording cuts a context of {context_frames} latent frames to a chunk of {frames}"
        if index == 0 and frames * meta["frame_seq_length"] % 128:
            padded = StreamReplay(meta, tensors, _ZeroPaddedKeys).flow(call, tensors["call000.x"])
            if float((padded - tensors["call000.flow"]).abs().max()) <= CALL_TOLERANCE:
                return "the recording attends zero-padded keys in the context branch"
    return ""


def replay_stream(name: str, meta: Sidecar, tensors: Tensors) -> Report:
    """Replay a streaming golden: call by call, the final cache, and the closed loop."""
    report = Report(name, defect=recorded_defect(meta, tensors))
    if report.defect:
        return report
    stream = StreamReplay(meta, tensors)
    for index, call in enumerate(meta["calls"]):
        key = f"call{index:03d}"
        if f"{key}.x" not in tensors:
            break  # a compact golden: the closed loop below covers the rest
        x = tensors[f"{key}.x"]
        flow = stream.flow(call, x)
        report.calls += 1
        report.compare("flow", flow, tensors[f"{key}.flow"], CALL_TOLERANCE)
        x0 = stream.x0(flow, x, call["t"]).transpose(1, 2)
        report.compare("x0", x0, tensors[f"{key}.x0"], CALL_TOLERANCE)
    if report.calls == len(meta["calls"]):
        _compare_final(report, stream)
    closed = StreamReplay(meta, tensors)
    _closed_loop(report, closed)
    _compare_final(report, closed)
    return report


def _compare_final(report: Report, stream: StreamReplay) -> None:
    for key, truth in stream.tensors.items():
        if key.startswith("final_kv."):
            _, layer, kind = key.split(".")
            report.compare("final K/V", stream.cache.in_order(int(layer))[kind == "v"], truth, LOOP_TOLERANCE)
        elif key.startswith("final_bank."):
            _, layer, kind = key.split(".")
            bank = stream.cache.bank
            pair = bank.recorded(int(layer)) if kind.endswith("_new") else bank.stored(int(layer))
            report.compare("final bank", pair[kind.startswith("v")], truth, LOOP_TOLERANCE)


def _closed_loop(report: Report, stream: StreamReplay) -> None:
    """The same calls on our own latents: seeded noise, our x0 renoised, our clean frames recached."""
    clean: list[Tensor] = []
    x0 = torch.empty(0)
    generator = torch.Generator()
    seed_of = {chunk["chunk"]: chunk["rng_seed"] for chunk in stream.meta["chunks"]}
    opened = begun = -1
    for index, call in enumerate(stream.meta["calls"]):
        truth = stream.tensors[f"call{index:03d}.x0"]
        frames = truth.shape[1]
        if call["chunk"] not in (begun, -1):
            begun = call["chunk"]
            if begun:
                clean.append(x0)
        if call["phase"] == "recache":
            x = torch.cat(clean, dim=2)[:, :, -frames:]
        elif call["phase"] == "recompute":
            x = _recompute_context(torch.cat(clean, dim=2), frames, stream.tensors)
        elif call["phase"] == "clean":
            x = x0
        elif call["chunk"] != opened:
            opened = call["chunk"]
            generator.manual_seed(seed_of[opened])
            x = draw_noise((1, truth.shape[2], frames, *truth.shape[3:]), generator, torch.float32)
        else:
            sigma = float(sigma_of(torch.tensor(call["t"][0]), stream.table))
            x = add_noise(x0, draw_noise(tuple(x0.shape), generator, x0.dtype), sigma)
        result = stream.x0(stream.flow(call, x), x, call["t"])
        report.compare("closed loop x0", result.transpose(1, 2), truth, LOOP_TOLERANCE)
        report.calls = index + 1
        if call["phase"] == "denoise":
            x0 = result


def _recompute_context(clean: Tensor, frames: int, tensors: Tensors) -> Tensor:
    """The latents Krea Realtime recomputes its cache from: the first one ever in chunk 1, later a re-encoded one.

    clean: `[1, C, T, h, w]`. The recording's stand-in codec is linear, so decoding and encoding is one matrix.
    """
    if clean.shape[2] <= frames:
        first = clean[:, :, :1]
    else:
        both_ways = tensors["fakevae.enc"] @ tensors["fakevae.dec"]
        first = torch.einsum("zc,bcthw->bzthw", both_ways, clean[:, :, -frames : 1 - frames])
    return torch.cat((first, clean[:, :, 1 - frames :]), dim=2)
