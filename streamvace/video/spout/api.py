"""The part of SpoutGL 0.1.1 that is used, as types, because the package brings none. Windows only.

Every call belongs on one thread: the one that called `createOpenGL`, which makes a hidden window with the OpenGL
context that all the others need.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install
from streamvace.video.core.shared_texture import require_system

GL_RGBA = 0x1908
GL_BGRA = 0x80E1

DXGI_RGBA = (28, 29)
"""DirectX formats of eight bits in the order RGBA: plain, sRGB."""
DXGI_BGRA = (87, 91)
DXGI_BGRX = (88, 93)
"""As BGRA, but the fourth byte means nothing."""


class Sender(Protocol):
    """Makes one texture known to other programs. It exists for them from the first sendImage on."""

    def createOpenGL(self) -> bool: ...

    def closeOpenGL(self) -> bool: ...

    def setSenderName(self, name: str, /) -> None: ...

    def releaseSender(self) -> None: ...

    def sendImage(
        self, buffer: NDArray[np.uint8], width: int, height: int, gl_format: int, invert: bool, host_fbo: int, /
    ) -> bool: ...

    def setFrameSync(self, name: str, /) -> None: ...


class Receiver(Protocol):
    """Follows one sender. `getSenderName` is left out on purpose: it returns the width."""

    def createOpenGL(self) -> bool: ...

    def closeOpenGL(self) -> bool: ...

    def setReceiverName(self, name: str, /) -> None: ...

    def releaseReceiver(self) -> None: ...

    def receiveImage(
        self, buffer: NDArray[np.uint8] | None, gl_format: int, invert: bool, host_fbo: int, /
    ) -> bool: ...

    def isUpdated(self) -> bool:
        """Whether the sender or its size changed. Asking clears it."""

    def isConnected(self) -> bool: ...

    def isFrameNew(self) -> bool:
        """True as well while there is no sender."""

    def getSenderWidth(self) -> int: ...

    def getSenderHeight(self) -> int: ...

    def getSenderFormat(self) -> int: ...

    def getSenderList(self) -> list[str]: ...

    def getActiveSender(self) -> object: ...

    def waitFrameSync(self, senderName: str, timeout: int = 0) -> bool:
        """Milliseconds. False at once for a sender that signals nothing, and most do not."""


class SpoutModule(Protocol):
    """The module itself."""

    def SpoutSender(self) -> Sender: ...

    def SpoutReceiver(self) -> Receiver: ...


def load_spout(name: str = "") -> SpoutModule:
    """The SpoutGL module. Raises UserError elsewhere than on Windows, and when it is missing.

    name: what the user wanted to reach, for the message.
    """
    require_system("win32", "Spout", name, "ndi")
    try:
        import SpoutGL
    except ImportError as error:
        raise UserError(f"Spout is not installed ({error}); run: {install('spout')} (Python 3.10 to 3.13)") from error
    module: Any = SpoutGL
    loaded: SpoutModule = module
    return loaded


NO_CONTEXT = "Spout cannot make an OpenGL context; update the graphics driver, or use ndi:NAME instead"
NO_ANSWER = "Spout did not answer within {:.0f} s; restart the graphics driver (Win+Ctrl+Shift+B), or use ndi:NAME"


class OwnSenders:
    """Names of our own senders, so that `spout:`, which takes what is there, does not feed our output back to us."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: set[str] = set()

    def add(self, name: str) -> None:
        with self._lock:
            self._names.add(name)

    def discard(self, name: str) -> None:
        with self._lock:
            self._names.discard(name)

    def __contains__(self, name: str) -> bool:
        with self._lock:
            return name in self._names


own_senders = OwnSenders()
