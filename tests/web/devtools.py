"""A real browser with a hand in it: pages opened, scripts run in them, by Chromium's DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.patience import PATIENCE_S

LOOK_S = 0.01
"""Between two looks for what is awaited."""


class Page:
    """One open page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, target: str) -> None:
        self._socket = socket
        self.target = target
        self._number = 0

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The result of a DevTools command."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while (said := await self._socket.receive_json(timeout=PATIENCE_S)).get("id") != self._number:
            pass
        assert "result" in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def run(self, script: str) -> Any:
        """The value of an expression in the page. Raises AssertionError for one that throws."""
        said = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait for an expression to become true."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not await self.run(script):
            assert asyncio.get_running_loop().time() < deadline, f"never true: {script}"
            await asyncio.sleep(LOOK_S)

    async def key(self, name: str, code: int, text: str = "", *, shift: bool = False, control: bool = False) -> None:
        """Press and release a key, as the keyboard does it."""
        held = 8 * shift + 2 * control
        pressed = {"key": name, "windowsVirtualKeyCode": code, "code": name, "modifiers": held}
        await self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **pressed)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", **pressed)

    async def picture(self) -> bytes:
        """What the page looks like, as a PNG."""
        return base64.b64decode((await self.ask("Page.captureScreenshot", format="png"))["data"])


class Browser:
    """A running Chromium."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/json"

    @asynccontextmanager
    async def open(self, url: str, script: str = "") -> AsyncIterator[Page]:
        """A new tab with this page, in front of the others. script: runs before the page's own."""
        async with (
            aiohttp.ClientSession() as session,
            session.put(f"{self._url}/new?about:blank") as answer,
        ):
            target = await answer.json()
            async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=1 << 26) as socket:
                page = Page(socket, target["id"])
                await page.ask("Page.enable")
                if script:
                    await page.ask("Page.addScriptToEvaluateOnNewDocument", source=script)
                await page.ask("Page.navigate", url=url)
                await page.until("location.href !== 'about:blank' && document.readyState === 'complete'")
                try:
                    yield page
                finally:
                    async with session.get(f"{self._url}/close/{page.target}"):
                        pass

    async def show(self, page: Page) -> None:
        """Bring a tab to the front; the others are hidden then."""
        async with aiohttp.ClientSession() as session, session.get(f"{self._url}/activate/{page.target}"):
            pass


def chromium() -> str:
    """The path of the browser; empty without one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


@contextmanager
def browser(program: str, folder: Path) -> Iterator[Browser]:
    """A browser without a page. folder: for its profile, which is where it writes its port."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1280,800"]
    process = subprocess.Popen(
        [program, *options, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Browser(_port(folder / "DevToolsActivePort"))
    finally:
        process.kill()
        process.wait()


def _port(file: Path) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        lines = file.read_text().split() if file.exists() else []
        if len(lines) > 1:
            return int(lines[0])
        time.sleep(0.05)
    raise AssertionError("the browser did not start")
