"""The cards of the model of costs: published peaks, and the share of them that real programs reach."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Shares:
    """How much of a card's peak large kernels reach in practice, by architecture.

    products, attention, convolutions: of the peak of dense bf16 products. sage: SageAttention, of the same peak; it
    computes in 8 bits and can exceed it. None: there is no such kernel.
    """

    products: float
    attention: float
    convolutions: float
    sage: float | None = None


ARCHITECTURES: dict[int | tuple[int, int], Shares] = {
    # Data centre cards: products from FlashDreams' batch Wan 1.3B at 832x480, which is nothing but large kernels (1040
    # ms on H100, 441 on GB200). Convolutions from its TAEHV (13.5 ms on A100, 3.5 on GB200) and MemFlow's sweep.
    (8, 0): Shares(products=0.55, attention=0.55, convolutions=0.5),
    # Consumer cards clock above the boost that their peak is quoted for, and their FP32 accumulation is the limit.
    # SageAttention 2 is published with 481 TOPS on a 4090 and 560 on a 5090; our shapes reach less. Convolutions from
    # StreamDiffusionV2's encoder and decoder on a 5090 (100 and 168 ms).
    (8, 9): Shares(products=0.9, attention=0.9, convolutions=0.48, sage=1.9),
    9: Shares(products=0.57, attention=0.57, convolutions=0.3),
    10: Shares(products=0.48, attention=0.48, convolutions=0.35),
    12: Shares(products=1.0, attention=1.0, convolutions=0.48, sage=2.2),
    # Older consumer cards (RTX 30): as Ada.
    8: Shares(products=0.9, attention=0.9, convolutions=0.48, sage=1.5),
}
"""By compute capability, the full one first, else its major number."""

BANDWIDTH_SHARE = 0.8
"""Of the peak of memory: what element-wise kernels reach."""


@dataclass(frozen=True)
class Card:
    """One card, from its maker's data sheet.

    name: a part of the name that the driver gives, in lower case. products: peak of dense bf16 products with fp32
    accumulation, in TFLOP/s. bandwidth: of its memory, GB/s. memory: GB. link: GB/s to another card, one direction.
    multiprocessors: for cards that are not in the table. host: how much longer its usual processor takes to launch a
    kernel than an x86 one. clock: what its power limit leaves of the clock of the peak.
    """

    name: str
    capability: tuple[int, int]
    products: float
    bandwidth: float
    memory: float
    link: float
    multiprocessors: int
    host: float = 1.0
    clock: float = 1.0

    @property
    def shares(self) -> Shares:
        """What programs reach on this architecture."""
        major = self.capability[0]
        return ARCHITECTURES.get(self.capability) or ARCHITECTURES.get(major) or ARCHITECTURES[max(_MAJORS)]


_MAJORS = [each for each in ARCHITECTURES if isinstance(each, int)]

CARDS = (
    Card("rtx 4090", (8, 9), products=165, bandwidth=1008, memory=24, link=25, multiprocessors=128),
    Card("rtx 5090", (12, 0), products=209.5, bandwidth=1792, memory=32, link=50, multiprocessors=170),
    Card("a100", (8, 0), products=312, bandwidth=2039, memory=80, link=300, multiprocessors=108),
    Card("h100 pcie", (9, 0), products=756, bandwidth=2000, memory=80, link=50, multiprocessors=114, clock=0.87),
    Card("h100", (9, 0), products=989, bandwidth=3350, memory=80, link=450, multiprocessors=132),
    Card("h200", (9, 0), products=989, bandwidth=4800, memory=141, link=450, multiprocessors=132),
    Card("gb200", (10, 0), products=2500, bandwidth=8000, memory=186, link=900, multiprocessors=152, host=2.6),
    Card("gb300", (10, 3), products=2500, bandwidth=8000, memory=288, link=900, multiprocessors=160, host=2.6),
    Card("b200", (10, 0), products=2250, bandwidth=8000, memory=180, link=900, multiprocessors=148),
)
"""The first whose name is in the driver's name is used. GB200 and GB300 have an Arm processor as their host; its factor
is from the official Self-Forcing on both (350 and 251 ms), which is slower there than the cards alone explain."""


def find_card(name: str, capability: tuple[int, int], multiprocessors: int) -> tuple[Card, str]:
    """The row for a card, and "" or a line that says how it was found.

    A card that is not in the table is taken as one of its architecture, or of the newest one, scaled by its number of
    multiprocessors.
    """
    for row in CARDS:
        # A laptop's card has the name of the larger one for desktops.
        if row.name in name.lower() and "laptop" not in name.lower():
            return row, ""
    near = [row for row in CARDS if row.capability[0] == capability[0]] or [CARDS[-1]]
    like = min(near, key=lambda row: (row.capability != capability, abs(row.multiprocessors - multiprocessors)))
    scale = multiprocessors / like.multiprocessors
    scaled = replace(
        like,
        name=name,
        products=like.products * scale,
        bandwidth=like.bandwidth * scale,
        multiprocessors=multiprocessors,
    )
    major, minor = capability
    return scaled, f"taken as a {like.name.upper()} with {multiprocessors} multiprocessors (capability {major}.{minor})"
