"""The rehearsal on Windows, under Wine: `python -m tests.windows.run`. See docs/windows.md.

Builds the environment if it is not there, runs the suite room by room, and after each writes the table into
docs/windows.md. A room that is not run again keeps its row, so a run that was interrupted goes on with the rooms that
are missing. Needs root, for the chroot of the environment; leaves no mount and no process behind.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from tests.windows.environment import ROOT, CannotBuild, Windows
from tests.windows.rooms import keep, passed, rooms, run_room, to_run
from tests.windows.table import table, write_table

LOGS, RESULTS = "logs", "results.json"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rooms", nargs="*", help=f"only these: {', '.join(rooms())}")
    parser.add_argument("--again", action="store_true", help="only the tests that did not pass the last time")
    asked = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended like that, it still leaves nothing behind
    windows = Windows()
    try:
        windows.build()
    except CannotBuild as error:
        print(f"cannot build the environment: {error}", file=sys.stderr)
        return 2
    logs = windows.folder / LOGS
    logs.mkdir(exist_ok=True)
    broken = 0
    with windows.session() as display:
        versions = windows.versions(display)
        for name in asked.rooms or to_run():
            done = passed(windows.folder / RESULTS, name) if asked.again else {}
            room = run_room(windows, name, display, logs / f"{name}.log", done)
            broken += len(room.broken)
            print(f"{name}: {dict(room.counts)}", *room.broken, sep="\n  ", flush=True)
            write_table(ROOT / "docs" / "windows.md", table(keep(windows.folder / RESULTS, room), versions))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
