"""Reads the log of a show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)

from streamvace.live.show_log.writer import FORMAT, PLAIN, from_json
from streamvace.records.chunk import ChunkInput
from streamvace.system.errors import UserError

LONGEST_LINE = 1_000_000
"""Characters: far more than every parameter at its longest."""

MOST_FRAMES = 1000
"""In a chunk, and a second: far more than any pipeline makes and any screen shows."""

OLD_SHAPE = {"noise_rule": "sum"}
"""Values of fields that logs of earlier versions do not have, as they were then."""

OLD_PRECISION = {"embedded": "fp32"}
"""The precision of a show whose log does not name it, by pipeline; the others chose as today."""


@dataclass(frozen=True)
class ShownChunk:
    """One chunk of a show.

    index: since the last reset. frames: number of its pictures. changes: (address, value) applied before it, None for a
    trigger. shape: all plain fields of its ChunkInput. pictures: the names of its arrays.
    """

    index: int
    frames: int
    changes: tuple[tuple[str, Any], ...]
    shape: Mapping[str, Any]
    pictures: tuple[str, ...]


LEAD_INPUT = "/streamvace/input/control"


@dataclass(frozen=True)
class ShowFile:
    """A show: its head, its parameters at the start, and its chunks in order. precision: of its first chunk."""

    pipeline: str
    size: tuple[int, int]
    content_rate: float
    inputs: tuple[str, ...]
    parameters: Mapping[str, Any]
    chunks: tuple[ShownChunk, ...]
    precision: str = "auto"

    @property
    def lead(self) -> str:
        """The address of the input that the control began with."""
        return self.address(str(self.parameters.get(LEAD_INPUT, "")))

    def address(self, asked: str) -> str:
        """The address of what LEAD_INPUT names: an input's number, nothing for the first input, or an address."""
        number = int(asked) if asked.isdecimal() else 1
        numbered = (not asked or asked.isdecimal()) and 0 < number <= len(self.inputs)
        return self.inputs[number - 1] if numbered else asked

    @property
    def frames(self) -> int:
        """Number of pictures in the whole show."""
        return sum(chunk.frames for chunk in self.chunks)


_FINITE = ConfigDict(allow_inf_nan=False)
_FIELDS: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(hint, config=None if name == "prompt" else _FINITE)
    for name, hint in get_type_hints(ChunkInput).items()
    if name in PLAIN
}


def _shape(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a ChunkInput in their types. Raises ValueError.

    Fields of later versions are left out. So are the missing pictures that earlier versions logged as null: later
    chunks may have them.
    """
    held: dict[str, Any] = {}
    for name, value in values.items():
        try:
            if name in _FIELDS:
                held[name] = _FIELDS[name].validate_python(value)
        except ValidationError as error:
            raise ValueError(f"{name}: {_said(error.errors()[-1]['msg'])}") from None
    return held


Held = Annotated[Any, AfterValidator(from_json)]
"""The value of a parameter, which the parameters check when it is set."""


M = TypeVar("M", bound=BaseModel)


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")


class _Head(BaseModel):
    model_config = _FINITE

    pipeline: str
    size: tuple[PositiveInt, PositiveInt]
    content_rate: Annotated[float, Field(gt=0, le=MOST_FRAMES)]
    inputs: tuple[str, ...]
    parameters: dict[str, Held]


class _Row(BaseModel):
    index: NonNegativeInt
    frames: Annotated[int, Field(gt=0, le=MOST_FRAMES)]
    changes: Annotated[tuple[tuple[str, Held, Any], ...], Field(alias="set")]
    shape: Annotated[dict[str, Any], AfterValidator(_shape)]
    pictures: tuple[str, ...]
    precision: str = ""


def read_show(path: Path) -> ShowFile:
    """Read a log. An incomplete last line is ignored: the process was killed.

    Raises UserError, with the number of the line, for anything that is not a valid log.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"show log {path} cannot be read ({error}); check the name") from error
    # Not splitlines: a prompt may contain other characters that it takes for the end of a line.
    lines = text.removesuffix("\n").split("\n")
    rows = [_parsed(path, number, line, last=number == len(lines)) for number, line in enumerate(lines, 1)]
    if rows[0].get("format") != FORMAT:
        raise UserError(f"{path} is no show log; `streamvace run --show-log FILE.jsonl` writes one")
    head = _checked(_Head, rows[0], f"show log {path}, line 1")
    chunks = [_checked(_Row, row, f"show log {path}, line {number}") for number, row in enumerate(rows[1:], 2) if row]
    return _show(head, chunks)


def _parsed(path: Path, number: int, line: str, *, last: bool) -> dict[str, Any]:
    try:
        if len(line) > LONGEST_LINE:
            raise ValueError("too long")
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        if not line or (last and number > 1):
            return {}
        raise UserError(f"show log {path}, line {number}: {error}; take another") from error
    return row


def _checked(kind: type[M], row: dict[str, Any], where: str) -> M:
    """A line's values. Raises UserError with the first wrong one."""
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name, found = ".".join(map(str, first["loc"])), repr(first["input"])[:60]
        raise UserError(f"{where} is damaged: {name}: {_said(first['msg'])}, got {found}; take another") from error
    except RecursionError as error:
        raise UserError(f"{where} is damaged: nested too deeply; take another") from error


def _show(head: _Head, rows: list[_Row]) -> ShowFile:
    shape, chunks = dict[str, Any](OLD_SHAPE), []
    for row in rows:
        shape = {**shape, **row.shape}
        changes = tuple((address, value) for address, value, _ in row.changes)
        chunks.append(ShownChunk(row.index, row.frames, changes, shape, row.pictures))
    named = (row.precision for row in rows if row.precision)
    return ShowFile(
        pipeline=head.pipeline,
        size=head.size,
        content_rate=head.content_rate,
        inputs=head.inputs,
        parameters=head.parameters,
        chunks=tuple(chunks),
        precision=next(named, OLD_PRECISION.get(head.pipeline, "auto")),
    )
