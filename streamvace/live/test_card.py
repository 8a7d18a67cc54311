"""`streamvace card`: sends a test card to every output, without a model, to set up and check a rig."""

from __future__ import annotations

from collections.abc import Sequence

from streamvace.live.main_loop import stop_on_signals
from streamvace.live.output.outputs import check_outputs, prepare
from streamvace.live.output.sinks import Sinks
from streamvace.records.frame import Frame
from streamvace.system.clock import ShowClock, now_ns
from streamvace.system.console import say
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter
from streamvace.video.card import CORNERS, card
from streamvace.video.syphon import api as syphon_api


def send_card(outputs: Sequence[str], size: tuple[int, int], rate: float, seconds: float | None) -> int:
    """Send the card, until stopped or for `seconds`; returns the exit code.

    size: (width, height). rate: frames a second. Raises UserError for an output that cannot be opened. Runs on one
    thread: between two frames, only the card itself is computed.
    """
    asked = check_outputs([uri for uri in outputs if uri != "web"], web=False, overwrite=False)
    if "web" in outputs or not asked:
        raise UserError("no output for the card (the web page needs a show); use --output ndi:card or window")
    reporter, clock, index = Reporter(), ShowClock(), 0
    with stop_on_signals() as stop:
        window, openers = prepare(asked, size, rate)
        sinks = Sinks(openers, reporter)
        try:
            sinks.open()
            corners = ", ".join(name for name, _ in CORNERS)
            say(
                f"sending the test card to {', '.join(sinks.names)}: {corners} from the top left. Press Ctrl-C to stop."
            )
            started_ns = now_ns()
            while not stop.is_set() and (seconds is None or index < seconds * rate):
                due_ns = started_ns + round(index * 1e9 / rate)
                clock.wait_until(due_ns, stop)
                sinks.publish(Frame(card(size, index / rate), due_ns, "card", index))
                if window is not None:
                    window.pump()
                    if window.closed:
                        break
                syphon_api.pump()
                reporter.flush()
                # A machine that is too slow skips frames instead of falling behind.
                index = max(index + 1, int((now_ns() - started_ns) * rate / 1e9))
        finally:
            sinks.close()
            if window is not None:
                window.close()
    return 0
