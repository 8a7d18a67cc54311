"""A simulated TouchDesigner project, which must be used by the main thread only, and a real OSC server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamvace_td import siblings

from streamvace.control.parameters import Parameters
from streamvace.osc.server import OscServer
from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.guard import GUARD


@pytest.fixture
def td(tmp_path: Path) -> Iterator[FakeTouchDesigner]:
    siblings._present.clear()  # of the project before
    loaded = dict(sys.modules)
    world = FakeTouchDesigner(tmp_path)
    yield world
    assert GUARD.violations == []
    # A build imports the component's code again, and later tests need this one.
    for name in [name for name in sys.modules if name.startswith("streamvace_td") and name not in loaded]:
        del sys.modules[name]
    sys.modules.update(loaded)
    sys.modules.pop("td", None)


@pytest.fixture
def parameters() -> Parameters:
    return Parameters()


@pytest.fixture
def server(parameters: Parameters) -> Iterator[OscServer]:
    with OscServer(parameters, port=0) as running:
        yield running
        assert running.counters().faults == 0
