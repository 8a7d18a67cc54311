"""The OSC port under Atheris: `python -m tests.fuzz.fuzz_osc --help`, and the README beside this."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["streamvace.osc", "streamvace.live", "osc_schema"]):
    from tests.fuzz import osc_target


def main() -> None:
    """Arguments are libFuzzer's; without a corpus folder a temporary one is made, filled with the seeds."""
    arguments = list(sys.argv)
    if all(argument.startswith("-") for argument in arguments[1:]):
        arguments.append(tempfile.mkdtemp(prefix="fuzz_osc_"))
    corpus = Path(next(argument for argument in arguments[1:] if not argument.startswith("-")))
    if not corpus.is_file():  # a file is one counter-example, to be run again
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(osc_target.seeds()):
            (corpus / f"seed_{number:03d}").write_bytes(seed)
    if not any(argument.startswith("-print_final_stats") for argument in arguments):
        arguments.append("-print_final_stats=1")  # how many executions; a finding ends the run and is a file crash-...
    logging.disable()  # every other run is malformed, and says so
    atheris.Setup(arguments, osc_target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
