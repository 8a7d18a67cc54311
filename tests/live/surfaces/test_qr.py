"""The QR code of the page's address: read back by OpenCV's reader, as a phone would."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.live.surfaces.qr import qr_lines

ADDRESS = "http://192.168.1.20:8700/?token=Zm9vYmFyYmF6cXV4MTIz"
LIGHT = {"█": (1, 1), "▀": (1, 0), "▄": (0, 1), " ": (0, 0)}


def test_the_lines_are_a_code_that_a_reader_reads() -> None:
    lines = qr_lines(ADDRESS)
    assert len({len(line) for line in lines}) == 1
    modules = np.array([[LIGHT[letter][half] for letter in line] for line in lines for half in (0, 1)], np.uint8)
    picture = cv2.resize(modules * 255, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    text, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert text == ADDRESS
    assert len(lines) <= 24, "it fits a small terminal"
