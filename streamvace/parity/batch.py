"""Replays the golden of batch VACE: the same networks, bidirectional over [references | clip]."""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.model.blocks import Bidirectional
from streamvace.model.rope import rotary_table
from streamvace.parity.networks import golden_network
from streamvace.parity.report import CALL_TOLERANCE, Report, Sidecar, Tensors


def replay_batch(name: str, meta: Sidecar, tensors: Tensors) -> Report:
    """Replay every call: scales, a reference in front, short text, and a padded sequence (unpadded here)."""
    report = Report(name)
    config = meta["config"]
    wan, branch = golden_network(
        {
            "model_kwargs": config,
            "vace_layers": config["vace_layers"],
            "vace_in_dim": config["vace_in_dim"],
            "vace": True,
        },
        tensors,
    )
    for call in meta["calls"]:
        x, context = _joined(call["x"], tensors), _joined(call["vace_context"], tensors)
        text = wan.embed_text(tensors[call["context"]].unsqueeze(0))
        tokens, grid = wan.embed(x.unsqueeze(0))
        time = wan.embed_time(torch.full((1, grid.frames), call["t"], device=x.device))
        rotary = rotary_table(range(grid.frames), grid.height, grid.width, wan.size.head_dim, x.device)
        memory = Bidirectional(rotary)
        made = branch(tokens, context.unsqueeze(0), time, branch.text_kv(text), memory)
        flow = wan.run(tokens, grid, time, wan.text_kv(text), memory, [hint * call["scale"] for hint in made])
        report.calls += 1
        report.compare("flow", flow[0], tensors[f"out.{call['name']}"], CALL_TOLERANCE)
    return report


def _joined(source: str, tensors: Tensors) -> Tensor:
    """A tensor by name, or `cat(a,b)` along time."""
    names = source.removeprefix("cat(").removesuffix(")").split(",")
    return torch.cat([tensors[name] for name in names], dim=1)
