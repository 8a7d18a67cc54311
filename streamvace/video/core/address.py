"""The part of an address after its scheme: `NAME?option&option=value`, with the options as a small dataclass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from streamvace.system.errors import UserError

Options = TypeVar("Options")

_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def parse_address(
    scheme: str, rest: str, kind: type[Options], defaults: Mapping[str, Any] | None = None
) -> tuple[str, Options]:
    """The name and the options of `NAME?option&option=value`.

    kind: a dataclass whose fields (bool, int, float or str, with defaults) are the options. A bool needs no value.
    defaults: values of options that are not given, where they differ from the dataclass's.
    Raises UserError for an unknown option, for a value of the wrong type, and when `kind` raises ValueError.
    """
    name, _, query = rest.partition("?")
    scheme_of = "" if rest.startswith(f"{scheme}:") else f"{scheme}:"  # a `file://` address comes whole
    address = scheme_of + rest
    types = get_type_hints(kind)
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    values = dict(defaults or {})
    for part in filter(None, query.split("&")):
        key, equals, text = part.partition("=")
        if key not in known:
            raise UserError(
                f"unknown option {key!r} in {address}: there is {', '.join(known)}; "
                f"write {scheme_of}{name}?{_example(known[0], types[known[0]])}"
            )
        values[key] = _value(address, key, text if equals else None, types[key])
    try:
        return name, kind(**values)
    except ValueError as error:
        raise UserError(f"{address}: {error}") from error


def _value(address: str, key: str, text: str | None, kind: type) -> bool | int | float | str:
    if kind is bool and (text is None or text.lower() in _SWITCHES):
        return text is None or _SWITCHES[text.lower()]
    if kind is str and text:
        return text
    if kind is int and text is not None and text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    if kind is float and text is not None:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    takes = {bool: "on or off", int: "a whole number", float: "a number", str: "a text"}[kind]
    raise UserError(f"{address}: {key} takes {takes}, not {text or ''!r}; write {_example(key, kind)}")


def _example(key: str, kind: type) -> str:
    return {bool: key, int: f"{key}=1", float: f"{key}=0.5", str: f"{key}=..."}[kind]
