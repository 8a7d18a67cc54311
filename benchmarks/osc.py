"""The cost of the most expensive datagrams for the OSC thread: `python benchmarks/osc.py`.

Measures decoding, sorting, patterns, checking every value and setting the parameters, one datagram per turn. Excludes
the socket and the answers. Each datagram is as large as the limits of codec and inbox allow, or just too large. The
target is less than 1 ms for each.
"""

from __future__ import annotations

import logging
import statistics
import struct
import time

from common import arguments, cpu_line, report

from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import MOST_CUES, Cue, look
from streamvace.control.parameters import Parameters
from streamvace.osc.codec import MAX_ADDRESS, MAX_ARGUMENTS, MAX_DEPTH, MAX_MESSAGES, MAX_VALUES
from streamvace.osc.inbox import MAX_PATTERN_LETTERS, MAX_PATTERNS, Inbox

TARGET_MS = 1.0
SCALE, PROMPT, ROOT = b"/streamvace/context_scale", b"/streamvace/prompt", b"/streamvace/"
FLOAT = struct.pack(">f", 0.5)


def message(address: bytes, tags: bytes, data: bytes) -> bytes:
    """One message, valid or not."""
    return _padded(address) + _padded(b"," + tags) + data


def bundle(*elements: bytes) -> bytes:
    """A bundle to be applied immediately."""
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(each)) + each for each in elements)


def _padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)


def many(address: bytes, tags: bytes, data: bytes, count: int = MAX_MESSAGES) -> bytes:
    """A bundle of equal messages."""
    return bundle(*[message(address, tags, data)] * count)


def datagrams() -> dict[str, bytes]:
    """The datagrams by name."""
    each = MAX_VALUES // MAX_MESSAGES
    longest = ROOT + b"x" * (MAX_ADDRESS - len(ROOT))
    pattern_length = MAX_PATTERN_LETTERS // MAX_PATTERNS
    words = b"{seed,pause,prompt,mask_invert,hold_mode}*"
    classes = b"[!-~]*" * ((pattern_length - len(ROOT)) // 6)
    nested = message(SCALE, b"f", FLOAT)
    for _ in range(MAX_DEPTH):
        nested = bundle(nested)
    return {
        f"{MAX_MESSAGES} faders": many(SCALE, b"f", FLOAT),
        f"{MAX_MESSAGES} faders out of range": many(SCALE, b"f", struct.pack(">f", 9)),
        f"{MAX_MESSAGES} faders that are NaN": many(SCALE, b"f", struct.pack(">f", float("nan"))),
        f"{MAX_MESSAGES} unknown addresses": bundle(
            *[message(ROOT + b"%d" % number, b"f", FLOAT) for number in range(MAX_MESSAGES)]
        ),
        f"{MAX_MESSAGES} addresses of {MAX_ADDRESS} bytes": many(longest, b"f", FLOAT),
        f"{MAX_MESSAGES} prompts": many(PROMPT, b"s", b"a red sphere\0\0\0\0"),
        f"{MAX_MESSAGES} queries": many(SCALE, b"s", b"?\0\0\0"),
        f"{MAX_MESSAGES} x {each} texts": many(PROMPT, b"s" * each, b"abc\0" * each),
        f"{MAX_VALUES // MAX_ARGUMENTS} x {MAX_ARGUMENTS} texts": many(
            PROMPT, b"s" * MAX_ARGUMENTS, b"abc\0" * MAX_ARGUMENTS, MAX_VALUES // MAX_ARGUMENTS
        ),
        f"{MAX_MESSAGES} x {MAX_ARGUMENTS} texts, too many": many(
            PROMPT, b"s" * MAX_ARGUMENTS, b"abc\0" * MAX_ARGUMENTS
        ),
        f"{MAX_MESSAGES} x {each} arrays": many(PROMPT, b"[]" * (each // 2), b""),
        "one text of 65,000 bytes": message(PROMPT, b"s", _padded(b"a" * 65_000)),
        "one text of 63,000 bytes, not ASCII": message(PROMPT, b"s", _padded(("\u4e00" * 21_000).encode())),
        "one blob of 65,000 bytes": message(PROMPT, b"b", struct.pack(">i", 65_000) + b"\0" * 65_000),
        f"bundles nested {MAX_DEPTH} deep": nested,
        f"{MAX_PATTERNS} x /streamvace/*": many(ROOT + b"*", b"f", FLOAT, MAX_PATTERNS),
        f"{MAX_PATTERNS} patterns of classes": many(ROOT + classes, b"f", FLOAT, MAX_PATTERNS),
        f"{MAX_PATTERNS} patterns of words": many(ROOT + words, b"f", FLOAT, MAX_PATTERNS),
        f"{MAX_MESSAGES} glides": many(SCALE + b"/to", b"fi", FLOAT + struct.pack(">i", 4)),
        f"{MAX_MESSAGES} cues": many(ROOT + b"cue/recall", b"s", b"499\0"),
        f"{MAX_MESSAGES} unknown cues": many(ROOT + b"cue/recall", b"s", b"abc\0"),
        f"{MAX_MESSAGES} stores": many(ROOT + b"cue/store", b"s", b"499\0"),
        "everything at once": bundle(
            *[message(PROMPT, b"s" * each, b"abc\0" * each)] * (MAX_MESSAGES - MAX_PATTERNS),
            *[message(ROOT + b"*" * (pattern_length - len(ROOT)), b"f", FLOAT)] * MAX_PATTERNS,
        ),
    }


def measure(datagram: bytes, times: int) -> tuple[float, float]:
    """Milliseconds, (median, minimum) of this many turns with the same bytes."""
    parameters = Parameters()
    whole = look(parameters.snapshot(), parameters.schema)
    cues = CueList(tuple(Cue(str(number), whole) for number in range(MOST_CUES)))
    inbox = Inbox(parameters, commands=Commands(parameters, cues))
    spent = []
    for _ in range(times):
        before = time.perf_counter()
        inbox.take(datagram, ("203.0.113.1", 9))
        inbox.flush()
        spent.append((time.perf_counter() - before) * 1e3)
    return statistics.median(spent), min(spent)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.disable()
    results = {name: (len(datagram), *measure(datagram, given.times)) for name, datagram in datagrams().items()}
    lines = (
        f"{name:42} {size:6} bytes  median {median:.3f} ms  minimum {least:.3f} ms"
        + ("" if median < TARGET_MS else "  <- above the target")
        for name, (size, median, least) in results.items()
    )
    report(given.json, cpu_line(), {"bytes_median_ms_least_ms": results}, lines)


if __name__ == "__main__":
    main()
