"""A show without a console, as pythonw and a host without one start it: Python has no standard streams then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.live.running import Running, Start

_NO_STREAMS = """
import sys
sys.stdin = sys.stdout = sys.stderr = None
from streamvace.__main__ import main
sys.exit(main())
"""


class WithoutStreams(Running):
    def spawn(self, command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
        words = command[command.index("streamvace") + 1 :]
        return super().spawn([sys.executable, "-c", _NO_STREAMS, *words], folder, environment)


def test_a_show_without_standard_streams_runs_to_its_end_and_writes_its_files(start: Start, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    show = start("--output", str(film), "--duration", "0.5", kind=WithoutStreams)
    assert show.finish() == 0
    assert film.exists()
    assert show.stats()["ticks"] > 0
    assert show.lines == []
