"""Settings and snapshots for the tests of the modulators."""

from __future__ import annotations

import osc_schema
from osc_schema import Value
from streamvace.control.parameters import Parameters, Snapshot
from streamvace.control.transport import Moment
from streamvace.modulators.settings import Settings, address, read

SCHEMA = osc_schema.by_address()
STILL = Moment(0.0, 0.0, running=False, master="none")


def values(number: int = 1, **given: Value) -> dict[str, Value]:
    """The values of a modulator that is on, by address."""
    return {address(number, name): value for name, value in {"on": True, **given}.items()}


def snapshot(number: int = 1, **given: Value) -> Snapshot:
    """Parameters with one modulator that is on."""
    return Parameters(values(number, **given)).snapshot()


def settings(number: int = 1, **given: Value) -> Settings:
    """One modulator that is on."""
    found = read(snapshot(number, **given), number, SCHEMA)
    assert found is not None
    return found
