"""A search during a show opens no device."""

from __future__ import annotations

import pytest

from streamvace.system.errors import UserError
from streamvace.video import camera, find
from streamvace.video.find import FINDERS, QUIET_FINDERS, Found, find_all, known_cameras


def test_cameras_are_named_without_being_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(index: int) -> bool:
        raise AssertionError(f"camera {index} was opened")

    monkeypatch.setattr(camera, "camera_opens", opened)
    assert all(each.address.startswith("camera:") for each in known_cameras(0))
    assert QUIET_FINDERS["camera"] is not FINDERS["camera"]
    assert QUIET_FINDERS.keys() == FINDERS.keys()
    monkeypatch.setattr(find.platform, "system", lambda: "Windows")
    assert [each.address for each in known_cameras(0)] == ["camera:0", "camera:1"]


def test_a_kind_that_cannot_be_searched_does_not_hide_the_others() -> None:
    def missing(seconds: float) -> list[Found]:
        raise UserError("not installed")

    found, problems = find_all(0, {"NDI": missing, "screen": lambda seconds: [Found("screen", "screen:1")]})
    assert (found, problems) == ([Found("screen", "screen:1")], {"NDI": "not installed"})
