"""SpoutGL 0.1.1 as it was found to behave, and the other programs that it shares textures with.

The methods and their arguments are those of `spoutgl_signatures.txt`, recorded from the real module. Stricter than the
real one where that would crash or show noise: every object belongs to the thread that made it, and pictures move only
on a thread that has an OpenGL context.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GL_RGBA, GL_BGRA, GL_RGB, GL_BGR = 0x1908, 0x80E1, 0x1907, 0x80E0
ORDERS = {GL_RGBA: (0, 1, 2, 3), GL_BGRA: (2, 1, 0, 3), GL_RGB: (0, 1, 2), GL_BGR: (2, 1, 0)}
DXGI_RGBA, DXGI_BGRA = 28, 87
DXGI_MONO = 61
OPENED = {2, 10, 11, 13, 21, 22, 24, 28, 29, 31, 87, 88}
"""DirectX formats that a receiver opens; all have four channels. A texture of another format counts as no sender."""


@cache
def recorded() -> dict[str, dict[str, list[tuple[str, bool]]]]:
    """Class -> method -> its arguments: type, and whether it may be left out."""
    text = (Path(__file__).parent / "spoutgl_signatures.txt").read_text("utf-8")
    classes: dict[str, dict[str, list[tuple[str, bool]]]] = {}
    methods: dict[str, list[tuple[str, bool]]] = {}
    for line in text.splitlines():
        if line.startswith("### "):
            methods = classes.setdefault(line[4:], {})
        elif match := re.fullmatch(r"(\w+)\(self: [\w.]+((?:, \w+: [^,()]+)*)\) -> .*", line):
            found = re.findall(r", \w+: ([\w\[\]]+)( = \w+)?", match[2])
            methods[match[1]] = [(kind, bool(default)) for kind, default in found]
    return classes


def fits(value: object, kind: str) -> bool:
    """Whether the binding takes this value for an argument of that type."""
    if kind == "Optional[Buffer]":
        return value is None or fits(value, "Buffer")
    if kind == "Buffer":
        return isinstance(value, bytes | bytearray | memoryview | np.ndarray)
    if kind == "int":
        return isinstance(value, int | np.integer)
    return isinstance(value, {"str": str, "bool": bool}[kind])


@dataclass
class Shared:
    """One sender as the whole machine sees it."""

    texture: NDArray[np.uint8]
    """RGBA `[H, W, 4]`, top row first, as DirectX has it."""
    dxgi: int = DXGI_BGRA
    handle: int = 0
    """Another one for every texture that was made."""
    frame: int = 1
    signalled: bool | None = None
    """Whether a signal waits to be heard; None while the sender never gave one."""


@dataclass
class World:
    """The machine: who sends, and what its driver and settings are like."""

    shared: dict[str, Shared] = field(default_factory=dict)
    active: str = ""
    opengl: bool = True
    driver_reorders: bool = True
    """Whether the driver gives the channel order that was asked for, or always the texture's own."""
    counts_frames: bool = False
    """Whether the user switched frame counting on: then a look finds a new picture only if one was sent."""
    now_ns: int = 0
    """The time of the sources on this machine. It moves by hand."""
    takes_pictures: bool = True
    announces: bool = True
    """Whether isUpdated tells of a change of size."""
    broken: Exception | None = None
    """What receiveImage raises."""
    made: list[str] = field(default_factory=list)
    """Every sender and receiver object, registration and release, in order."""
    free: threading.Event = field(default_factory=threading.Event)
    """While clear, sendImage hangs in the driver."""
    changed: threading.Condition = field(default_factory=threading.Condition)
    contexts: dict[int, int] = field(default_factory=dict)
    """Thread -> how many OpenGL contexts it has."""
    handles: int = 0

    def __post_init__(self) -> None:
        self.free.set()

    def module(self, name: str = "") -> Any:
        """What `import SpoutGL` gives; to be handed in as the loader."""
        return FakeSpout(self)

    def send(self, name: str, rgba: NDArray[np.uint8], dxgi: int = DXGI_BGRA, signal: bool | None = None) -> None:
        """Another program sends a picture."""
        old = self.shared.get(name)
        if old is None or old.texture.shape != rgba.shape or old.dxgi != dxgi:
            self.handles += 1
            self.shared[name] = Shared(rgba.copy(), dxgi, self.handles, 1, signal)
            self.active = self.active or name
        else:
            old.texture, old.frame, old.signalled = rgba.copy(), old.frame + 1, signal
        with self.changed:
            self.changed.notify_all()

    def close(self, name: str) -> None:
        """Another program ends."""
        del self.shared[name]
        if self.active == name:
            self.active = next(iter(self.shared), "")

    def wait_for(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Until it holds, looked at after every picture that was sent."""
        with self.changed:
            assert self.changed.wait_for(lambda: bool(condition()), seconds), "this never came true"


class FakeSpout:
    def __init__(self, world: World) -> None:
        self.SpoutSender: Callable[[], FakeSender] = partial(FakeSender, world)
        self.SpoutReceiver: Callable[[], FakeReceiver] = partial(FakeReceiver, world)


class Recorded:
    """Only recorded methods, only with arguments that the binding takes, only on the thread that made the object."""

    RECORD = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.thread = threading.get_ident()
        world.made.append(self.RECORD)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_"):
            raise AttributeError(method)
        kinds = recorded()[self.RECORD].get(method)
        if kinds is None:
            raise AttributeError(f"{self.RECORD} has no {method}")

        def call(*arguments: object) -> Any:
            assert threading.get_ident() == self.thread, f"{method} on a thread that did not make the object"
            needed = sum(not optional for _, optional in kinds)
            good = needed <= len(arguments) <= len(kinds) and all(map(fits, arguments, [kind for kind, _ in kinds]))
            if not good:
                raise TypeError(f"{method}(): incompatible function arguments {arguments}")
            return getattr(self, f"_{method}")(*arguments)

        return call

    def _createOpenGL(self) -> bool:
        if self.world.opengl:
            self.world.contexts[self.thread] = self.world.contexts.get(self.thread, 0) + 1
        return self.world.opengl

    def _closeOpenGL(self) -> bool:
        self.world.contexts[self.thread] -= 1
        return True

    def _needs_context(self) -> None:
        assert self.world.contexts.get(self.thread, 0) > 0, "this thread has no OpenGL context"

    def _getActiveSender(self) -> object:
        return self.world.active or None


class FakeSender(Recorded):
    RECORD = "SpoutSender"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.wanted = self.real = ""

    def _setSenderName(self, name: str) -> None:
        self.wanted = name

    def _sendImage(self, buffer: Any, width: int, height: int, gl_format: int, invert: bool, fbo: int) -> bool:
        self._needs_context()
        pixels = _as_picture(buffer, width, height, gl_format)
        self.world.free.wait(20)
        if width == 0 or height == 0 or not self.world.takes_pictures:
            return False
        if not self.real:
            self.real = self.wanted
            number = 0
            while self.real in self.world.shared:  # the caller is not informed of the other name
                number += 1
                self.real = f"{self.wanted}_{number}"
            self.world.made.append(f"registered {self.real}")
        rgba = np.full((height, width, 4), 255, np.uint8)
        for channel, place in enumerate(ORDERS[gl_format]):
            rgba[..., place] = pixels[..., channel]
        self.world.send(self.real, rgba[::-1] if invert else rgba)
        return True

    def _setFrameSync(self, name: str) -> None:
        self.world.shared[name].signalled = True

    def _releaseSender(self) -> None:
        if self.real:
            self.world.close(self.real)
            self.world.made.append(f"released {self.real}")
            self.real = ""


class FakeReceiver(Recorded):
    RECORD = "SpoutReceiver"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.wanted = ""
        self.staged: NDArray[np.uint8] | None = None
        """The picture of the previous read. It is handed over by the next one."""
        self.following: tuple[str, int] | None = None
        """Name and texture."""
        self.width = self.height = self.seen = 0
        self.updated = self.connected = False
        self.new = True  # true without a sender as well

    def _setReceiverName(self, name: str) -> None:
        self.wanted = name

    def _receiveImage(self, buffer: Any, gl_format: int, invert: bool, fbo: int) -> bool:
        self._needs_context()
        if self.world.broken is not None:
            raise self.world.broken
        target = None
        if buffer is not None and len(buffer) > 0:
            target = _as_picture(buffer, self.width, self.height, gl_format)
        self.updated = False
        name = self.wanted or self.world.active
        shared = self.world.shared.get(name)
        if shared is None or shared.dxgi not in OPENED:
            self._releaseReceiver()
            return False
        self.connected = True
        height, width = shared.texture.shape[:2]
        if self.following != (name, shared.handle):
            self.updated = self.world.announces or self.following is None
            self.following, self.width, self.height, self.seen = (name, shared.handle), width, height, 0
            self.new, self.staged = False, None
            return True  # without a picture: the buffer may have the wrong size
        self.new = not self.world.counts_frames or shared.frame != self.seen
        if target is not None and self.new:
            self.seen = shared.frame
            asked = ORDERS[gl_format]
            if not self.world.driver_reorders:
                asked = ORDERS[GL_RGBA if shared.dxgi == DXGI_RGBA else GL_BGRA][: len(asked)]
            target[:] = 0 if self.staged is None else self.staged
            self.staged = (shared.texture[::-1] if invert else shared.texture)[..., asked].copy()
        return True

    def _releaseReceiver(self) -> None:
        self.following, self.width, self.height, self.staged = None, 0, 0, None
        self.updated, self.connected, self.new = False, False, True

    def _isUpdated(self) -> bool:
        updated, self.updated = self.updated, False
        return updated

    def _isConnected(self) -> bool:
        return self.connected

    def _isFrameNew(self) -> bool:
        return self.new

    def _getSenderWidth(self) -> int:
        return self.width

    def _getSenderHeight(self) -> int:
        return self.height

    def _getSenderName(self) -> int:
        return self.width  # the binding's mistake

    def _getSenderFormat(self) -> int:
        return self.world.shared[self.following[0]].dxgi if self.following else 0

    def _getSenderList(self) -> list[str]:
        return list(self.world.shared)

    def _waitFrameSync(self, name: str, timeout: int = 0) -> bool:
        shared = self.world.shared.get(name)
        if shared is None or not shared.signalled:
            return False  # at once, never after the timeout: this world has no time
        shared.signalled = False
        return True


def _as_picture(buffer: Any, width: int, height: int, gl_format: int) -> NDArray[np.uint8]:
    """The bytes of any buffer, whatever their type, as `[H, W, channels]`."""
    if gl_format not in ORDERS:
        raise ValueError("Unknown GL format")
    needed = width * height * len(ORDERS[gl_format])
    view = memoryview(buffer)
    if view.nbytes < needed:
        raise BufferError("Buffer not large enough")
    if not view.c_contiguous:
        raise BufferError("Buffer must be contiguous")
    if needed == 0:
        return np.zeros((height, width, len(ORDERS[gl_format])), np.uint8)
    return np.frombuffer(view.cast("B"), np.uint8)[:needed].reshape(height, width, -1)
