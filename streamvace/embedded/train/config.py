"""The hyper-parameters of training: one JSON file, read into one frozen object."""

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
    """One stage.

    minutes: the budget. steps: if not 0, the budget in steps instead; the weights then depend only on the seed and not
    on the machine's speed. batch: samples per step. frames: of a clip. muon, adam: learning rates. warmup: steps.
    decay: the final share of the budget in which the rates fall to zero. save_minutes, sheet_minutes: intervals of
    checkpoints and contact sheets. critic: for the decoder, see `decoder.judged`.
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
    critic: float = 0.0


@dataclass(frozen=True)
class TrainConfig:
    """The whole configuration.

    folder: for checkpoints and contact sheets. world: the source of a data.World. photographs: a folder of mp4 clips,
    or None. start_from: a checkpoint or a package folder, possibly with a shorter vocabulary, that `images` or `demo`
    starts from; None: each stage starts from its predecessor. keep: the share of the weights of the package
    `start_from` in the one that is written: half-way back, a model that learned more has lost less.
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
    keep: float = 0.0

    def lasting(self, name: str, minutes: float) -> TrainConfig:
        """This configuration with another budget for one stage."""
        return replace(self, stages={**self.stages, name: replace(self.stages[name], minutes=minutes)})

    def within(self, minutes: float, names: tuple[str, ...]) -> TrainConfig:
        """This configuration with the budgets of the named stages scaled to `minutes` in total."""
        factor = minutes / sum(self.stages[name].minutes for name in names)
        scaled = {name: replace(self.stages[name], minutes=self.stages[name].minutes * factor) for name in names}
        return replace(self, stages={**self.stages, **scaled})


def load_config(path: Path | None = None) -> TrainConfig:
    """Read a configuration file; None: the default one. Raises UserError if it is invalid."""
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
        raise UserError(f"training configuration {path} is invalid: {error}") from error
