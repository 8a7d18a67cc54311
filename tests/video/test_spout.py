"""Spout against a strict fake of SpoutGL: everything but the graphics card. See fake_spout.py for what it refuses."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.errors import UserError
from streamvace.video import spout_api
from streamvace.video.alpha import to_premultiplied, to_straight
from streamvace.video.frame import Frame
from streamvace.video.shared_texture import TextureOptions
from streamvace.video.spout_api import own_senders
from streamvace.video.spout_sink import SpoutSink
from streamvace.video.spout_source import SpoutSource
from tests.video.fake_spout import DXGI_BGRA, DXGI_RGBA, GL_RGBA, World, recorded
from tests.video.helpers import Turnstile, corner_card, until

SIZE = (8, 6)
PLAIN = TextureOptions()


def frame(pixels: NDArray[np.uint8], sequence: int = 0) -> Frame:
    return Frame(pixels, 0, "test", sequence)


def grey(value: int, width: int = 8, height: int = 6) -> NDArray[np.uint8]:
    return np.full((height, width, 4), value, np.uint8)


def shows(world: World, name: str, picture: NDArray[np.uint8]) -> bool:
    return np.array_equal(world.shared[name].texture, picture)


@contextmanager
def sink(world: World, name: str = "out", options: TextureOptions = PLAIN) -> Iterator[SpoutSink]:
    opened = SpoutSink(name, options, SIZE, world.module)
    try:
        yield opened
    finally:
        world.free.set()
        opened.close()


@contextmanager
def source(
    world: World, name: str = "cam", options: TextureOptions = PLAIN, size: tuple[int, int] = SIZE
) -> Iterator[tuple[SpoutSource, Turnstile]]:
    """A source and the turnstile at which its thread stops after every look."""
    turnstile = Turnstile()
    opened = SpoutSource(name, options, size, world.module, turnstile)
    turnstile.arrive()
    try:
        yield opened, turnstile
    finally:
        opened._stop.set()
        turnstile.open()
        opened.close()


def next_picture(opened: SpoutSource, turnstile: Turnstile, looks: int = 4) -> NDArray[np.uint8]:
    """The picture that the source gives within so many looks."""
    for _ in range(looks):
        got = opened.poll()
        if got is not None:
            return got.pixels
        turnstile.turn()
    raise AssertionError(f"no picture within {looks} looks")


# --- the sink ---------------------------------------------------------------------------------------------------------


def test_what_is_sent_arrives_upright_with_its_colours_and_its_alpha() -> None:
    world = World()
    with sink(world) as out:
        out.publish(frame(corner_card()))
        world.wait_for(lambda: world.shared["out"].frame == 2)
        assert (world.shared["out"].texture == corner_card()).all()


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
        assert out.dropped + out.refused == 0
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


def test_pictures_that_spout_does_not_take_are_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    with sink(world) as out:
        world.takes_pictures = False
        for number in range(1, 6):
            out.publish(frame(grey(number)))
            until(lambda: out.refused == number)  # noqa: B023 - used at once
        world.takes_pictures = True
        out.publish(frame(grey(9)))
        world.wait_for(lambda: world.shared["out"].texture[0, 0, 0] == 9)
        assert out.refused == 5
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
        (World(opengl=False), "cannot make an OpenGL context; update the graphics driver"),
        (World(takes_pictures=False), r"does not take a picture \(8x6 was not taken\); use ndi:out"),
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
    with pytest.raises(UserError, match="Spout did not answer"):
        SpoutSink("out", PLAIN, SIZE, world.module)
    world.free.set()


# --- the source -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reorders", [True, False])
@pytest.mark.parametrize("dxgi", [DXGI_BGRA, 91, DXGI_RGBA, 29])
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


def test_a_picture_is_given_once_and_the_newest_wins() -> None:
    world = World()
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        assert next_picture(cam, turnstile)[0, 0, 0] == 1
        turnstile.turn(5)
        assert cam.poll() is None
        for value in (2, 3, 4):
            world.send("cam", grey(value))
            turnstile.turn()
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
        assert next_picture(cam, turnstile)[0, 0, 0] == 2
        assert (first == 1).all()


def test_a_sender_lost_resized_and_restarted_a_thousand_times_always_comes_back() -> None:
    world = World()
    with source(world) as (cam, turnstile):
        losses = 0
        for number in range(1000):
            value, width, height = number % 251, 4 + number % 9, 3 + number % 7
            event = ("lose", "resize", "restart", "format")[number % 4]
            if event == "lose" and "cam" in world.shared:
                world.close("cam")
                turnstile.turn(2)
                losses += 1
                assert cam.connected_to == ""
            elif event == "restart":
                world.close("cam")  # and back before anyone looked
            world.send("cam", grey(value, width, height), DXGI_RGBA if event == "format" else DXGI_BGRA)
            assert (next_picture(cam, turnstile) == value).all(), event
            assert cam.sender_size == (width, height)
        assert cam.losses == losses > 200
        assert cam.frames == 1000
        assert cam.faults == losses  # each was told, and nothing else went wrong
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


def test_a_buffer_that_has_become_too_small_is_made_anew() -> None:
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
        assert (next_picture(cam, turnstile, 6) == 2).all()


def test_a_sender_that_gives_no_signal_is_looked_at_again_and_again_with_pauses() -> None:
    world = World()
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        next_picture(cam, turnstile)
        turnstile.asked.clear()
        turnstile.turn(3)
        assert turnstile.asked == [SpoutSource.LOOK_SECONDS] * 3


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


def test_without_frame_counting_pictures_are_taken_at_a_bounded_rate() -> None:
    world = World(counts_frames=False)
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        next_picture(cam, turnstile)
        turnstile.asked.clear()
        turnstile.turn(4)
        assert turnstile.asked == [SpoutSource.REST_SECONDS] * 4


def test_a_receiver_that_fails_is_told_once_and_asked_again() -> None:
    world = World()
    world.send("cam", grey(1))
    with source(world) as (cam, turnstile):
        next_picture(cam, turnstile)
        world.broken = RuntimeError("device removed")
        turnstile.turn(5)
        assert (cam.faults, cam.last_fault) == (1, "RuntimeError: device removed")
        world.broken = None
        world.send("cam", grey(2))
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
    with pytest.raises(UserError, match="cannot make an OpenGL context"):
        SpoutSource("cam", PLAIN, SIZE, World(opengl=False).module)


# --- the fake is honest -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("protocol", "name"), [(spout_api.Sender, "SpoutSender"), (spout_api.Receiver, "SpoutReceiver")]
)
def test_every_method_that_is_used_was_recorded_with_these_arguments(protocol: type, name: str) -> None:
    used = {method: call for method, call in vars(protocol).items() if not method.startswith("_") and callable(call)}
    assert len(used) >= 6
    for method, call in used.items():
        assert len(inspect.signature(call).parameters) - 1 == len(recorded()[name][method]), method


def test_the_fake_refuses_what_the_real_one_refuses() -> None:
    world = World()
    sender = world.module().SpoutSender()
    picture = grey(1)
    with pytest.raises(AssertionError, match="no OpenGL context"):
        sender.sendImage(picture, 8, 6, GL_RGBA, False, 0)
    assert sender.createOpenGL()
    with pytest.raises(TypeError, match="incompatible function arguments"):
        sender.sendImage(picture, 8, 6, GL_RGBA, False)
    with pytest.raises(TypeError, match="incompatible function arguments"):
        sender.sendImage(picture, 8.0, 6, GL_RGBA, False, 0)
    with pytest.raises(BufferError, match="large enough"):
        sender.sendImage(picture, 9, 6, GL_RGBA, False, 0)
    with pytest.raises(BufferError, match="contiguous"):
        sender.sendImage(np.zeros((12, 8, 4), np.uint8)[::2], 8, 6, GL_RGBA, False, 0)
    with pytest.raises(ValueError, match="GL format"):
        sender.sendImage(picture, 8, 6, 1, False, 0)
    with pytest.raises(AttributeError, match="holdFps"):
        sender.holdFps(30)
    failures: list[BaseException] = []

    def elsewhere() -> None:
        try:
            sender.sendImage(picture, 8, 6, GL_RGBA, False, 0)
        except AssertionError as error:
            failures.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len(failures) == 1


def test_the_fake_takes_any_type_of_number_as_bytes_and_misnames_senders_like_the_real_one() -> None:
    world = World()
    sender, receiver = world.module().SpoutSender(), world.module().SpoutReceiver()
    sender.createOpenGL()
    sender.setSenderName("x")
    assert sender.sendImage(np.zeros((6, 8, 4), np.float32), 8, 6, GL_RGBA, False, 0)
    assert receiver.isFrameNew()
    assert receiver.receiveImage(None, GL_RGBA, False, 0)
    assert receiver.getSenderName() == 8
    assert not receiver.waitFrameSync("nobody", 10_000)
