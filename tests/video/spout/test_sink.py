"""The Spout sink against a strict fake of SpoutGL. See fake_spout.py for what it refuses."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_premultiplied
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.spout.api import own_senders
from streamvace.video.spout.sink import SpoutSink
from tests.video.fake_spout import World
from tests.video.helpers import corner_card, until
from tests.video.spout_parts import shows, sink
from tests.video.texture_parts import PLAIN, SIZE, frame, grey


def test_what_is_sent_arrives_upright_with_its_colours_and_its_alpha() -> None:
    world = World()
    with sink(world) as out:
        out.publish(frame(corner_card()))
        world.wait_for(lambda: world.shared["out"].frame == 2)
        assert (world.shared["out"].texture == corner_card()).all()
        until(lambda: world.shared["out"].signalled)


def test_a_sender_is_there_before_the_first_frame_black_and_of_the_shows_size() -> None:
    world = World()
    with sink(world) as out:
        texture = world.shared["out"].texture
        assert texture.shape == (6, 8, 4)
        assert (texture == (0, 0, 0, 255)).all()
        assert out.sent == 0


def test_a_thousand_sizes_are_sent_by_one_sender() -> None:
    world = World()
    with sink(world) as out:
        for number in range(1000):
            picture = grey(number % 251, 1 + number % 7, 1 + number % 5)
            out.publish(frame(picture, number))
            world.wait_for(partial(shows, world, "out", picture))
        assert out.dropped + out.faults == 0
    assert world.made == ["SpoutSender", "SpoutReceiver", "registered out", "released out"]


def test_a_taken_name_is_read_back_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.send("out", grey(1))
    world.send("out_2", grey(1))
    with sink(world) as first, sink(world) as second:
        assert (first.real_name, first.name) == ("out_1", "spout:out_1")
        assert second.name == "spout:out_3"
        assert "Spout name 'out' is taken: receivers find this output as 'out_1'" in caplog.text
        assert "out_1" in own_senders
    assert "out_1" not in own_senders
    assert set(world.shared) == {"out", "out_2"}


def test_a_free_name_is_kept() -> None:
    world = World()
    world.send("outside", grey(1))
    with sink(world) as out:
        assert out.name == "spout:out"


def test_publish_never_waits_for_the_driver_and_counts_what_it_drops() -> None:
    world = World()
    with sink(world) as out:
        world.free.clear()
        out.publish(frame(grey(0)))
        for number in range(1, 50):
            out.publish(frame(grey(number), number))
        world.free.set()
        world.wait_for(lambda: world.shared["out"].texture[0, 0, 0] == 49)
        assert out.dropped >= 48


def test_alpha_is_premultiplied_only_when_the_address_asks() -> None:
    world = World()
    with sink(world, options=TextureOptions(premultiplied=True)) as out:
        out.publish(frame(corner_card()))
        world.wait_for(lambda: world.shared["out"].frame == 2)
        assert (world.shared["out"].texture == to_premultiplied(corner_card())).all()


def test_flipped_sends_upside_down() -> None:
    world = World()
    with sink(world, options=TextureOptions(flipped=True)) as out:
        out.publish(frame(corner_card()))
        world.wait_for(lambda: world.shared["out"].frame == 2)
        assert (world.shared["out"].texture == corner_card()[::-1]).all()


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((6, 8, 4), np.float32), r"float32 \[6, 8, 4\]; frames are uint8"),
        (np.zeros((6, 8, 4), np.uint16), "uint16"),
        (np.zeros((0, 8, 4), np.uint8), "not empty"),
        (np.zeros((6, 8, 3), np.uint8), r"\[6, 8, 3\]"),
        (np.zeros((6, 16, 4), np.uint8)[:, ::2], "use numpy.ascontiguousarray"),
    ],
)
def test_what_spout_would_show_as_noise_is_refused_in_one_line(pixels: NDArray[np.uint8], message: str) -> None:
    world = World()
    with sink(world) as out:
        with pytest.raises(ValueError, match=message) as caught:
            out.publish(frame(pixels))
        assert "\n" not in str(caught.value)
        out.publish(frame(grey(5)))
        world.wait_for(lambda: world.shared["out"].texture[0, 0, 0] == 5)


def test_pictures_that_spout_does_not_take_are_counted_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with sink(world) as out:
        world.takes_pictures = False
        for number in range(1, 6):
            out.publish(frame(grey(number)))
            until(lambda: out.faults == number)  # noqa: B023 - used at once
        world.takes_pictures = True
        out.publish(frame(grey(9)))
        world.wait_for(lambda: world.shared["out"].texture[0, 0, 0] == 9)
        assert out.faults == 5
        assert caplog.text.count("8x6 was not taken") == 1


def test_closing_takes_the_sender_away_and_may_be_done_twice() -> None:
    world = World()
    with sink(world) as out:
        out.close()
        assert world.shared == {}
        assert set(world.contexts.values()) == {0}


@pytest.mark.parametrize(
    ("world", "message"),
    [
        (
            World(opengl=False),
            r"spout:out cannot be opened \(RuntimeError: no OpenGL context\); update .*ndi:out instead",
        ),
        (
            World(takes_pictures=False),
            r"spout:out cannot be opened \(RuntimeError: 8x6 was not taken\); update .*ndi:out instead",
        ),
    ],
)
def test_a_sender_that_cannot_work_is_refused_when_it_is_opened(world: World, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        SpoutSink("out", PLAIN, SIZE, world.module)
    assert "\n" not in str(caught.value)
    assert world.shared == {}


def test_a_driver_that_hangs_at_opening_does_not_hang_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpoutSink, "OPEN_SECONDS", 0.05)
    monkeypatch.setattr(SpoutSink, "CLOSE_SECONDS", 0.05)
    world = World()
    world.free.clear()
    with pytest.raises(UserError, match="spout:out did not answer within 0 s; update the graphics driver"):
        SpoutSink("out", PLAIN, SIZE, world.module)
    world.free.set()
