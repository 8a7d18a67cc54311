"""Syphon against a strict fake of syphon-python: everything but macOS itself. See fake_syphon.py."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.video.core.alpha import to_premultiplied, to_straight
from streamvace.video.core.shared_texture import TextureOptions
from streamvace.video.syphon.api import METAL_BGRA, METAL_RGBA, ServerList, pump
from streamvace.video.syphon.sink import SyphonSink
from streamvace.video.syphon.source import SyphonSource
from tests.video import texture_parts
from tests.video.fake_syphon import Mac
from tests.video.helpers import Turnstile, corner_card, until
from tests.video.texture_parts import PLAIN, SIZE, frame, grey, stepped


@contextmanager
def sink(mac: Mac, name: str = "out", options: TextureOptions = PLAIN) -> Iterator[SyphonSink]:
    opened = SyphonSink(name, options, mac.load, ServerList(0))
    try:
        yield opened
    finally:
        opened.close()


def source(
    mac: Mac, name: str = "cam", options: TextureOptions = PLAIN, directory: ServerList | None = None
) -> AbstractContextManager[tuple[SyphonSource, Turnstile]]:
    """A source that stops after every look."""
    servers = directory or ServerList(0)
    return stepped(lambda turnstile: SyphonSource(name, options, SIZE, mac.load, servers, turnstile))


def next_picture(opened: SyphonSource, turnstile: Turnstile) -> NDArray[np.uint8]:
    """The next picture, with a pump before every look."""
    return texture_parts.next_picture(opened, turnstile, before=opened._directory.pump)


def test_what_is_sent_is_shown_upright_with_its_colours_and_its_alpha() -> None:
    mac = Mac()
    with sink(mac) as out:
        out.publish(frame(corner_card()))
        until(lambda: out.sent == 1)
        assert np.array_equal(mac.on_screen("out"), corner_card())
        assert out.name == "syphon:out"


def test_sizes_change_and_the_server_stays() -> None:
    mac = Mac()
    with sink(mac) as out:
        for number in range(1, 31):
            out.publish(frame(grey(number, 3 + number % 4, 2 + number % 3)))
            until(lambda: out.sent == number)  # noqa: B023 - used at once
            assert np.array_equal(mac.on_screen("out"), grey(number, 3 + number % 4, 2 + number % 3))
    assert mac.made == ["server out", "server stopped"]
    assert mac.published == {}


def test_the_picture_being_read_is_not_written() -> None:
    mac = Mac()
    with sink(mac) as out:
        first = out._next_texture(8, 6)
        assert out._next_texture(8, 6) is not first
        assert out._next_texture(8, 6) is first


def test_premultiplied_and_flipped_are_done_when_the_address_says_so() -> None:
    mac = Mac()
    with sink(mac, options=TextureOptions(premultiplied=True, flipped=True)) as out:
        out.publish(frame(corner_card()))
        until(lambda: out.sent == 1)
        assert np.array_equal(mac.on_screen("out"), to_premultiplied(corner_card())[::-1])


def test_a_frame_that_fails_is_counted_and_the_next_one_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mac = Mac()
    with sink(mac) as out:
        with pytest.raises(ValueError, match="float32"):
            out.publish(frame(np.zeros((6, 8, 4), np.float32)))
        with monkeypatch.context() as patched:
            patched.setattr(out._server, "device", "gone")
            for number in range(1, 4):
                out.publish(frame(grey(1)))
                until(lambda: out.faults == number)  # noqa: B023 - used at once
        out.publish(frame(grey(7)))
        until(lambda: out.sent == 1)
        assert caplog.text.count("sink syphon:out") == 1


def test_a_mac_without_metal_is_refused_when_the_output_opens() -> None:
    with pytest.raises(UserError, match=r"no Syphon output on this machine \(No Metal device.*use ndi:out"):
        SyphonSink("out", PLAIN, Mac(metal=False).load, ServerList(0))


@pytest.mark.parametrize("pixel_format", [METAL_BGRA, METAL_RGBA])
def test_what_another_program_shows_arrives_upright_with_its_colours_and_its_alpha(pixel_format: int) -> None:
    mac = Mac()
    uuid = mac.start("cam")
    mac.send(uuid, corner_card(), pixel_format)
    with source(mac) as (cam, turnstile):
        assert np.array_equal(next_picture(cam, turnstile), corner_card())
        assert cam.connected_to == "cam"
        turnstile.turn(3)
        assert cam.poll() is None


def test_a_source_undoes_premultiplied_and_flipped_when_the_address_says_so() -> None:
    mac = Mac()
    sent = to_premultiplied(corner_card())
    uuid = mac.start("cam")
    mac.send(uuid, sent[::-1])
    with source(mac, options=TextureOptions(premultiplied=True, flipped=True)) as (cam, turnstile):
        assert np.array_equal(next_picture(cam, turnstile), to_straight(sent))


def test_a_server_lost_resized_and_restarted_a_thousand_times_always_comes_back() -> None:
    mac = Mac()
    with source(mac) as (cam, turnstile):
        uuid = mac.start("cam")
        for number in range(1000):
            if number % 3 == 1:
                mac.stop(uuid)
                turnstile.turn(2)
                uuid = mac.start("cam")
            elif number % 3 == 2:
                mac.stop(uuid)
                uuid = mac.start("cam")  # and back before anyone looked
            picture = grey(number % 251, 4 + number % 9, 3 + number % 7)
            mac.send(uuid, picture)
            assert (next_picture(cam, turnstile) == number % 251).all()
        assert cam.frames == 1000
        assert cam.losses == 666
    clients = [made for made in mac.made if made.startswith("client")]
    assert clients[0::2] == ["client cam"] * (len(clients) // 2)
    assert clients[1::2] == ["client stopped"] * (len(clients) // 2)


def test_nothing_is_found_until_the_main_thread_pumps() -> None:
    mac = Mac()
    mac.send(mac.start("cam"), grey(1))
    with source(mac) as (cam, turnstile):
        turnstile.turn(5)
        assert cam.poll() is None
        assert set(turnstile.asked) == {SyphonSource.SEARCH_SECONDS}
        cam._directory.pump()
        turnstile.turn(2)
        assert cam.poll() is not None


def test_pumping_on_another_thread_is_an_error_and_not_a_silence() -> None:
    mac = Mac()
    failures: list[BaseException] = []
    with source(mac) as (cam, _):

        def elsewhere() -> None:
            try:
                cam._directory.pump()
            except RuntimeError as error:
                failures.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert "the main thread only" in str(failures[0])


def test_pumping_costs_nothing_while_syphon_is_not_in_use() -> None:
    pump()


def test_a_server_is_found_by_its_own_name_first_then_by_its_application() -> None:
    mac = Mac()
    mac.start("", "VDMX")
    mac.start("VDMX", "Other")
    servers = ServerList(0)
    servers.use(mac.load())
    servers.pump()
    found = [servers.find(name) for name in ("VDMX", "Other", "nobody")]
    assert [(server.name, server.app_name) if server else None for server in found] == [
        ("VDMX", "Other"),
        ("VDMX", "Other"),
        None,
    ]
    mac.stop(next(iter(mac.published)))
    assert servers.find("VDMX") is not None


def test_without_a_name_the_first_server_is_taken_that_is_not_our_own() -> None:
    mac = Mac()
    servers = ServerList(0)
    ours = SyphonSink("ours", PLAIN, mac.load, servers)
    with source(mac, "", directory=servers) as (cam, turnstile):
        cam._directory.pump()
        turnstile.turn(3)
        assert cam.connected_to == ""
        mac.send(mac.start("theirs"), grey(3))
        assert (next_picture(cam, turnstile) == 3).all()
        assert cam.connected_to == "theirs"
    ours.close()
    assert servers.own == set()


def test_a_format_that_cannot_be_read_is_counted_once() -> None:
    mac = Mac()
    uuid = mac.start("cam")
    mac.send(uuid, grey(1), 115)
    with source(mac) as (cam, turnstile):
        for number in range(6):
            mac.send(uuid, grey(number), 115)
            cam._directory.pump()
            turnstile.turn()
        assert (cam.faults, cam.last_fault) == (1, "Exception: Not correct pixel format")
        mac.send(uuid, grey(9))
        assert (next_picture(cam, turnstile) == 9).all()
