"""What each saving costs in fidelity: `python benchmarks/prices.py OUT.json [--clips 48] [--only bf16] [--task edges]`.

Runs the embedded model with each option of the table, on scenes that it was not trained on:

  chunk     milliseconds of a steady chunk, median; the rows take turns chunk by chunk, so other work slows all alike
  IoU       silhouettes of the objects, as `streamvace evaluate` judges them
  colour    share of the objects in the colour that the prompt names
  seam      frame jump at a seam over the mean inside chunks
  drift     contrast and sharpness of the last chunks of a stream over those of the first

The table is of depth control. `--task` takes others of `streamvace evaluate` as well, and `references`, into a second
table. OUT.json is written after each row and task; the same command goes on where it was stopped. It says how long the
chunks to come take.

`smaller window` and `no clean pass` are changes of the pipeline's row, which no option of `streamvace run` makes. A
cache in 8 bits and a clean pass merged into the next chunk's first step are not in the table: streamvace has neither.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # before torch is loaded, as in `streamvace run`

from common import arguments
from prices_table import Results, begun, has, keep, lines

from streamvace.doctor.hardware import hardware_line
from streamvace.embedded.evaluation.confidence import Cell
from streamvace.embedded.evaluation.drift import PERIOD, PROMPTS, drift
from streamvace.embedded.evaluation.fidelity import TASKS, fidelity
from streamvace.embedded.evaluation.painters import Variant
from streamvace.embedded.evaluation.references import make_clip, reference_cells
from streamvace.embedded.evaluation.trials import PLAIN
from streamvace.embedded.train.package import load_package
from streamvace.model.specs import CacheRule
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.loading import load_generator
from streamvace.stream.rehearsal import rehearsal_input
from streamvace.system.errors import UserError

DRIFT, REFERENCES = "drift", "references"
REFERENCE_CLIPS, REFERENCE_FRAMES, REFERENCE_STREAMS = 16, 33, 8
"""Most clips for references, their frames (three chunks), and the streams of each."""
CHUNKS_OF_A_CLIP, FRAMES_OF_A_CHUNK = 2, 12


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

Subjects = Sequence[tuple[Price, Generator]]


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


def time_chunks(subjects: Subjects, rounds: int) -> dict[str, float]:
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


def figures_of(
    subjects: Subjects, task: str, clips: int, frames: int, say: Callable[[str], None]
) -> Iterator[tuple[str, str, list[float]]]:
    """(row, figure, [mean, half of the 95 % interval]) of a task, row by row. frames: of the streams for drift."""
    if task not in (DRIFT, REFERENCES):
        net, codec = load_package()
        variants = [
            Variant(row.name, net, codec, streamed=True, ships=True, like=row.like).using(generator)
            for row, generator in subjects
        ]
        names = {variant.name for variant in variants}
        for cell in fidelity(variants, codec, clips, 1, (task,), ("on",), CHUNKS_OF_A_CLIP, say):
            if cell.variant in names:
                yield cell.variant, f"{task} {cell.judge}", _numbers(cell)
        return
    for row, generator in subjects:
        say(f"{task}: {row.name}")
        if task == DRIFT:
            found = [drift(generator, frames, prompt, 1, re_anchor=False, like=row.like) for prompt in PROMPTS]
            for judge in ("contrast", "sharpness"):
                yield row.name, f"{task} {judge}", [statistics.fmean(getattr(each, judge) for each in found), 0.0]
        else:
            count = min(clips, REFERENCE_CLIPS)
            shown = [make_clip(number, REFERENCE_FRAMES, generator.size) for number in range(count)]
            for cell in reference_cells(row.name, generator, shown, True, lambda _: None, row.like):
                yield row.name, f"{task} {cell.condition}: {cell.judge}", _numbers(cell)


def _numbers(cell: Cell) -> list[float]:
    return [cell.figure.mean, (cell.figure.high - cell.figure.low) / 2]


def chunks_of(task: str, clips: int, frames: int) -> int:
    """Chunks that a task generates for a row."""
    if task == DRIFT:
        return len(PROMPTS) * -(-frames // PERIOD) * PERIOD // FRAMES_OF_A_CHUNK
    if task == REFERENCES:
        return min(clips, REFERENCE_CLIPS) * REFERENCE_STREAMS * -(-REFERENCE_FRAMES // FRAMES_OF_A_CHUNK)
    return clips * CHUNKS_OF_A_CLIP


def judge(
    subjects: Subjects, tasks: Sequence[str], given: argparse.Namespace, results: Results, say: Callable[[str], None]
) -> None:
    """Add the figures of the pictures that are missing, and keep each as it comes."""
    rows = results["rows"]
    missing = {task: [each for each in subjects if not has(rows[each[0].name], task)] for task in tasks}
    chunk_s = statistics.fmean(row["ms"] for row in rows.values()) / 1000
    for at, task in enumerate(tasks):
        if not missing[task]:
            continue
        left = sum(len(missing[each]) * chunks_of(each, given.clips, given.drift) for each in tasks[at:])
        say(f"{task}: {len(missing[task])} rows; the chunks to come take {left * chunk_s / 60:.0f} minutes")
        for name, figure, numbers in figures_of(missing[task], task, given.clips, given.drift, say):
            rows[name]["figures"][figure] = numbers
            keep(given.out, results)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("out", type=Path, help="JSON file of the results; goes on with it if it is there")
    parser.add_argument("--clips", type=int, default=48)
    parser.add_argument("--drift", type=int, default=240, help="frames of each stream for drift")
    parser.add_argument("--rounds", type=int, default=10, help="chunks of each row for the clock")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--only", action="append", default=[], choices=[row.name for row in ROWS])
    parser.add_argument("--task", action="append", default=[], choices=[*TASKS, DRIFT, REFERENCES])
    parser.add_argument("--clock", action="store_true", help="measure the chunks alone, not the pictures")
    given = parser.parse_args()

    def say(text: str) -> None:
        print(text, flush=True)

    subjects: list[tuple[Price, Generator]] = []
    for row in ROWS:
        if given.only and row.name not in (ROWS[0].name, *given.only):
            continue
        try:
            subjects.append((row, made(row, given.threads)))
        except UserError as error:
            say(f"{row.name} is left out: {error}")
    setup = {"clips": given.clips, "drift": given.drift, "rounds": given.rounds, "threads": given.threads}
    results = begun(given.out, hardware_line(subjects[0][1].device), setup, [row.name for row, _ in subjects])
    if any("ms" not in results["rows"][row.name] for row, _ in subjects):
        say(f"clock: {given.rounds} chunks of each row")
        for name, milliseconds in time_chunks(subjects, given.rounds).items():
            results["rows"][name]["ms"] = milliseconds
        keep(given.out, results)
    if not given.clock:
        judge(subjects, given.task or ["depth", DRIFT], given, results, say)
    say("\n".join([results["hardware"], *lines(results)]))


if __name__ == "__main__":
    main()
