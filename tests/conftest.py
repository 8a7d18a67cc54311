"""Settings of every test."""

from __future__ import annotations

import os

from streamvace.idle_threads import sleep_when_idle

# Test networks are tiny: a second thread only waits for the first, and on a busy machine it waits long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sleep_when_idle()
