"""The fixture that a desk patches."""

from __future__ import annotations

import hashlib

import pytest

import osc_schema
from streamvace import cli
from streamvace.control.coercion import coerce
from streamvace.dmx.personality import Depth, channels, last_start, size, table

PINNED = {"8_bit": "2c14410df5feb72c", "16_bit": "7fd031007a57773c"}
"""Version 1. A desk that is patched finds the same functions on the same channels."""


def prints(depth: Depth) -> str:
    rows = "\n".join(f"{each.at} {each.width} {each.name}" for each in channels(depth))
    return hashlib.sha256(rows.encode()).hexdigest()[:16]


@pytest.mark.parametrize("depth", ["8_bit", "16_bit"])
def test_the_channels_of_a_version_never_change(depth: Depth) -> None:
    assert prints(depth) == PINNED[depth], "channels have changed: raise VERSION, and pin the new ones here"


@pytest.mark.parametrize("depth", ["8_bit", "16_bit"])
def test_the_channels_follow_each_other_without_a_gap_and_fit_into_a_universe(depth: Depth) -> None:
    at = 1
    for channel in channels(depth):
        assert channel.at == at, channel.name
        at += channel.width
    assert at - 1 == size(depth) <= 512
    assert last_start(depth) + size(depth) - 1 == 512


def test_only_floats_have_two_channels_and_only_in_16_bits() -> None:
    assert all(channel.width == 1 for channel in channels("8_bit"))
    wide = {channel.name for channel in channels("16_bit") if channel.width == 2}
    assert wide == {each.name for each in channels("16_bit") if each.row is not None and each.row.type == "float"}


def test_nothing_ends_the_show_loads_a_model_records_or_touches_a_file() -> None:
    rows = [channel.row for channel in channels("8_bit") if channel.row is not None]
    assert all(row.access == "write" and row.applies != "reload" for row in rows)
    assert {row.type for row in rows} <= {"float", "int", "bool", "choice", "trigger"}
    assert not {row.group for row in rows} & {"midi", "sound", "input", "references", "dmx"}
    harmful = {"quit", "model/reload", "record", "record_file", "pipeline", "latency", "cue/load", "cue/store"}
    assert not {row.name for row in rows} & harmful


@pytest.mark.parametrize("depth", ["8_bit", "16_bit"])
def test_every_channel_reaches_both_ends_of_its_range_and_the_show_takes_every_level(depth: Depth) -> None:
    for channel in channels(depth):
        if channel.row is None or channel.presses:
            continue
        most = 256**channel.width - 1
        low, high = channel.value(0), channel.value(most)
        row = channel.row
        ends = {"bool": (False, True), "choice": (row.choices[:1] + row.choices[-1:])}
        assert (low, high) == tuple(ends.get(row.type, (row.minimum, row.maximum)))
        for level in range(0, most + 1, max(1, most // 255)):
            assert coerce(row, (channel.value(level),)).status == "set", (row.address, level)


def test_two_channels_are_coarse_and_fine() -> None:
    channel = next(each for each in channels("16_bit") if each.name == "output/hue")
    levels = bytearray(size("16_bit"))
    levels[channel.at - 1 : channel.at + 1] = bytes((128, 1))
    assert channel.level(bytes(levels)) == 128 * 256 + 1
    assert channel.value(32768) == pytest.approx(0.0, abs=0.01)


def test_the_command_prints_a_line_for_each_channel(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["dmx", "--mode", "16_bit"]) == 0
    said = capsys.readouterr().out
    assert said.strip() == table("16_bit").strip()
    assert f"version 1: {size('16_bit')} channels" in said
    assert "0 hold, 85 blend, 170 flow" in said
    assert "0.5 to 4, each doubling the same way" in said
    assert len(said.splitlines()) == len(channels("16_bit")) + 2


def test_a_mode_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["dmx", "--mode", "24_bit"]) == 2
    assert "there are 8_bit and 16_bit" in capsys.readouterr().err


def test_the_bands_of_the_table_are_those_that_the_channel_has() -> None:
    channel = next(each for each in channels("8_bit") if each.name == "output_motion")
    assert [channel.value(level) for level in (0, 84, 85, 169, 170, 255)] == [
        *("hold", "hold", "blend", "blend", "flow", "flow")
    ]
    assert channel.row == osc_schema.by_address()["/streamvace/output_motion"]
