"""The stages of the transformer, as a table.

Two paths continue from `images`. `demo` trains everything together, causally; it gives the best pictures and ships.
`base`, `context` and `causal` follow VACE and the paper: a bidirectional base (A), context blocks on the frozen base
(C), and a causal few-step student of the base that never sees them (B). The paper claims that C works on B, and
`streamvace evaluate` measures this.

There is no distillation stage: with x0-prediction at this size, one step already equals four with guidance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["transformer", "text_encoder", "context"]
EVERYTHING: tuple[Part, ...] = ("transformer", "text_encoder", "context")


@dataclass(frozen=True)
class StageRow:
    """One stage.

    number: part of the random seeds; never reused. after: the stage whose weights it starts from, "" = none.
    trains: the parts of the network that are trained; the others are frozen. order: `causal`: a chunk attends to itself
    and earlier ones; `whole`: every latent frame attends to every other. hears: whether there are controls. refers:
    whether a picture of the scene precedes some clips, as in VACE's training on references; only in `whole` stages.
    """

    number: int
    after: str
    trains: tuple[Part, ...]
    order: Literal["causal", "whole"]
    hears: bool
    refers: bool = False


STAGES: dict[str, StageRow] = {
    "images": StageRow(0, "", EVERYTHING, "whole", hears=True),
    "demo": StageRow(1, "images", EVERYTHING, "causal", hears=True),
    "base": StageRow(3, "images", ("transformer", "text_encoder"), "whole", hears=False),
    "context": StageRow(4, "base", ("context",), "whole", hears=True, refers=True),
    "causal": StageRow(5, "base", ("transformer",), "causal", hears=False),
}
