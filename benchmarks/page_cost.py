"""What one open page of the web panel costs the show: the part `page` of show.py."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field
from itertools import count

import aiohttp
from running_show import RunningShow

from streamvace.web.pictures import AHEAD

WITHOUT, VALUES, WHOLE = "without a page", "values only", "the stage layout"
VIEWS = {VALUES: (), WHOLE: ("output", "control")}
"""Kind of page -> the pictures that it shows."""

DRAWN_S = 1 / 60
"""From a picture until the page has drawn it: the screen's next refresh."""

SETTLE_S = 1.0
"""After a page has been opened, its first messages with all values are over."""

MOVING = "/streamvace/context_scale"
"""The parameter that moves all the time, so that there is news."""


Share = dict[int, float]
"""Thread -> percent of a core."""


@dataclass
class Seen:
    """What a page was told while it was measured."""

    messages: int = 0
    moves: int = 0
    """Values of the moving parameter."""
    pictures: dict[str, int] = field(default_factory=dict)


class Page:
    """One page: it takes everything, and says what it has drawn as a browser does (static/pictures.js)."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.seen = Seen()
        self._socket = socket
        self._drawn: dict[str, int] = {}

    async def listen(self) -> None:
        """Until it is cancelled or the connection ends."""
        draws: set[asyncio.Task[None]] = set()
        try:
            await self._take(draws)
        finally:
            for task in draws:
                task.cancel()

    async def _take(self, draws: set[asyncio.Task[None]]) -> None:
        async for message in self._socket:
            self.seen.messages += 1
            if message.type is aiohttp.WSMsgType.BINARY:
                view = message.data[1 : 1 + message.data[0]].decode()
                self.seen.pictures[view] = self.seen.pictures.get(view, 0) + 1
                draws.add(task := asyncio.ensure_future(self._draw(view)))
                task.add_done_callback(draws.discard)
            elif MOVING in json.loads(message.data).get("values", {}):
                self.seen.moves += 1

    async def _draw(self, view: str) -> None:
        await asyncio.sleep(DRAWN_S)
        self._drawn[view] = self._drawn.get(view, 0) + 1
        if self._drawn[view] >= AHEAD:
            drawn, self._drawn = self._drawn, {}
            await self._socket.send_json({"drawn": drawn})


async def move(show: RunningShow) -> None:
    """Another surface moves a fader, 30 times a second."""
    for turn in count():
        show.osc(MOVING, 0.8 + 0.01 * (turn % 40))
        await asyncio.sleep(1 / 30)


def page(seconds: float, options: list[str], rounds: int) -> dict[str, object]:
    """The stage's processor time in windows of `seconds` with and without a page, in turns, while one parameter moves.

    Shares are percent of one core. `page_percent` is the median difference between a window with the page and the one
    without of the same turn; `page_values_percent` the same for a page that shows no picture. The stage's other work
    varies by more than a page costs, so `server_percent` and `server_values_percent` are those of the thread that a
    page keeps busy: its median with the page, less its median without.
    """
    return asyncio.run(_page(seconds, options, rounds))


async def _page(seconds: float, options: list[str], rounds: int) -> dict[str, object]:
    shares: dict[str, list[Share]] = {WITHOUT: [], VALUES: [], WHOLE: []}
    seen = Seen()
    with RunningShow(*options) as show:
        await asyncio.sleep(seconds)  # the first chunks are dearer than the rest
        moving = asyncio.ensure_future(move(show))
        for _ in range(rounds):
            for kind in shares:
                share, told = await _window(show, seconds, VIEWS.get(kind))
                shares[kind].append(share)
                seen = told if kind == WHOLE else seen
        moving.cancel()
    totals = {kind: [sum(share.values()) for share in measured] for kind, measured in shares.items()}
    more = {kind: [a - b for a, b in zip(totals[kind], totals[WITHOUT], strict=True)] for kind in VIEWS}
    usual = {kind: _medians(measured) for kind, measured in shares.items()}
    grown = {
        kind: {thread: usual[kind][thread] - usual[WITHOUT].get(thread, 0) for thread in usual[kind]} for kind in VIEWS
    }
    server = max(grown[WHOLE], key=lambda thread: grown[WHOLE][thread])
    return {
        "windows": rounds,
        "seconds_each": seconds,
        "stage_percent": statistics.median(totals[WITHOUT]),
        "page_percent": statistics.median(more[WHOLE]),
        "page_percent_least": min(more[WHOLE]),
        "page_percent_most": max(more[WHOLE]),
        "page_values_percent": statistics.median(more[VALUES]),
        "server_percent": grown[WHOLE][server],
        "server_values_percent": grown[VALUES].get(server, 0.0),
        "messages_per_s": seen.messages / seconds,
        "values_of_one_parameter_per_s": seen.moves / seconds,
        "pictures_per_s": {view: count / seconds for view, count in seen.pictures.items()},
    }


def _medians(shares: list[Share]) -> Share:
    """Of each thread."""
    threads = {thread for share in shares for thread in share}
    return {thread: statistics.median(share.get(thread, 0.0) for share in shares) for thread in threads}


async def _window(show: RunningShow, seconds: float, views: tuple[str, ...] | None) -> tuple[Share, Seen]:
    """The shares of the stage's threads, and what the page has seen. views: None for no page."""
    if views is None:
        await asyncio.sleep(SETTLE_S)
        return await _share(show, seconds), Seen()
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{show.page}page") as socket:
        reader = Page(socket)
        listening = asyncio.ensure_future(reader.listen())
        await socket.send_json({"watch": views})
        await asyncio.sleep(SETTLE_S)
        reader.seen = Seen()
        share = await _share(show, seconds)
        seen, reader.seen = reader.seen, Seen()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return share, seen


async def _share(show: RunningShow, seconds: float) -> Share:
    before, began = _spent(show), time.perf_counter()
    await asyncio.sleep(seconds)
    after, lasted = _spent(show), time.perf_counter() - began
    return {thread: 100 * (spent - before.get(thread, 0.0)) / lasted for thread, spent in after.items()}


def _spent(show: RunningShow) -> dict[int, float]:
    """Seconds on the processor of each thread of the stage."""
    return {thread.id: thread.user_time + thread.system_time for thread in show.stage.threads()}
