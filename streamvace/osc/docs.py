"""docs/osc.md, from the schema: `python -m streamvace.osc.docs > docs/osc.md`."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable

import osc_schema
from osc_schema import Parameter, Scalar
from streamvace.control.fades import CURVES
from streamvace.osc import codec, feedback, inbox, query_server, schedule, server, tcp

_APPLIES = {"now": "at once", "next_chunk": "next chunk", "reload": "after a model reload"}

_HEAD = f"""# OSC

<!-- Made by `python -m streamvace.osc.docs > docs/osc.md` from osc_schema/parameters.json: edit that, not this. -->

streamvace listens on UDP, address 127.0.0.1, port {server.DEFAULT_PORT} (`--osc-port`; 0 takes any free port and
prints it), and on TCP at the same number (`--osc-tcp-port`). Any OSC 1.0 or 1.1 client will do; with liblo's tools:

```
oscsend localhost {server.DEFAULT_PORT} /streamvace/prompt s "a blue glossy cube"
oscsend localhost {server.DEFAULT_PORT} /streamvace/context_scale f 0.6
oscsend localhost {server.DEFAULT_PORT} /streamvace/reset
oscdump -L 9001 & oscsend localhost {server.DEFAULT_PORT} /streamvace/subscribe i 9001
```

## How it listens
"""

_MANNERS = (
    "Faders and buttons as they come: numbers set bools (on from 0.5) and choices (by index), floats are rounded for "
    "ints, a choice also takes its name.",
    "A trigger fires on nothing, `T`, `I` or a number from 0.5, and ignores the button's release (`F`, 0). It answers "
    "to its full address only, never to a pattern. One that takes a value acts with every value sent to it, in order.",
    "Out of range is clamped. What has no meaning (NaN, infinity, the wrong type, several values) is refused and "
    "changes nothing. Either way the sender gets one line at `/streamvace/status/error` and the value that now holds.",
    "A float, or the prompt, is sent on its way by `/to` after its address: `/streamvace/context_scale/to` with the "
    f"value, seconds and perhaps a curve ({', '.join(CURVES)}). It moves from chunk to chunk, everyone hears where it "
    "is, and whoever sets it by hand ends it. Whole looks: docs/cues.md.",
    "`?` as the argument, or no argument, asks for the value. `/streamvace/*` and the other OSC 1.0 patterns work, "
    f"up to {inbox.MAX_PATTERNS} a datagram, {inbox.MAX_PATTERN_LETTERS} letters in all.",
    "A list comes as several arguments, or as one array: texts, or texts each followed by its weight (1 where there is "
    "none). Empty texts are left out, so one empty text empties the list.",
    "A bundle is applied whole, at one chunk boundary. One with a time tag is seen from the chunk nearest its time on, "
    f"up to {schedule.HORIZON:.0f} s ahead; {schedule.MAX_ENTRIES} may wait. Messages of a bundle that are refused do "
    "not hold up the others.",
    "Of a burst, the last valid value of each address counts.",
    f"A subscriber hears every change but its own, and the status about {1 / server.STATUS_SECONDS:.0f} times a second "
    f"when it changes. {feedback.MAX_SUBSCRIBERS} are served. One that sends nothing for {feedback.EXPIRY / 60:.0f} "
    "minutes is forgotten: subscribe again now and then.",
    "Over TCP, a packet comes after its size (OSC 1.0) or as SLIP (OSC 1.1); the first byte tells, and answers come "
    f"the same way. {tcp.MAX_CONNECTIONS} may be connected. Who sends a size that cannot be, or does not read what it "
    "asked for, is disconnected.",
    f"Limits: {codec.MAX_MESSAGES} messages a datagram, {codec.MAX_ARGUMENTS} arguments a message and "
    f"{codec.MAX_VALUES} a datagram, {inbox.MAX_NAMED} addresses named by its messages and patterns, "
    f"{codec.MAX_ADDRESS} bytes an address, bundles {codec.MAX_DEPTH} deep.",
)

_OSCQUERY = """## OSCQuery

Controllers that speak OSCQuery find streamvace by themselves (`_oscjson._tcp`; announced on this machine only, unless
`--host` opens it to the network) and read from it what there is to control. The address is printed at the start
(`--oscquery-port`; -1 does without):

```
curl "http://127.0.0.1:PORT/"                               # everything, with ranges, choices and values
curl "http://127.0.0.1:PORT/streamvace/context_scale?VALUE" # one attribute of one parameter
curl "http://127.0.0.1:PORT/?HOST_INFO"                     # where to send OSC
```
"""

_QUERY_MANNERS = (
    "A GET gives FULL_PATH, CONTENTS, TYPE, VALUE, ACCESS, DESCRIPTION, RANGE (MIN and MAX, or VALS), CLIPMODE and "
    "UNIT; 204 for an attribute that a node does not have, 400 for one that does not exist, 404 for an unknown path.",
    'A WebSocket client sends `{"COMMAND": "LISTEN", "DATA": "/streamvace/seed"}`, or `IGNORE`, and gets the value and '
    f"every change as binary OSC packets. {query_server.MAX_LISTENERS} may be connected. Values are set over OSC.",
    "The namespace of a running show never changes, so there is no PATH_CHANGED.",
    "Only local names and pages are answered, as by the web preview.",
)


def render() -> str:
    """The whole page, ending in a newline."""
    rows = osc_schema.load()
    parts = [f"{_HEAD}\n{_list(_MANNERS)}"]
    for group in dict.fromkeys(row.group for row in rows if row.access == "write"):
        chosen = [row for row in rows if row.group == group and row.access == "write"]
        parts.append(
            f"## {group.capitalize()}\n\n" + _table(("Address", "Takes", "Default", "Applies", ""), map(_row, chosen))
        )
    outputs = [row for row in rows if row.access == "read"]
    parts.append("## Status (read only)\n\n" + _table(("Address", "Type", "Unit", ""), map(_output, outputs)))
    services = [
        (f"`{service.address}`", _code(service.arguments), service.reply, service.help)
        for service in osc_schema.services()
    ]
    parts.append("## Services\n\n" + _table(("Address", "Arguments", "Answer", ""), services))
    parts.append(f"{_OSCQUERY}\n{_list(_QUERY_MANNERS)}")
    return "\n".join(parts)


def _list(lines: Iterable[str]) -> str:
    return "".join(textwrap.fill(f"- {line}", 120, subsequent_indent="  ") + "\n" for line in lines)


def _row(row: Parameter) -> tuple[str, ...]:
    kind = row.argument or row.type
    takes = {
        "choice": ", ".join(f"`{choice}`" for choice in row.choices),
        "string": f"string, up to {row.max_length} characters" + ", or number" * row.numbers,
        "strings": f"up to {row.max_items} strings of up to {row.max_length} characters",
        "weighted": f"up to {row.max_items} times a string of up to {row.max_length} characters and its weight",
        "trigger": "trigger",
        "bool": "bool",
    }.get(kind) or f"{kind} {row.minimum:.10g}..{row.maximum:.10g}" + (f" {row.unit}" if row.unit else "")
    takes = f"trigger with {takes}" if row.argument else takes
    default = _code(" ".join(_plain(part) for part in osc_schema.flat(row.default))) if row.default is not None else ""
    return f"`{row.address}`", takes, default, _APPLIES[row.applies], row.help


def _output(row: Parameter) -> tuple[str, ...]:
    return f"`{row.address}`", row.type, row.unit, row.help


def _plain(part: Scalar) -> str:
    return str(part).lower() if isinstance(part, bool) else str(part)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(render())
