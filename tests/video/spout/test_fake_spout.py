"""The fake of SpoutGL is honest: as strict as the real one, and with its mistakes."""

from __future__ import annotations

import inspect
import threading

import numpy as np
import pytest

from streamvace.video.spout import api as spout_api
from tests.video.fake_spout import GL_RGBA, World, recorded
from tests.video.texture_parts import grey


@pytest.mark.parametrize(
    ("protocol", "name"), [(spout_api.Sender, "SpoutSender"), (spout_api.Receiver, "SpoutReceiver")]
)
def test_every_method_that_is_used_was_recorded_with_these_arguments(protocol: type, name: str) -> None:
    declared = vars(spout_api.Context) | vars(protocol)
    used = {method: call for method, call in declared.items() if not method.startswith("_") and callable(call)}
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
