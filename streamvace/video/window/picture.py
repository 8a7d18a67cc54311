"""One picture on a window's OpenGL context: a texture, copied to the screen in its aspect ratio."""

from __future__ import annotations

from ctypes import POINTER, byref, c_ubyte
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyglet import gl

from streamvace.video.window.geometry import letterbox


class WindowPicture:
    """A texture behind a framebuffer. Copying between framebuffers flips, scales and filters without a shader."""

    def __init__(self, window: Any) -> None:
        """window: a pyglet window whose context is current."""
        self._window = window
        self._size = (0, 0)
        self._texture = gl.GLuint()
        self._framebuffer = gl.GLuint()
        gl.glGenTextures(1, byref(self._texture))
        gl.glGenFramebuffers(1, byref(self._framebuffer))

    def upload(self, pixels: NDArray[np.uint8]) -> None:
        """pixels: uint8 `[H, W, 4]` RGBA, C-contiguous. Alpha is not shown."""
        size = (pixels.shape[1], pixels.shape[0])
        data = pixels.ctypes.data_as(POINTER(c_ubyte))
        gl.glBindTexture(gl.GL_TEXTURE_2D, self._texture)
        gl.glPixelStorei(gl.GL_UNPACK_ALIGNMENT, 4)
        if size == self._size:
            gl.glTexSubImage2D(gl.GL_TEXTURE_2D, 0, 0, 0, *size, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, data)
            return
        self._size = size
        # RGB8 drops alpha on upload, so that it cannot reach the screen.
        gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGB8, *size, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, data)
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MAX_LEVEL, 0)  # no mipmaps, or the texture is incomplete
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MIN_FILTER, gl.GL_LINEAR)
        gl.glTexParameteri(gl.GL_TEXTURE_2D, gl.GL_TEXTURE_MAG_FILTER, gl.GL_LINEAR)
        gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, self._framebuffer)
        gl.glFramebufferTexture2D(gl.GL_READ_FRAMEBUFFER, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, self._texture, 0)
        gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, 0)

    def draw(self) -> None:
        """Draw the picture in the middle of the window, on black; all black before the first picture."""
        gl.glBindFramebuffer(gl.GL_DRAW_FRAMEBUFFER, 0)
        gl.glClearColor(0.0, 0.0, 0.0, 1.0)
        gl.glClear(gl.GL_COLOR_BUFFER_BIT)
        if self._size == (0, 0):
            return
        width, height = self._size
        left, bottom, right, top = letterbox(self._size, self._window.get_framebuffer_size())
        exact = (right - left, top - bottom) == self._size
        gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, self._framebuffer)
        # Row 0 of the texture is the top of the picture: top and bottom of the target are swapped.
        gl.glBlitFramebuffer(
            0, 0, width, height, left, top, right, bottom,
            gl.GL_COLOR_BUFFER_BIT, gl.GL_NEAREST if exact else gl.GL_LINEAR,
        )  # fmt: skip
        gl.glBindFramebuffer(gl.GL_READ_FRAMEBUFFER, 0)
