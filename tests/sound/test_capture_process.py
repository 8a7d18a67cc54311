"""The process that holds the sound device."""

from __future__ import annotations

import queue

from streamvace.sound.capture_process import Block, chosen, into


def test_a_device_is_chosen_by_a_part_of_its_name_in_any_case() -> None:
    names = ["Built-in Microphone", "Monitor of Scarlett 2i2", "Scarlett 2i2"]
    assert chosen(names, "scarlett") == 1
    assert chosen(names, "BUILT") == 0
    assert chosen(names, "BlackHole") is None


def test_what_cannot_be_analysed_in_time_is_left_out_oldest_first_and_the_driver_never_waits() -> None:
    blocks: queue.Queue[Block] = queue.Queue(3)
    listening = into(blocks)
    next(listening)
    for number in range(10):
        listening.send(bytes([number]))
    assert [blocks.get_nowait()[1] for _ in range(3)] == [b"\x07", b"\x08", b"\x09"]
