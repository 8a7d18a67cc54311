"""The page for screen readers, keyboards and weak eyes: axe-core finds nothing in any layout or state."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from typing import Any

from tests.real_parts import require_package
from tests.web.devtools import Browser, Page
from tests.web.show import HANDS, Show

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
RUN = """axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => violations.flatMap(({id, nodes}) =>
  nodes.map(node => `${id}: ${node.html} ${node.failureSummary}`)))"""


async def faults(page: Page, part: str = "document") -> Any:
    """What axe-core finds, one line each. part: an expression for what is looked at."""
    await page.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    return await page.run(RUN.replace("document", part, 1))


def test_axe_finds_nothing_in_any_layout_nor_beside_a_refusal_nor_offline(tabs: Browser, show: Show) -> None:
    require_package("axe_core_python", "pip install axe-core-python")
    axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")

    async def go() -> None:
        for layout in ("phone", "edit", "stage"):
            async with tabs.open(f"{show.web.url}{layout}") as page:
                if layout == "phone":
                    await page.ask("Emulation.setDeviceMetricsOverride", **PHONE)
                await page.until("document.querySelectorAll('.control').length > 20")
                await page.run(f"{HANDS}; {axe}; 0")
                for tab in range(4 if layout == "phone" else 1):
                    await page.run(f"all('#tabs button')[{tab}].click()")
                    assert await faults(page, "by('desk')" if tab else "document") == [], (layout, tab)
                if layout == "stage":
                    await page.run("give('context_scale', 9); by('prompt').value = 'half'; by('prompt').oninput()")
                    await page.until("all('.said').length > 0")
                    assert await faults(page) == [], "a refusal, and words that are not sent"
                    await asyncio.to_thread(show.web.close)
                    await page.until("by('word').textContent === 'OFFLINE'")
                    assert await faults(page) == [], "offline"

    asyncio.run(go())
