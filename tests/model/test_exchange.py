"""Heads are divided evenly or not at all. The division itself: tests/stream/test_part.py, with real processes."""

from __future__ import annotations

import pytest

from streamvace.model.exchange import check_heads
from streamvace.system.errors import UserError


def test_heads_that_do_not_divide_are_refused_with_the_numbers_that_do() -> None:
    with pytest.raises(UserError) as refused:
        check_heads(12, 8)
    assert str(refused.value) == "8 cards cannot share 12 attention heads evenly; 1, 2, 3, 4, 6 or 12 can"
    check_heads(12, 4)
