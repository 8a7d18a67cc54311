"""The Spout source against a strict fake of SpoutGL. See fake_spout.py for what it refuses."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_premultiplied, to_straight
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.spout.source import SpoutSource
from tests.video.fake_spout import DXGI_BGRA, DXGI_MONO, DXGI_RGBA, World
from tests.video.helpers import Turnstile, corner_card
from tests.video.spout_parts import shows, sink, source
from tests.video.texture_parts import PLAIN, SIZE, frame, grey, next_picture


@pytest.mark.parametrize("reorders", [True, False])
@pytest.mark.parametrize("dxgi", [DXGI_BGRA, DXGI_RGBA, 29])
def test_colours_are_right_for_every_order_with_and_without_the_drivers_help(dxgi: int, reorders: bool) -> None:
    if not reorders and dxgi == 29:
        dxgi = DXGI_RGBA  # the fake's driver knows one number of each order
    world = World(driver_reorders=reorders)
    world.send("cam", corner_card(), dxgi)
    with source(world) as (cam, turnstile):
        assert (next_picture(cam, turnstile) == corner_card()).all()
        assert cam.sender_format == dxgi


def test_the_unused_byte_of_a_format_without_alpha_is_opaque() -> None:
    world = World()
    world.send("cam", corner_card(), 88)
    with source(world) as (cam, turnstile):
        pixels = next_picture(cam, turnstile)
        assert (pixels[..., 3] == 255).all()
        assert (pixels[..., :3] == corner_card()[..., :3]).all()


def test_what_our_sink_sends_our_source_receives_bit_for_bit() -> None:
    world = World()
    with sink(world, "loop") as out, source(world, "loop") as (cam, turnstile):
        turnstile.turn(3)
        cam.poll()
        out.publish(frame(corner_card()))
        world.wait_for(partial(shows, world, "loop", corner_card()))
        assert (next_picture(cam, turnstile) == corner_card()).all()


def test_premultiplied_and_flipped_are_undone_when_the_address_says_so() -> None:
    world = World()
    sent = to_premultiplied(corner_card())
    world.send("cam", sent[::-1])
    with source(world, options=TextureOptions(premultiplied=True, flipped=True)) as (cam, turnstile):
        assert (next_picture(cam, turnstile) == to_straight(sent)).all()


def test_a_picture_is_given_at_the_shows_size() -> None:
    world = World()
    world.send("cam", grey(77, 40, 30))
    with source(world, size=(16, 12)) as (cam, turnstile):
        pixels = next_picture(cam, turnstile)
        assert pixels.shape == (12, 16, 4)
        assert (pixels == 77).all()
        assert cam.sender_size == (40, 30)


def counted(world: World, turnstile: Turnstile, *values: int) -> None:
    """A sender whose user counts frames sends these pictures, each while the source looks."""
    for value in values:
        world.send("cam", grey(value))
        turnstile.turn()


def test_the_first_read_after_connecting_is_never_shown() -> None:
    world = World()
    world.send("cam", grey(9))
    with source(world) as (cam, turnstile):
        assert (next_picture(cam, turnstile) == 9).all()  # Spout gave an empty buffer first
        world.send("cam", grey(7, 10, 10))
        assert (next_picture(cam, turnstile) == 7).all()  # and again after the change of size
        assert cam.frames == 2


def test_an_empty_picture_is_shown_once_the_buffers_had_time_to_fill() -> None:
    world = World()
    world.send("cam", grey(0))
    with source(world) as (cam, turnstile):
        turnstile.turn(5)
        assert cam.poll() is None
        world.now_ns += SpoutSource.SETTLE_NS
        assert (next_picture(cam, turnstile) == 0).all()
        world.send("cam", grey(3))
        turnstile.turn(2)
        world.send("cam", grey(0))
        turnstile.turn(2)
        assert (next_picture(cam, turnstile) == 0).all()  # from then on without a pause


def test_a_single_picture_of_a_counting_sender_is_reported_and_shown_with_the_next() -> None:
    world = World(counts_frames=True)
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        world.now_ns += SpoutSource.SETTLE_NS
        turnstile.turn(5)
        assert cam.poll() is None
        assert (cam.faults, "sent one picture" in cam.last_fault) == (1, True)
        world.send("cam", grey(2))
        assert (next_picture(cam, turnstile) == 1).all()


def test_a_texture_that_spout_cannot_open_is_told_from_a_missing_sender() -> None:
    world = World()
    world.send("cam", grey(1), DXGI_MONO)
    with source(world) as (cam, turnstile):
        turnstile.turn(3)
        assert cam.faults == 0  # it may be replacing its texture
        world.now_ns += SpoutSource.REFUSED_NS
        turnstile.turn(3)
        assert cam.faults == 1
        assert "8-bit RGBA" in cam.last_fault
        world.send("cam", grey(1))
        assert (next_picture(cam, turnstile) == 1).all()


def test_a_picture_is_given_once_and_the_newest_wins() -> None:
    world = World(counts_frames=True)
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        turnstile.turn(2)
        counted(world, turnstile, 2)
        assert next_picture(cam, turnstile)[0, 0, 0] == 1
        turnstile.turn(5)
        assert cam.poll() is None
        counted(world, turnstile, 3, 4, 5)
        got = cam.poll()
        assert got is not None
        assert (int(got.pixels[0, 0, 0]), got.sequence, got.source) == (4, 3, "spout:cam")
        assert cam.dropped == 2


def test_given_pictures_are_not_written_again() -> None:
    world = World()
    world.send("cam", grey(1), DXGI_RGBA)
    with source(world) as (cam, turnstile):
        first = next_picture(cam, turnstile)
        world.send("cam", grey(2), DXGI_RGBA)
        turnstile.turn(2)
        assert next_picture(cam, turnstile)[0, 0, 0] == 2
        assert (first == 1).all()


def test_a_sender_lost_resized_and_restarted_a_thousand_times_always_comes_back() -> None:
    world = World()
    with source(world) as (cam, turnstile):
        losses = 0
        for number in range(1000):
            value, width, height = 1 + number % 250, 4 + number % 9, 3 + number % 7
            event = ("lose", "resize", "restart", "format")[number % 4]
            if event == "lose" and "cam" in world.shared:
                world.close("cam")
                turnstile.turn(2)
                losses += 1
                assert cam.connected_to == ""
            elif event == "restart":
                world.close("cam")  # and back before anyone looked
            world.send("cam", grey(value, width, height), DXGI_RGBA if event == "format" else DXGI_BGRA)
            turnstile.turn(2)  # a picture of the time before may wait
            assert (next_picture(cam, turnstile) == value).all(), event
            assert cam.sender_size == (width, height)
        assert cam.losses == losses > 200
        assert cam.faults == losses  # each loss, and nothing else
    assert world.made == ["SpoutReceiver"]


def test_growth_that_nobody_announces_costs_a_picture_and_nothing_else() -> None:
    world = World()
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        next_picture(cam, turnstile)
        world.announces = False
        for value, width in ((2, 60), (3, 5), (4, 61)):
            world.send("cam", grey(value, width, width))
            assert (next_picture(cam, turnstile) == value).all()
        assert cam.faults == 0


def test_a_buffer_that_has_become_too_small_is_replaced() -> None:
    world = World()
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        next_picture(cam, turnstile)
        cam._buffer = np.zeros((2, 2, 4), np.uint8)
        world.send("cam", grey(2))
        assert (next_picture(cam, turnstile) == 2).all()
        assert cam.faults == 0


def test_a_sender_may_start_late() -> None:
    world = World()
    with source(world) as (cam, turnstile):
        turnstile.turn(5)
        assert cam.poll() is None
        assert set(turnstile.asked) == {SpoutSource.SEARCH_SECONDS}
        world.send("other", grey(9))
        turnstile.turn(3)
        assert cam.poll() is None
        world.send("cam", grey(1))
        assert (next_picture(cam, turnstile) == 1).all()
        assert cam.connected_to == "cam"


def test_without_a_name_the_active_sender_is_taken_but_never_our_own() -> None:
    world = World()
    with sink(world, "ours"), source(world, "") as (cam, turnstile):
        turnstile.turn(3)
        assert world.active == "ours"
        assert cam.connected_to == ""
        world.send("first", grey(1))
        assert (next_picture(cam, turnstile) == 1).all()
        world.send("second", grey(2))
        world.active = "second"
        turnstile.turn(3)
        assert cam.connected_to == "first"  # it stays with what it has
        world.close("first")
        cam.poll()  # a last picture of the first may wait
        assert (next_picture(cam, turnstile, 6) == 2).all()


@pytest.mark.parametrize(
    ("counts_frames", "pause"),
    [(True, SpoutSource.LOOK_SECONDS), (False, SpoutSource.REST_SECONDS)],  # uncounted, every look finds a picture
)
def test_a_sender_without_a_signal_is_looked_at_with_pauses(counts_frames: bool, pause: float) -> None:
    world = World(counts_frames=counts_frames)
    world.send("cam", grey(1))
    with source(world) as (_, turnstile):
        turnstile.turn(2)
        counted(world, turnstile, 2)
        turnstile.turn()
        turnstile.asked.clear()
        turnstile.turn(4)
        assert turnstile.asked == [pause] * 4


def test_a_signal_is_answered_without_a_pause() -> None:
    world = World()
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        next_picture(cam, turnstile)
        world.send("cam", grey(2), signal=True)
        before = len(turnstile.asked)
        turnstile.turn()
        # One turn, two looks: the picture, the signal, and at once another look.
        got = cam.poll()
        assert got is not None
        assert got.pixels[0, 0, 0] == 2
        assert len(turnstile.asked) == before + 1


def test_a_receiver_that_fails_is_counted_once_and_asked_again() -> None:
    world = World()
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        next_picture(cam, turnstile)
        world.broken = RuntimeError("device removed")
        turnstile.turn(5)
        assert (cam.faults, cam.last_fault) == (1, "RuntimeError: device removed")
        world.broken = None
        world.send("cam", grey(2))
        turnstile.turn(2)
        assert (next_picture(cam, turnstile) == 2).all()


def test_closing_a_source_gives_its_context_back_and_may_be_done_twice() -> None:
    world = World()
    with source(world) as (cam, turnstile):
        cam._stop.set()
        turnstile.open()
        cam.close()
        cam.close()
    assert set(world.contexts.values()) == {0}


def test_a_source_without_opengl_is_refused_when_it_is_opened() -> None:
    with pytest.raises(UserError, match=r"spout:cam cannot be opened \(RuntimeError: no OpenGL context\); update"):
        SpoutSource("cam", PLAIN, SIZE, World(opengl=False).module)
