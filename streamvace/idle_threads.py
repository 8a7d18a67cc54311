"""How the processor's helper threads wait."""

from __future__ import annotations

import os


def sleep_when_idle() -> None:
    """Let OpenMP's threads sleep between two pieces of work instead of spinning; before torch is imported.

    A show shares its machine with TouchDesigner, Resolume, a browser. A spinning helper thread takes the core that the
    thread it waits for needs: on 2 busy cores a chunk took 16 s spinning and 1.5 s sleeping. A user's own setting of
    the variable wins. Child processes inherit it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
