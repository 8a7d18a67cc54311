"""What the dearest datagrams cost the OSC thread: `python benchmarks/osc.py`.

In the clock: decoding, sorting, patterns, checking every value and setting the parameters, as one datagram alone in its
turn. Not in it: the socket and the answers. Each is as large as the limits of the codec and the inbox allow, or just
too large, and named for what it does; the promise is less than 1 ms each.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import struct
import time

from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import MOST_CUES, Cue, look
from streamvace.control.parameters import Parameters
from streamvace.osc.codec import MAX_ADDRESS, MAX_ARGUMENTS, MAX_DEPTH, MAX_MESSAGES, MAX_VALUES
from streamvace.osc.inbox import MAX_PATTERN_LETTERS, MAX_PATTERNS, Inbox

PROMISED_MS = 1.0
SCALE, PROMPT, ROOT = b"/streamvace/context_scale", b"/streamvace/prompt", b"/streamvace/"
FLOAT = struct.pack(">f", 0.5)


def message(address: bytes, tags: bytes, data: bytes) -> bytes:
    """One message, well formed or not."""
    return _padded(address) + _padded(b"," + tags) + data


def bundle(*elements: bytes) -> bytes:
    """A bundle for now."""
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(each)) + each for each in elements)


def _padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)


def dearest() -> dict[str, bytes]:
    """Name -> datagram."""
    each = MAX_VALUES // MAX_MESSAGES
    longest = ROOT + b"x" * (MAX_ADDRESS - len(ROOT))
    pattern_length = MAX_PATTERN_LETTERS // MAX_PATTERNS
    words = b"{seed,pause,prompt,mask_invert,hold_mode}*"
    classes = b"[!-~]*" * ((pattern_length - len(ROOT)) // 6)
    nested = message(SCALE, b"f", FLOAT)
    for _ in range(MAX_DEPTH):
        nested = bundle(nested)
    return {
        f"{MAX_MESSAGES} faders": bundle(*[message(SCALE, b"f", FLOAT)] * MAX_MESSAGES),
        f"{MAX_MESSAGES} faders out of range": bundle(*[message(SCALE, b"f", struct.pack(">f", 9))] * MAX_MESSAGES),
        f"{MAX_MESSAGES} faders that are NaN": bundle(
            *[message(SCALE, b"f", struct.pack(">f", float("nan")))] * MAX_MESSAGES
        ),
        f"{MAX_MESSAGES} unknown addresses": bundle(
            *[message(ROOT + b"%d" % number, b"f", FLOAT) for number in range(MAX_MESSAGES)]
        ),
        f"{MAX_MESSAGES} addresses of {MAX_ADDRESS} bytes": bundle(*[message(longest, b"f", FLOAT)] * MAX_MESSAGES),
        f"{MAX_MESSAGES} prompts": bundle(*[message(PROMPT, b"s", b"a red sphere\0\0\0\0")] * MAX_MESSAGES),
        f"{MAX_MESSAGES} queries": bundle(*[message(SCALE, b"s", b"?\0\0\0")] * MAX_MESSAGES),
        f"{MAX_MESSAGES} x {each} texts": bundle(*[message(PROMPT, b"s" * each, b"abc\0" * each)] * MAX_MESSAGES),
        f"{MAX_VALUES // MAX_ARGUMENTS} x {MAX_ARGUMENTS} texts": bundle(
            *[message(PROMPT, b"s" * MAX_ARGUMENTS, b"abc\0" * MAX_ARGUMENTS)] * (MAX_VALUES // MAX_ARGUMENTS)
        ),
        f"{MAX_MESSAGES} x {MAX_ARGUMENTS} texts, too many": bundle(
            *[message(PROMPT, b"s" * MAX_ARGUMENTS, b"abc\0" * MAX_ARGUMENTS)] * MAX_MESSAGES
        ),
        f"{MAX_MESSAGES} x {each} arrays": bundle(*[message(PROMPT, b"[]" * (each // 2), b"")] * MAX_MESSAGES),
        "one text of 65,000 bytes": message(PROMPT, b"s", _padded(b"a" * 65_000)),
        "one text of 63,000 bytes, not ASCII": message(PROMPT, b"s", _padded(("\u4e00" * 21_000).encode())),
        "one blob of 65,000 bytes": message(PROMPT, b"b", struct.pack(">i", 65_000) + b"\0" * 65_000),
        f"bundles nested {MAX_DEPTH} deep": nested,
        f"{MAX_PATTERNS} x /streamvace/*": bundle(*[message(ROOT + b"*", b"f", FLOAT)] * MAX_PATTERNS),
        f"{MAX_PATTERNS} patterns of classes": bundle(*[message(ROOT + classes, b"f", FLOAT)] * MAX_PATTERNS),
        f"{MAX_PATTERNS} patterns of words": bundle(*[message(ROOT + words, b"f", FLOAT)] * MAX_PATTERNS),
        f"{MAX_MESSAGES} glides": bundle(
            *[message(SCALE + b"/to", b"fi", FLOAT + struct.pack(">i", 4))] * MAX_MESSAGES
        ),
        f"{MAX_MESSAGES} cues": bundle(*[message(ROOT + b"cue/recall", b"s", b"499\0")] * MAX_MESSAGES),
        f"{MAX_MESSAGES} cues that are none": bundle(*[message(ROOT + b"cue/recall", b"s", b"abc\0")] * MAX_MESSAGES),
        f"{MAX_MESSAGES} stores": bundle(*[message(ROOT + b"cue/store", b"s", b"499\0")] * MAX_MESSAGES),
        "everything at once": bundle(
            *[message(PROMPT, b"s" * each, b"abc\0" * each)] * (MAX_MESSAGES - MAX_PATTERNS),
            *[message(ROOT + b"*" * (pattern_length - len(ROOT)), b"f", FLOAT)] * MAX_PATTERNS,
        ),
    }


def measure(datagram: bytes, times: int) -> tuple[float, float]:
    """Milliseconds: (median, least) of so many turns, the same bytes each time."""
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
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    logging.disable()
    from streamvace.doctor.hardware import processor

    results = {name: (len(datagram), *measure(datagram, given.times)) for name, datagram in dearest().items()}
    if given.json:
        print(json.dumps({"hardware": processor(), "bytes_median_ms_least_ms": results}, indent=1))
        return
    print(processor())
    for name, (size, median, least) in results.items():
        mark = "" if median < PROMISED_MS else "  <- more than promised"
        print(f"{name:42} {size:6} bytes  median {median:.3f} ms  least {least:.3f} ms{mark}")


if __name__ == "__main__":
    main()
