"""Published figures of others, as rows: the model of costs must come within 25 % of each (tests/costs).

Only systems with the networks of our pipelines are here. `milliseconds` is what their page says for one chunk, or the
chunk's frames divided by their frames per second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from streamvace.costs.cards import CARDS
from streamvace.costs.chunk import Job
from streamvace.costs.estimate import Stack, chunk_seconds
from streamvace.model.specs import CacheRule, PipelineSpec, pipeline

REFERENCE = Stack("published code", layer=(82, 130))
"""The Self-Forcing family as published: rotary angles in float64 and norms in parts."""

REFERENCE_SAGE = replace(REFERENCE, sage=True)
REFERENCE_COMPILED = Stack("published code, compiled", layer=(55, 80))
FLASHDREAMS = Stack("FlashDreams", layer=(44, 70), launch=0.0)

LONGLIVE, MEMFLOW, REWARD = pipeline("longlive"), pipeline("memflow"), pipeline("reward-forcing")
STREAM2, KREA = pipeline("streamdiffusionv2"), pipeline("krea-realtime")

# Self-Forcing keeps all of its 21 latent frames, so a chunk's window grows.
SELF_FORCING = replace(LONGLIVE, cache=CacheRule(window=21, sink=0))
SIXTH_CHUNK = replace(LONGLIVE, cache=CacheRule(window=18, sink=0), history="last_step")

SD, HD = (640, 368), (832, 480)


@dataclass(frozen=True)
class Figure:
    """One published figure. card: a name in CARDS. source: where it is published, and what its clock holds."""

    system: str
    job: Job
    card: str
    stack: Stack
    milliseconds: float
    source: str

    @property
    def estimate(self) -> float:
        """Milliseconds by the model."""
        card = next(row for row in CARDS if row.name == self.card)
        return 1000 * chunk_seconds(self.job, card, self.stack)


def _rate(frames: int, per_second: float) -> float:
    return 1000 * frames / per_second


def _steps(spec: PipelineSpec, count: int) -> PipelineSpec:
    return replace(spec, steps=tuple(range(count)))


FLASH = "FlashDreams docs, benchmarks.rst: four steps of the sixth chunk, without the cache pass"
MEM = "yepicaiaaron.github.io/story-machine-benchmarks: MemFlow, {} steps, {}"
SCOPE55 = "daydreamlive/scope PR #55: H100, taken as the PCIe card; {}"
SDV2 = "daydreamlive/scope, branch benchmark/sdv2-fps-issue-559: {} frames/s on Windows 11"
PAPER = "author's draft of arXiv 2602.14381, table 5: RTX 5090, SageAttention, TAE; {}"

# Not here: FlashDreams' 251 ms on four cards and 500 on one, whose page does not say whether the decoder counts, and
# StreamDiffusionV2's 16.6 frames/s on a 4090, without a resolution.
FIGURES = (
    Figure("FlashDreams", Job(SIXTH_CHUNK, HD), "h100", FLASHDREAMS, 344, FLASH),
    Figure("FlashDreams", Job(SIXTH_CHUNK, HD), "gb200", FLASHDREAMS, 203, FLASH),
    Figure("FlashDreams", Job(SIXTH_CHUNK, HD), "gb300", FLASHDREAMS, 171, FLASH),
    Figure("Self-Forcing, official", Job(SIXTH_CHUNK, HD), "h100", REFERENCE_COMPILED, 432, FLASH),
    Figure("Self-Forcing, official", Job(SIXTH_CHUNK, HD), "gb200", REFERENCE_COMPILED, 350, FLASH),
    Figure("Self-Forcing, official", Job(SIXTH_CHUNK, HD), "gb300", REFERENCE_COMPILED, 251, FLASH),
    Figure("Self-Forcing", Job(SELF_FORCING, HD, codec="wan-vae"), "h100", REFERENCE, _rate(12, 17.0), "its paper"),
    Figure("LongLive 1.0", Job(LONGLIVE, HD, codec="wan-vae"), "h100", REFERENCE, _rate(12, 20.7), "its README"),
    Figure("Reward Forcing", Job(REWARD, HD, codec="wan-vae"), "h100", REFERENCE, _rate(12, 23.1), "its README"),
    Figure("MemFlow", Job(MEMFLOW, HD, codec="wan-vae"), "h100", REFERENCE, _rate(12, 18.7), "its paper"),
    *(
        Figure("MemFlow", Job(_steps(MEMFLOW, n), size, codec="wan-vae"), "h100", REFERENCE, _rate(12, fps),
               MEM.format(n, "{}x{}".format(*size)))
        for size, row in (((848, 480), {2: 28.3, 4: 20.6, 8: 13.3}), ((512, 288), {2: 49.3, 4: 36.7, 8: 22.1}))
        for n, fps in row.items()
    ),
    Figure("Reward Forcing in Scope", Job(REWARD, HD, codec="wan-vae"), "rtx 5090", REFERENCE_SAGE, _rate(12, 12.5),
           "daydreamlive/scope PR #226: 12 to 13 frames/s, SageAttention 2"),
    *(
        Figure("StreamDiffusionV2", Job(STREAM2, size, source=True, codec="wan-vae"), "rtx 5090", REFERENCE,
               _rate(4, fps), SDV2.format(fps))
        for size, fps in (((208, 208), 28.8), ((512, 512), 12.4), (HD, 9.2))
    ),
    Figure("Krea Realtime in Scope", Job(KREA, HD, codec="wan-vae"), "h100 pcie", REFERENCE, _rate(12, 3.6),
           SCOPE55.format("FlashAttention 2")),
    Figure("Krea Realtime in Scope", Job(KREA, HD, codec="wan-vae"), "h100 pcie", REFERENCE_COMPILED, _rate(12, 4.3),
           SCOPE55.format("compiled")),
    Figure("Krea Realtime in Scope", Job(KREA, (576, 320), codec="wan-vae"), "h100 pcie", REFERENCE, _rate(12, 8.6),
           SCOPE55.format("FlashAttention 2")),
    Figure("Krea Realtime", Job(KREA, HD, codec="wan-vae"), "b200", REFERENCE_COMPILED, _rate(12, 11.0), "its blog"),
    Figure("Scope + VACE, depth", Job(LONGLIVE, SD, control=True), "rtx 5090", REFERENCE_SAGE, 570,
           PAPER.format("570 ms a chunk")),
    Figure("Scope + VACE, extension", Job(LONGLIVE, SD), "rtx 5090", REFERENCE_SAGE, 400,
           PAPER.format("400 ms a chunk, the context branch in the first one alone")),
)  # fmt: skip
