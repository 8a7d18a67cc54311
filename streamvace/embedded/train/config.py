"""Every hyper-parameter of the training program: one JSON file, read into one frozen object."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streamvace.embedded.train.rows import STAGES
from streamvace.system.errors import UserError

DEFAULT = Path(__file__).with_name("config.json")


@dataclass(frozen=True)
class StageConfig:
    """One stage. muon, adam: learning rates; decay: the share of the budget in which they fall to zero.

    minutes: the budget. steps: the budget in steps instead, unless 0: then the weights are a function of the seed
    alone, where the clock's budget depends on the machine.
    """

    minutes: float
    steps: int
    batch: int
    frames: int
    muon: float
    adam: float
    warmup: int
    decay: float
    save_minutes: float
    sheet_minutes: float


@dataclass(frozen=True)
class TrainConfig:
    """The whole program.

    folder: checkpoints and contact sheets. world: the source of a data.World. photographs: optional folder of mp4
    clips. start_from: a checkpoint, or a folder with a package, to go on from in `images` or `demo`, perhaps with fewer
    words, or None: each stage from the one before it.
    """

    seed: int
    processes: int
    bfloat16: bool
    folder: Path
    world: str
    photographs: Path | None
    start_from: Path | None
    codec_clips: int
    stages: dict[str, StageConfig]

    def lasting(self, name: str, minutes: float) -> TrainConfig:
        """The same program, with one stage of another length."""
        return replace(self, stages={**self.stages, name: replace(self.stages[name], minutes=minutes)})

    def within(self, minutes: float, names: tuple[str, ...]) -> TrainConfig:
        """The same program with the named stages in `minutes` together; they keep their proportions."""
        factor = minutes / sum(self.stages[name].minutes for name in names)
        scaled = {name: replace(self.stages[name], minutes=self.stages[name].minutes * factor) for name in names}
        return replace(self, stages={**self.stages, **scaled})


def load_config(path: Path | None = None) -> TrainConfig:
    """Read a configuration file; the default one when `path` is None. Raises UserError when it doesn't fit."""
    path = path or DEFAULT
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stages = {name: StageConfig(**values) for name, values in raw.pop("stages").items()}
        if missing := {*STAGES, "decoder"} - stages.keys():
            raise ValueError(f"no stage {', '.join(sorted(missing))}")
        photographs, start_from = raw.pop("photographs"), raw.pop("start_from")
        return TrainConfig(
            folder=Path(raw.pop("folder")),
            photographs=Path(photographs) if photographs else None,
            start_from=Path(start_from) if start_from else None,
            stages=stages,
            **raw,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"training configuration {path} doesn't fit: {error}") from error
