"""What each saving costs in fidelity: `python benchmarks/prices.py [--clips 24] [--only bf16]`.

Runs the embedded model with each option of the table, on scenes that it was not trained on, with depth control:

  chunk     milliseconds of a steady chunk, median; the rows take turns chunk by chunk, so other work slows all alike
  IoU       silhouettes of the objects, as `streamvace evaluate` judges them
  colour    share of the objects in the colour that the prompt names
  seam      frame jump at a seam over the mean inside chunks
  drift     contrast and sharpness of the last chunks of a stream over those of the first

`smaller window` and `no clean pass` are changes of the pipeline's row, which no option of `streamvace run` makes. A
cache in 8 bits and a clean pass merged into the next chunk's first step are not in the table: streamvace has neither.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # before torch is loaded, as in `streamvace run`

from common import arguments, report

from streamvace.doctor.hardware import hardware_line
from streamvace.embedded.evaluation.drift import PROMPTS, Drift, drift
from streamvace.embedded.evaluation.fidelity import fidelity
from streamvace.embedded.evaluation.painters import Variant
from streamvace.embedded.evaluation.trials import PLAIN
from streamvace.embedded.train.package import load_package
from streamvace.model.specs import CacheRule
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator
from streamvace.stream.rehearsal import rehearsal_input
from streamvace.system.errors import UserError

Results = dict[str, dict[str, float]]
"""The figures of each row."""

JUDGES = ("silhouette", "colour", "seam")


@dataclass(frozen=True)
class Price:
    """A row. like: the options of its chunks. window: latent frames of the cache; 0: the pipeline's own."""

    name: str
    precision: str = "fp32"
    like: ChunkInput = PLAIN
    window: int = 0
    last_step: bool = False


ROWS = (
    Price("fp32"),
    Price("bf16", "bf16"),
    Price("int8 weights", "int8"),
    Price("hints every 2 steps", like=replace(PLAIN, hint_reuse=2)),
    Price("hints once a chunk", like=replace(PLAIN, hint_reuse=4)),
    Price("3 steps", like=replace(PLAIN, denoise_steps=3)),
    Price("2 steps", like=replace(PLAIN, denoise_steps=2)),
    Price("smaller window: 3 latent frames", window=3),
    Price("no clean pass: history of the last step", last_step=True),
)
"""All are compared with the first."""


class Subject(Variant):
    """A row's generator, for the evaluation."""

    def generator(self, precision: str = "") -> Generator:
        """See Variant. Made once, before."""
        return self._made[""]


def made(row: Price, threads: int | None) -> Generator:
    """The row's generator. Raises UserError if its precision cannot be used here."""
    generator = load_generator("embedded", None, ModelOptions("cpu", threads, row.precision))
    spec = generator.spec
    if row.window:
        spec = replace(spec, cache=CacheRule(window=row.window, sink=0))
    if row.last_step:
        spec = replace(spec, history="last_step")
    if spec == generator.spec:
        return generator
    other = Generator(spec, generator.networks, generator.size, generator.device, generator.dtype)
    other.threads = generator.threads
    return other


def time_chunks(subjects: Sequence[tuple[Price, Generator]], rounds: int) -> dict[str, float]:
    """Milliseconds of a median steady chunk of each row."""
    spent: dict[str, list[float]] = {row.name: [] for row, _ in subjects}
    settle = max(-(-generator.spec.cache.window // generator.spec.chunk) for _, generator in subjects) + 1
    for turn in range(settle + rounds):
        for row, generator in subjects:
            black = rehearsal_input(("control",), {}, generator.frames_wanted(), generator.size, regional=False)
            chunk = generator.step(replace(row.like, prompt="red glossy ball", control=black.control))
            if turn >= settle:
                spent[row.name].append(1000 * chunk.seconds["total"])
    return {name: statistics.median(each) for name, each in spent.items()}


def judge(subjects: Sequence[tuple[Price, Generator]], clips: int, frames: int, results: Results) -> None:
    """Add the figures of the pictures to the results. frames: of the stream for drift."""
    net, codec = load_package()
    variants: list[Variant] = []
    for row, generator in subjects:
        variants.append(Subject(row.name, net, codec, streamed=True, ships=True, like=row.like))
        variants[-1]._made[""] = generator
    for cell in fidelity(variants, codec, clips, 1, ("depth",), ("on",)):
        if cell.variant in results and cell.judge in JUDGES:
            results[cell.variant][cell.judge] = cell.figure.mean
            results[cell.variant][f"{cell.judge} interval"] = (cell.figure.high - cell.figure.low) / 2
    for row, generator in subjects:
        found: Drift = drift(generator, frames, PROMPTS[0], 1, re_anchor=False, like=row.like)
        results[row.name] |= {"contrast": found.contrast, "sharpness": found.sharpness}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--drift", type=int, default=240, help="frames of the stream for drift")
    parser.add_argument("--rounds", type=int, default=10, help="chunks of each row for the clock")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--only", action="append", default=[], choices=[row.name for row in ROWS])
    parser.add_argument("--clock", action="store_true", help="measure the chunks alone, not the pictures")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    subjects: list[tuple[Price, Generator]] = []
    left_out: list[str] = []
    for row in ROWS:
        if given.only and row.name not in (ROWS[0].name, *given.only):
            continue
        try:
            subjects.append((row, made(row, given.threads)))
        except UserError as error:
            left_out.append(f"{row.name} is left out: {error}")
    results: Results = {row.name: {} for row, _ in subjects}
    for name, milliseconds in time_chunks(subjects, given.rounds).items():
        results[name]["ms"] = milliseconds
    if not given.clock:
        judge(subjects, given.clips, given.drift, results)
    report(given.json, hardware_line(subjects[0][1].device), results, [*lines(results), *left_out])


def lines(results: Results) -> Iterator[str]:
    """A Markdown table; without pictures it has the times alone."""
    first = next(iter(results.values()))["ms"]
    judged = "silhouette" in next(iter(results.values()))
    yield "| option | chunk | of fp32 |" + (" IoU | colour | seam | drift: contrast, sharpness |" if judged else "")
    yield "| --- | --- | --- |" + (" --- | --- | --- | --- |" if judged else "")
    for name, row in results.items():
        line = f"| {name} | {row['ms']:.0f} ms | {row['ms'] / first:.2f} |"
        if judged:
            line += f" {row['silhouette']:.2f} ±{row['silhouette interval']:.2f} | {row['colour']:.0%} |"
            line += f" {row['seam']:.2f} | {row['contrast']:.2f}, {row['sharpness']:.2f} |"
        yield line


if __name__ == "__main__":
    main()
