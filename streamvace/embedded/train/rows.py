"""The stages of the transformer, as a table.

Two ways lead out of `images`. `demo` trains everything together, causally: the best picture, and what ships. `base`,
`context` and `causal` go VACE's way, as the paper does: a bidirectional base (A), context blocks on the frozen base
(C), and a causal few-step student of the base that never meets them (B). Putting C on B is what the paper claims to
work; `streamvace evaluate` measures it.

There is no distillation stage: with x0-prediction at this size one step already equals four with guidance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Part = Literal["transformer", "text_encoder", "context"]
EVERYTHING: tuple[Part, ...] = ("transformer", "text_encoder", "context")


@dataclass(frozen=True)
class StageRow:
    """One stage.

    number: its place in the random seeds; never reused. after: the stage whose weights it starts from, "" = nothing.
    trains: the parts of the network that learn; the others are frozen. order: `causal`: later chunks see earlier ones;
    `whole`: every latent frame sees every other. hears: whether there is any control. refers: whether a picture of the
    scene stands before some of the clips, as VACE learned references; `whole` stages only.
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
