"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import Phase, settings

from streamvace.system.idle_threads import sleep_when_idle

# Test networks are tiny: a second thread only waits for the first, and waits long on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sleep_when_idle()

# On a busy machine the duration of an example says nothing about the code.
settings.register_profile("patient", deadline=None)
# To know that a test fails, any example does: benchmarks/mutants.py does not look for the smallest.
settings.register_profile("unshrunk", deadline=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))
