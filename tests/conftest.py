"""Settings of every test."""

from __future__ import annotations

import os

from hypothesis import settings

from streamvace.system.idle_threads import sleep_when_idle

# Test networks are tiny: a second thread only waits for the first, and on a busy machine it waits long.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sleep_when_idle()

# How soon an example is done says nothing about the code on a machine that is busy with something else.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
