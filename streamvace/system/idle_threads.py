"""How OpenMP's threads wait for work."""

from __future__ import annotations

import os

SETTINGS = {
    # GNU's OpenMP (torch on Linux): spin for some microseconds, then sleep. Time of one chunk of the embedded model on
    # 2 cores: 0.30 s (default, which spins much longer: 0.32 s; sleeping immediately: 0.45 s). Beside one other busy
    # process: 0.60 s (1.07, 0.50). Beside four: 16 s with the default.
    "GOMP_SPINCOUNT": "1000",
    # Intel's OpenMP (torch on Windows and macOS) counts in milliseconds; 0 sleeps immediately. Not measured.
    "KMP_BLOCKTIME": "0",
}


def sleep_when_idle() -> None:
    """Let OpenMP's threads sleep between two pieces of work instead of spinning. Call it before torch is imported.

    A show shares its machine with TouchDesigner, Resolume, a browser. A spinning thread takes the core that the thread
    it waits for needs. The user's own environment variables win. Child processes inherit the setting.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
