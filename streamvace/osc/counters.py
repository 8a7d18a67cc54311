"""What has come in over OSC, counted for the metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """Counts since the start, of messages unless stated otherwise.

    datagrams: received. malformed: datagrams that are not OSC. messages: decoded; a pattern counts once.
    applied: changes handed to the parameters. coalesced: superseded by a later one before they were applied.
    clamped, refused: out of range; without a meaning. unknown: to addresses that do not exist.
    complaints: all that the sender was told about: clamped, refused, ours but unknown, unreadable.
    answers: what a show answers with, arriving here; never answered.
    scheduled: bundles kept for later. unscheduled: bundles refused because of their time tag or a full schedule.
    requests_dropped: dropped in favour of newer ones. surfaces_dropped: of this process, while too many waited.
    not_allowed: datagrams and connections of hosts not in --allow.
    unsent: replies and feedback that the network did not accept.
    tcp_displaced: connections that made room for others. tcp_overdue: connections that said nothing, or no packet to
    its end. tcp_unframed: connections closed because their data has no framing. tcp_slow: connections closed because
    the client does not read.
    faults: internal errors that were caught; should stay 0.
    """

    datagrams: int = 0
    malformed: int = 0
    messages: int = 0
    applied: int = 0
    coalesced: int = 0
    clamped: int = 0
    refused: int = 0
    unknown: int = 0
    complaints: int = 0
    answers: int = 0
    scheduled: int = 0
    unscheduled: int = 0
    requests_dropped: int = 0
    surfaces_dropped: int = 0
    not_allowed: int = 0
    unsent: int = 0
    tcp_displaced: int = 0
    tcp_overdue: int = 0
    tcp_unframed: int = 0
    tcp_slow: int = 0
    faults: int = 0
