"""What all stages share: optimisers, learning rate schedule, the average of the weights, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor, nn

from streamvace.embedded.train import team
from streamvace.embedded.train.config import StageConfig
from streamvace.embedded.train.muon import Muon
from streamvace.system.files import replace_file


def takes_muon(key: str, parameter: Tensor) -> bool:
    """Whether Muon trains a parameter: matrices of transformer blocks and inner convolutions of the decoder."""
    inner = key.startswith(("mem.", "grow.", "enter.", "join."))
    return (("_blocks." in key or ".blocks." in key) and parameter.ndim == 2) or (inner and parameter.ndim == 4)


class Trainer:
    """Trains one module for a number of minutes or steps.

    average: weights averaged over about the last twentieth of the steps; a longer average hides the final decay.
    """

    def __init__(
        self, name: str, module: nn.Module, config: StageConfig, folder: Path, beside: nn.Module | None = None
    ) -> None:
        """beside: a module that the loss itself trains; it is saved and resumed along."""
        self.name, self.module, self.config = name, module, config
        self._beside = beside
        self.path = folder / f"{name}.pt"
        folder.mkdir(parents=True, exist_ok=True)
        named = [(key, p) for key, p in module.named_parameters() if p.requires_grad]
        matrices = [p for key, p in named if config.muon > 0 and takes_muon(key, p)]
        chosen = {id(p) for p in matrices}
        rest = [p for _, p in named if id(p) not in chosen]
        self._parameters = [p for _, p in named]
        self._optimisers: list[tuple[torch.optim.Optimizer, float]] = [
            (torch.optim.AdamW(rest, lr=config.adam, betas=(0.9, 0.98), weight_decay=0.01), config.adam)
        ]
        if matrices:
            self._optimisers.append((Muon(matrices, lr=config.muon), config.muon))
        self.average: dict[str, Tensor] = {key: value.clone() for key, value in module.state_dict().items()}
        self.step = 0
        self.elapsed = 0.0
        self._since = time.monotonic()

    @property
    def finished(self) -> float:
        """The used share of the stage's budget, 0..1."""
        if self.config.steps > 0:
            return min(1.0, self.step / self.config.steps)
        return min(1.0, self.elapsed / (self.config.minutes * 60)) if self.config.minutes > 0 else 1.0

    def resume(self) -> bool:
        """Load this stage's checkpoint; returns whether there is one."""
        if not self.path.exists():
            return False
        state: dict[str, Any] = torch.load(self.path, weights_only=True)
        self.module.load_state_dict(state["module"])
        self.average = state["average"]
        for (optimiser, _), saved in zip(self._optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        if self._beside is not None:
            self._beside.load_state_dict(state["beside"])
        self.step, self.elapsed = state["step"], state["elapsed"]
        return True

    def save(self) -> None:
        """Write the checkpoint atomically. Only the team's leader writes."""
        if team.rank():
            return
        state = {
            "module": self.module.state_dict(),
            "average": self.average,
            "optimisers": [optimiser.state_dict() for optimiser, _ in self._optimisers],
            "beside": {} if self._beside is None else self._beside.state_dict(),
            "step": self.step,
            "elapsed": self.elapsed,
        }
        draft = self.path.with_suffix(".tmp")
        torch.save(state, draft)
        replace_file(draft, self.path)

    def update(self, loss: Tensor) -> None:
        """One optimiser step."""
        loss.backward()
        self.elapsed = team.average_gradients(self._parameters, self.elapsed + time.monotonic() - self._since)
        self._since = time.monotonic()
        scale = min(1.0, (self.step + 1) / self.config.warmup, max(0.0, 1 - self.finished) / self.config.decay)
        for optimiser, rate in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate * scale
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        for optimiser, _ in self._optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        with torch.no_grad():
            weight = 1 / (1 + self.step / 20)
            for key, value in self.module.state_dict().items():
                if value.is_floating_point():
                    self.average[key].lerp_(value, weight)
                else:
                    self.average[key].copy_(value)

    def run(self, losses: Callable[[int], Tensor], sheet: Callable[[], None]) -> None:
        """Train until the budget is used, and save. losses: step -> loss. sheet: writes a contact sheet; the team's
        leader calls it at intervals and at the end."""
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        smooth, saved, drawn = 0.0, self.elapsed, self.elapsed
        self._since = time.monotonic()
        note = TextColumn("{task.fields[note]}")
        with Progress(*columns, note, refresh_per_second=1, disable=team.rank() > 0) as progress:
            task = progress.add_task(self.name, total=1.0, completed=0, note="")
            while self.finished < 1.0:
                loss = losses(self.step)
                self.update(loss)
                value = float(loss.detach())
                smooth = value if smooth == 0.0 else 0.98 * smooth + 0.02 * value
                progress.update(task, completed=self.finished, note=f"step {self.step} loss {smooth:.4f}")
                if self.step % 50 == 0 and team.rank() == 0:
                    line = f"{self.name} step {self.step} {self.elapsed / 60:.1f} min loss {smooth:.4f}"
                    progress.console.print(line)
                if self.elapsed - saved > self.config.save_minutes * 60:
                    self.save()
                    saved = self.elapsed
                if self.elapsed - drawn > self.config.sheet_minutes * 60:
                    if team.rank() == 0:
                        sheet()
                    drawn = self.elapsed
        self.save()
        if team.rank() == 0:
            sheet()
