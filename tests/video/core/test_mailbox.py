from __future__ import annotations

import threading

from streamvace.video.core.mailbox import Mailbox


def test_the_newest_item_wins_and_the_others_are_counted() -> None:
    box: Mailbox[int] = Mailbox()
    for item in range(5):
        box.put(item)
    assert box.take() == 4
    assert box.dropped == 4


def test_every_item_is_given_once() -> None:
    box: Mailbox[int] = Mailbox()
    box.put(1)
    assert box.take() == 1
    assert box.take() is None
    assert box.dropped == 0


def test_an_item_put_by_another_thread_wakes_the_one_that_waits() -> None:
    box: Mailbox[str] = Mailbox()
    got: list[str | None] = []
    waiter = threading.Thread(target=lambda: got.append(box.wait()))
    waiter.start()
    box.put("here")
    waiter.join(10)
    assert got == ["here"]


def test_closing_wakes_the_one_that_waits_and_later_items_count_as_dropped() -> None:
    box: Mailbox[str] = Mailbox()
    got: list[str | None] = []
    waiter = threading.Thread(target=lambda: got.append(box.wait()))
    waiter.start()
    box.close()
    waiter.join(10)
    assert got == [None]
    box.put("too late")
    assert box.take() is None
    assert box.dropped == 1


def test_what_lay_in_the_slot_at_closing_can_still_be_taken() -> None:
    box: Mailbox[str] = Mailbox()
    box.put("last")
    box.close()
    assert box.wait() == "last"
