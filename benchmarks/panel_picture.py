"""The picture of the web page in docs/panel.md: a real show of the embedded model, as Chromium shows it.

python benchmarks/panel_picture.py docs/panel.webp

The show follows the moving test pattern. Cues are stored of some of the built-in looks while each of them plays, so
their tiles have pictures; then the last look plays on until its pictures are fresh. Needs Chromium and a quiet machine:
the frame rate is part of the picture. `--seconds` is how long each look plays.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from running_show import RunningShow, wait_for

sys.path.append(str(Path(__file__).resolve().parents[1]))

from tests.web.devtools import browser, chromium

CUES = {"opening": "deep sea", "first drop": "ember", "bridge": "copper", "second drop": "neon night"}
"""Name of a cue -> the built-in look that it stores."""

FADE_S = 4.0
SIZE = (1440, 900)
QUALITY = 82


def play(show: RunningShow, seconds: float) -> None:
    """Play every look for so long, and store it."""
    for name, look in CUES.items():
        show.osc("/streamvace/cue/recall", look)
        time.sleep(seconds)
        show.osc("/streamvace/cue/store", name, FADE_S)
        time.sleep(1.0)
    fresh = show.figures()["fresh_total"]
    wait_for(lambda: show.figures()["fresh_total"] > fresh + 24, 60, "a second of fresh pictures")


async def seen(page_url: str, port_folder: Path) -> bytes:
    """A PNG of the stage layout."""
    with browser(chromium(), port_folder) as tabs:
        async with tabs.open(f"{page_url}stage") as page:
            width, height = SIZE
            await page.ask(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            await page.until("document.getElementById('over').hidden && document.querySelectorAll('.tile img').length")
            await page.until("[...document.images].every(image => image.complete)")
            await asyncio.sleep(3)  # until the figures are those of a running page
            return await page.picture()


def main() -> None:
    """Run, look, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0)
    given = parser.parse_args()
    if not chromium():
        raise SystemExit("Chromium is missing: apt-get install chromium")
    with (
        tempfile.TemporaryDirectory(prefix="streamvace-media-") as media,
        tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile,
        RunningShow("--media", media) as show,
    ):
        play(show, given.seconds)
        png = asyncio.run(seen(show.page, Path(profile)))
        rate = show.figures()["fps"]
    Image.open(io.BytesIO(png)).convert("RGB").save(given.out, quality=QUALITY, method=6)
    print(f"wrote {given.out}: {given.out.stat().st_size / 1e3:.0f} kB, at {rate:.1f} fresh frames/s")


if __name__ == "__main__":
    main()
