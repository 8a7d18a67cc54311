"""What a show is made of is not searched for garbage while it runs, and what comes later is."""

from __future__ import annotations

import gc
import weakref

from streamvace.system.garbage import leaving_out_what_is_there


class Part:
    def __init__(self) -> None:
        self.itself = self


def searched(part: Part) -> bool:
    return any(each is part for each in gc.get_objects())


def test_what_is_there_is_left_out_and_later_circles_are_found() -> None:
    circle = weakref.ref(Part())
    there = Part()
    with leaving_out_what_is_there():
        assert circle() is None, "garbage of the start goes first"
        assert not searched(there)
        later = weakref.ref(Part())
        gc.collect()
        assert later() is None
    assert searched(there)
