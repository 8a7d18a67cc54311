"""The part of SpoutGL 0.1.1 that is used, as types (the package has none). Windows only.

Every call belongs on the thread that called `createOpenGL`. It makes a hidden window with the OpenGL context that all
other calls need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from streamvace.video.core.shared_texture import require_system

GL_RGBA = 0x1908
GL_BGRA = 0x80E1

DXGI_BGRA, DXGI_BGRX = 87, 88
"""DirectX formats of eight bits in the order BGRA; in BGRX the fourth byte means nothing. Spout opens none of their
sRGB kinds."""

own_senders: set[str] = set()
"""Names of our own senders, so that `spout:` without a name does not receive our own output."""


class Context(Protocol):
    def createOpenGL(self) -> bool: ...

    def closeOpenGL(self) -> bool: ...


class Sender(Context, Protocol):
    """One texture for other programs. They see it from the first sendImage on."""

    def setSenderName(self, name: str, /) -> None: ...

    def releaseSender(self) -> None: ...

    def sendImage(
        self, buffer: NDArray[np.uint8], width: int, height: int, gl_format: int, invert: bool, host_fbo: int, /
    ) -> bool: ...

    def setFrameSync(self, name: str, /) -> None: ...


class Receiver(Context, Protocol):
    """Follows one sender. `getSenderName` is left out on purpose: it returns the width."""

    def setReceiverName(self, name: str, /) -> None: ...

    def releaseReceiver(self) -> None: ...

    def receiveImage(
        self, buffer: NDArray[np.uint8] | None, gl_format: int, invert: bool, host_fbo: int, /
    ) -> bool: ...

    def isUpdated(self) -> bool:
        """Whether the sender or its size changed since the last call."""

    def isConnected(self) -> bool: ...

    def isFrameNew(self) -> bool:
        """Also true while there is no sender."""

    def getSenderWidth(self) -> int: ...

    def getSenderHeight(self) -> int: ...

    def getSenderFormat(self) -> int: ...

    def getSenderList(self) -> list[str]: ...

    def getActiveSender(self) -> object: ...

    def waitFrameSync(self, senderName: str, timeout: int = 0) -> bool:
        """timeout: milliseconds. False at once for a sender that gives no signal, as most do."""


class SpoutModule(Protocol):
    """The module itself."""

    def SpoutSender(self) -> Sender: ...

    def SpoutReceiver(self) -> Receiver: ...


def load_spout(name: str = "") -> SpoutModule:
    """The SpoutGL module. Raises UserError on systems other than Windows and without the package.

    name: of the sender the user asked for; it is used in the message.
    """
    require_system("win32", "Spout", name)
    try:
        import SpoutGL
    except ImportError as error:
        raise UserError(
            f"Spout is not installed ({error}); run: {install_command('spout')} (Python 3.10 to 3.13)"
        ) from error
    module: Any = SpoutGL
    loaded: SpoutModule = module
    return loaded


@contextmanager
def opengl(device: Context, release: Callable[[], None]) -> Iterator[None]:
    """The OpenGL context of a sender or a receiver, for the calling thread; at the end, `release` and close it.

    Raises RuntimeError when the driver makes none.
    """
    if not device.createOpenGL():
        raise RuntimeError("no OpenGL context")
    try:
        yield
    finally:
        release()
        device.closeOpenGL()


def driver_fix(name: str) -> str:
    """What to do when Spout does not work. name: of the sender the user asked for."""
    return f"update the graphics driver or restart it (Win+Ctrl+Shift+B), or use ndi:{name or 'NAME'} instead"
