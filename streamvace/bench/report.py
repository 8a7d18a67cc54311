"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from streamvace.bench.parts import Part
from streamvace.costs.published import FIGURES

CLOCK = (
    "The clock of a chunk holds all of `Generator.step`: text, encoding the control, context branch, denoising, cache "
    "pass, decoding, and the download of the frames as bytes. It does not hold sources, sinks, the networks that make "
    "controls, or loading and warm-up. The cache is full."
)


def markdown(results: Mapping[str, Any], parts: Sequence[Part]) -> str:
    """A section per part, in order; what did not run says why."""
    return "\n".join(_lines(results, parts)) + "\n"


def _lines(results: Mapping[str, Any], parts: Sequence[Part]) -> Iterator[str]:
    setup = results["setup"]
    width, height = setup["size"]
    yield "# Measured"
    yield ""
    yield f"{results['hardware']}"
    yield ""
    yield f"{setup['pipeline']} at {width}x{height} where a part names no other; {setup['chunks']} steady chunks each."
    yield CLOCK
    for part in parts:
        answer = results["parts"].get(part.name)
        yield ""
        yield f"## {part.title}"
        yield ""
        if answer is None:
            yield "Not run yet."
        elif answer["status"] != "done":
            yield f"{answer['status'].capitalize()}: {answer['reason']}."
        else:
            yield from section(answer["figures"])
    yield ""
    yield from peers()


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """A table of the plain figures, and one of the rows."""
    plain = {name: value for name, value in figures.items() if name != "rows" and value is not None}
    if plain:
        yield "| figure | value |"
        yield "| --- | --- |"
        for name, value in plain.items():
            yield f"| {words(name)} | {cell(value)} |"
    rows: Sequence[Mapping[str, Any]] = figures.get("rows", ())
    if rows:
        names = list(dict.fromkeys(name for row in rows for name in row))
        if plain:
            yield ""
        yield f"| {' | '.join(map(words, names))} |"
        yield "| --- " * len(names) + "|"
        for row in rows:
            yield f"| {' | '.join(cell(row.get(name, '')) for name in names)} |"


def words(name: str) -> str:
    """`peak_gb` -> `peak (GB)`."""
    for ending, unit in (("_ms", "ms"), ("_gb", "GB"), ("_s", "s")):
        if name.endswith(ending):
            return f"{name.removesuffix(ending).replace('_', ' ')} ({unit})"
    return name.replace("_", " ")


def cell(value: Any) -> str:
    """One line, safe in a table."""
    if isinstance(value, Mapping):
        return ", ".join(f"{words(name)} {cell(each)}" for name, each in value.items())
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 0.01 and value else f"{value:,.2f}".rstrip("0").rstrip(".")
    return " ".join(str(value).split()).replace("|", "/")


def peers() -> Iterator[str]:
    """What others have published, for comparison: other programs, on other machines."""
    yield "## Published by others"
    yield ""
    yield "| system | size | card | a chunk (ms) | source |"
    yield "| --- | --- | --- | --- | --- |"
    for row in FIGURES:
        width, height = row.job.size
        yield f"| {row.system} | {width}x{height} | {row.card.upper()} | {row.milliseconds:.0f} | {row.source} |"
