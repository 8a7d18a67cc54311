"""What the base network is given, pass by pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from torch import Tensor

from streamvace.stream.generator import Generator


@dataclass(frozen=True)
class Pass:
    """Latents, timestep, and the hints that are added."""

    latents: Tensor
    timestep: float
    hints: list[Tensor]


def passes(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> list[Pass]:
    """Every pass from now on."""
    seen: list[Pass] = []
    wan = generator.networks.wan
    embed, embed_time, run = wan.embed, wan.embed_time, wan.run
    latents: list[Tensor] = []
    times: list[float] = []

    def noted(*args: Any) -> Tensor:
        seen.append(Pass(latents[-1], times[-1], list(args[5])))
        return run(*args)

    monkeypatch.setattr(wan, "embed", lambda x: latents.append(x) or embed(x))
    monkeypatch.setattr(wan, "embed_time", lambda t: times.append(float(t[0, 0])) or embed_time(t))
    monkeypatch.setattr(wan, "run", noted)
    return seen
