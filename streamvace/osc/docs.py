"""docs/osc.md, from the schema: `python -m streamvace.osc.docs > docs/osc.md`."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable

import osc_schema
from osc_schema import Parameter, Scalar
from streamvace.control.fades import CURVES
from streamvace.osc import codec, feedback, inbox, query_server, schedule, server, tcp

_APPLIES = {"now": "at once", "next_chunk": "next chunk", "reload": "model reload"}

_HEAD = f"""# OSC

<!-- Made by `python -m streamvace.osc.docs > docs/osc.md` from osc_schema/parameters.json: edit that, not this. -->

streamvace listens for OSC on address 127.0.0.1: on UDP port {server.DEFAULT_PORT} (`--osc-port`; 0 takes any free port
and prints it) and on the TCP port of the same number (`--osc-tcp-port`). Any OSC 1.0 or 1.1 client works. With liblo's
tools:

```
oscsend localhost {server.DEFAULT_PORT} /streamvace/prompt s "a blue glossy cube"
oscsend localhost {server.DEFAULT_PORT} /streamvace/context_scale f 0.6
oscsend localhost {server.DEFAULT_PORT} /streamvace/reset
oscdump -L 9001 & oscsend localhost {server.DEFAULT_PORT} /streamvace/subscribe i 9001
```

## Rules
"""

_MANNERS = (
    "**Types are converted.** A number sets a bool (on from 0.5) or a choice (by index). A float is rounded for an "
    "int. A choice also accepts its name.",
    "**Triggers** fire on a message with no argument, `T`, `I` or a number from 0.5. They ignore the release of a "
    "button (`F`, 0). A trigger responds to its full address only, never to a pattern. A trigger with an argument "
    "runs once for every message, in order.",
    "**Out-of-range values are clamped. Invalid values are refused** and change nothing: NaN, infinity, a wrong "
    "type, too many values. In both cases the sender receives one line at `/streamvace/status/error` and the value "
    "in force.",
    "**Fades.** Add `/to` to the address of a float or of the prompt: `/streamvace/context_scale/to` takes the "
    f"target value, the seconds and an optional curve ({', '.join(CURVES)}). The value moves from chunk to chunk, "
    "and subscribers receive each step. Setting the parameter directly ends the fade. Complete looks: "
    "[cues.md](cues.md).",
    "**Queries and patterns.** A message with no argument, or with `?`, asks for the value. `/streamvace/*` and "
    f"the other OSC 1.0 patterns work: at most {inbox.MAX_PATTERNS} per datagram, with {inbox.MAX_PATTERN_LETTERS} "
    "characters in total.",
    "**Lists** are sent as several arguments or as one array: strings, or strings each followed by a weight "
    "(default 1). Empty strings are dropped, so a single empty string clears the list.",
    "**Bundles** are applied as a whole, at one chunk boundary. A bundle with a time tag takes effect with the "
    f"chunk nearest to its time, up to {schedule.HORIZON:.0f} s ahead; {schedule.MAX_ENTRIES} bundles can wait. A "
    "refused message does not block the others in its bundle.",
    "**Bursts.** If several messages for one address arrive together, the last valid value is used.",
    "**Subscribers** receive every change except their own, and changed status values at most "
    f"{1 / server.STATUS_SECONDS:.0f} times a second. There can be {feedback.MAX_SUBSCRIBERS} subscribers. A "
    f"subscriber that sends nothing for {feedback.EXPIRY / 60:.0f} minutes is removed, so subscribe again from time "
    "to time.",
    "**TCP** packets are framed by their size (OSC 1.0) or by SLIP (OSC 1.1). The first byte decides, and replies "
    f"use the same framing. There can be {tcp.MAX_CONNECTIONS} connections. A client that sends an impossible size, "
    "or does not read its replies, is disconnected.",
    f"**Limits.** {codec.MAX_MESSAGES} messages per datagram; {codec.MAX_ARGUMENTS} arguments per message and "
    f"{codec.MAX_VALUES} per datagram; {inbox.MAX_NAMED} addresses matched by the messages and patterns of a "
    f"datagram; {codec.MAX_ADDRESS} bytes per address; bundles nested {codec.MAX_DEPTH} deep.",
)

_OSCQUERY = """## OSCQuery

Controllers that support OSCQuery discover streamvace (`_oscjson._tcp`) and read the list of parameters from it. The
service is announced on this machine only, unless `--host` opens it to the network. streamvace prints the address when
it starts (`--oscquery-port`; -1 disables OSCQuery):

```
curl "http://127.0.0.1:PORT/"                               # everything, with ranges, choices and values
curl "http://127.0.0.1:PORT/streamvace/context_scale?VALUE" # one attribute of one parameter
curl "http://127.0.0.1:PORT/?HOST_INFO"                     # where to send OSC
```
"""

_QUERY_MANNERS = (
    "A GET returns FULL_PATH, CONTENTS, TYPE, VALUE, ACCESS, DESCRIPTION, RANGE (MIN and MAX, or VALS), CLIPMODE "
    "and UNIT. It returns 204 for an attribute that the node does not have, 400 for an unknown attribute and 404 "
    "for an unknown path.",
    'A WebSocket client sends `{"COMMAND": "LISTEN", "DATA": "/streamvace/seed"}`, or `IGNORE`. It receives the '
    f"value and every change as binary OSC packets. There can be {query_server.MAX_LISTENERS} clients. Values are "
    "set over OSC.",
    "The namespace of a running show never changes, so PATH_CHANGED is not sent.",
    "As in the web preview, requests are answered only for local host names and from local pages.",
)


def render() -> str:
    """The whole page, ending in a newline."""
    rows = osc_schema.load()
    parts = [f"{_HEAD}\n{_list(_MANNERS)}"]
    for group in dict.fromkeys(row.group for row in rows if row.access == "write"):
        chosen = [row for row in rows if row.group == group and row.access == "write"]
        parts.append(
            f"## {group.capitalize()}\n\n"
            + _table(("Address", "Value", "Default", "Applies", "Description"), map(_row, chosen))
        )
    outputs = [row for row in rows if row.access == "read"]
    parts.append(
        "## Status (read only)\n\n" + _table(("Address", "Type", "Unit", "Description"), map(_output, outputs))
    )
    services = [
        (f"`{service.address}`", _code(service.arguments), service.reply, service.help)
        for service in osc_schema.services()
    ]
    parts.append("## Services\n\n" + _table(("Address", "Arguments", "Reply", "Description"), services))
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
        "weighted": f"up to {row.max_items} pairs of a string of up to {row.max_length} characters and a weight",
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
