"""Values of parameters as cues and the command line hold them."""

from __future__ import annotations

from collections.abc import Mapping

import osc_schema
from osc_schema import Value
from streamvace.control.coercion import Coerced, coerce


def coerced(values: Mapping[str, Value]) -> dict[str, Coerced]:
    """Each value by its address, coerced to the schema."""
    schema = osc_schema.by_address()
    return {address: coerce(schema[address], (value,)) for address, value in values.items()}


def plain(values: Mapping[str, Coerced]) -> dict[str, Value | None]:
    """The values alone, by address."""
    return {address: held.value for address, held in values.items()}
