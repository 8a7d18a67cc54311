"""How long a test waits for something that must come."""

import os

PATIENCE_S = float(os.environ.get("STREAMVACE_PATIENCE_S", "180"))
"""An event ends every such wait, so a generous limit costs nothing, and a busy machine fails no test. The variable
lengthens it on a machine that gives the tests a few percent of a core, and shortens it where a planted fault
(benchmarks/mutants.py) keeps the event away."""
