"""How the processor's helper threads wait."""

from __future__ import annotations

import os

SETTINGS = {
    # GNU's OpenMP (torch on Linux): spin for some microseconds, then sleep. On 2 cores a chunk of the embedded model
    # takes 0.30 s (0.32 with the default of spinning much longer, 0.45 with sleeping at once); with one other busy
    # process 0.60 s (1.07, 0.50); among four, the default took 16 s.
    "GOMP_SPINCOUNT": "1000",
    # Intel's (torch on Windows and macOS) counts in whole milliseconds; 0 sleeps at once. Not measured there.
    "KMP_BLOCKTIME": "0",
}


def sleep_when_idle() -> None:
    """Let OpenMP's threads sleep between two pieces of work instead of spinning on; before torch is imported.

    A show shares its machine with TouchDesigner, Resolume, a browser. A spinning helper thread takes the core that the
    thread it waits for needs. A user's own setting wins. Child processes inherit it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
