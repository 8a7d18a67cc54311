"""One part in a process of its own: `python -m streamvace.bench.child SETUP PART RESULT`, all of them JSON or names."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from streamvace.bench.setup import Setup, SkippedPart
from streamvace.system.errors import UserError
from streamvace.system.idle_threads import sleep_when_idle


def main(setup: str, name: str, result: str) -> None:
    """Writes `{"status": ..., ...}` to the file `result`."""
    given = json.loads(setup)
    where = Setup(given["device"], given["pipeline"], tuple(given["size"]), given["chunks"], given["goldens"])
    sleep_when_idle()  # before torch is loaded, as in `streamvace run`
    from streamvace.bench.parts import run_part

    try:
        answer = {"status": "done", "figures": run_part(name, where)}
    except (SkippedPart, UserError) as reason:
        answer = {"status": "skipped", "reason": str(reason)}
    except Exception as error:  # noqa: BLE001 - the other parts go on, and the report names it
        line = " ".join(str(error).split())[:300]
        answer = {"status": "failed", "reason": f"{type(error).__name__}: {line}"}
    Path(result).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
