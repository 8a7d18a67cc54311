"""Replays the streaming goldens: call by call with recorded inputs, then in closed loop through `Generator.step`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.model.attention import sdpa
from streamvace.model.blocks import Bidirectional, Memory
from streamvace.model.cache import ChunkPass, KVCache
from streamvace.model.rope import RotaryTable, rotary_table
from streamvace.parity.loop import close_loop
from streamvace.parity.networks import clean_latents, golden_network, golden_spec, placed
from streamvace.parity.report import CALL_TOLERANCE, LOOP_TOLERANCE, Report, Sidecar, Tensors


class CallReplay:
    """Our networks and cache, called as in a golden's list of calls."""

    def __init__(
        self, meta: Sidecar, tensors: Tensors, branch_memory: Callable[[RotaryTable], Memory] = Bidirectional
    ) -> None:
        self.tensors, self.branch_memory = tensors, branch_memory
        self.wan, self.branch = golden_network(meta, tensors)
        self.frame_tokens: int = meta["frame_seq_length"]
        self.rule = golden_spec(meta).cache
        self.height, self.width = meta["height"] // 16, meta["width"] // 16
        place = placed(tensors)
        self.cache = KVCache(self.wan.size, self.rule, self.height, self.width, device=place.device, dtype=place.dtype)

    def flow(self, call: dict[str, Any], x: Tensor) -> Tensor:
        """Run one recorded call on latents `x` `[1, 16, F, h, w]`."""
        events = {event["event"] for event in call["events_before"] if event.get("reset_indices", True)}
        if "initialize_kv_cache" in events:
            self.cache.reset()
        text = self.wan.embed_text(self.tensors[call["context"]])
        text_kv = self.wan.text_kv(text)
        if self.rule.bank and call["q_bank"]:
            # The reference program scores against its text cache, which a prompt switch has just emptied.
            self.cache.bank.consolidate(None if "initialize_crossattn_cache" in events else [k for k, _ in text_kv])
        memory = self._memory(call, x.shape[2])
        tokens, grid = self.wan.embed(x)
        time = self.wan.embed_time(torch.tensor([call["t"]], device=x.device))
        hints: list[Tensor] = []
        if call["vace_context"] is not None:
            rotary = rotary_table(range(grid.frames), self.height, self.width, self.wan.size.head_dim, x.device)
            context = self.tensors[call["vace_context"]].unsqueeze(0)
            made = self.branch(tokens, context, time, self.branch.text_kv(text), self.branch_memory(rotary))
            hints = [hint * call["vace_context_scale"] for hint in made]
        flow = self.wan.run(tokens, grid, time, text_kv, memory, hints)
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


class _ZeroPaddedKeys:
    """The reference program's padding defect: keys padded with zeros to a multiple of 128 take softmax mass."""

    def __init__(self, rotary: RotaryTable) -> None:
        self._rotary = rotary

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See blocks.Memory.attend."""
        padding = (0, 0, 0, 0, 0, -k.shape[1] % 128)
        return sdpa(self._rotary.rotate(q), F.pad(self._rotary.rotate(k), padding), F.pad(v, padding))


def recorded_defect(meta: Sidecar, tensors: Tensors) -> str:
    """The defect of the reference program that a recording shows; empty when the recording is truth."""
    for index, call in enumerate(meta["calls"]):
        if call["vace_context"] is None:
            continue
        frames = tensors[f"call{index:03d}.x0"].shape[1]
        context_frames = tensors[call["vace_context"]].shape[1]
        if context_frames != frames:
            return f"the recording cuts a context of {context_frames} latent frames to a chunk of {frames}"
        if index == 0 and frames * meta["frame_seq_length"] % 128:
            # Which of both is nearer holds in every precision: rounding to 16 bits is a third of the defect.
            plain, padded = (
                float(
                    (CallReplay(meta, tensors, keys).flow(call, tensors["call000.x"]) - tensors["call000.flow"]).norm()
                )
                for keys in (Bidirectional, _ZeroPaddedKeys)
            )
            if padded < plain:
                return "the recording attends zero-padded keys in the context branch"
    return ""


def replay_stream(name: str, meta: Sidecar, tensors: Tensors) -> Report:
    """Replay a streaming golden call by call and in closed loop, and compare the final caches."""
    report = Report(name, defect=recorded_defect(meta, tensors))
    if report.defect:
        return report
    calls = CallReplay(meta, tensors)
    for index, call in enumerate(meta["calls"]):
        key = f"call{index:03d}"
        if f"{key}.x" not in tensors:
            break  # a compact golden: the closed loop below covers the rest
        x = tensors[f"{key}.x"]
        flow = calls.flow(call, x)
        report.calls += 1
        report.compare("flow", flow, tensors[f"{key}.flow"], CALL_TOLERANCE)
        x0 = clean_latents(meta, call, flow, x).transpose(1, 2)
        report.compare("x0", x0, tensors[f"{key}.x0"], CALL_TOLERANCE)
    if report.calls == len(meta["calls"]):
        _compare_final(report, calls.cache, tensors)
    if placed(tensors).device.type == "cpu":
        _compare_final(report, close_loop(report, meta, tensors), tensors)
    else:
        report.note = "closed loop on the CPU only: the recording's noise is drawn there"
    return report


def _compare_final(report: Report, cache: KVCache, tensors: Tensors) -> None:
    for key, truth in tensors.items():
        if key.startswith("final_kv."):
            _, layer, kind = key.split(".")
            report.compare("final K/V", cache.in_order(int(layer))[kind == "v"], truth, LOOP_TOLERANCE)
        elif key.startswith("final_bank.") and cache.rule.bank:
            _, layer, kind = key.split(".")
            pair = cache.bank.recorded(int(layer)) if kind.endswith("_new") else cache.bank.stored(int(layer))
            report.compare("final bank", pair[kind.startswith("v")], truth, LOOP_TOLERANCE)
