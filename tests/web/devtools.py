"""A real browser with a hand in it: pages opened, scripts run in them, by Chromium's DevTools protocol."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PATIENCE_S = 40.0


class Page:
    """One open page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def run(self, script: str) -> Any:
        """The value of an expression in the page. Raises AssertionError for one that throws."""
        self._number += 1
        parameters = {"expression": script, "returnByValue": True, "awaitPromise": True}
        await self._socket.send_json({"id": self._number, "method": "Runtime.evaluate", "params": parameters})
        while (said := await self._socket.receive_json(timeout=PATIENCE_S)).get("id") != self._number:
            pass
        assert "exceptionDetails" not in said["result"], said
        return said["result"]["result"].get("value")

    async def until(self, script: str) -> None:
        """Wait for an expression to become true."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not await self.run(script):
            assert asyncio.get_running_loop().time() < deadline, f"never true: {script}"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def browser(program: str, url: str, folder: Path) -> AsyncIterator[Page]:
    """Chromium with this page open. folder: for its profile, which is where it writes its port."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    process = subprocess.Popen(
        [program, *options, f"--user-data-dir={folder}", url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        async with aiohttp.ClientSession() as session:
            socket = await asyncio.wait_for(_connect(session, url, folder / "DevToolsActivePort"), PATIENCE_S)
            yield Page(socket)
            await socket.close()
    finally:
        process.kill()
        process.wait()


async def _connect(session: aiohttp.ClientSession, url: str, port_file: Path) -> aiohttp.ClientWebSocketResponse:
    while True:
        await asyncio.sleep(0.05)
        lines = port_file.read_text().split() if port_file.exists() else []
        if not lines:
            continue
        async with session.get(f"http://127.0.0.1:{lines[0]}/json") as answer:
            targets = await answer.json()
        for target in targets:
            if target["type"] == "page" and target["url"] == url:
                return await session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=1 << 26)
