"""Sheets are written under any name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.embedded.train.sheets import write_sheet


def test_a_sheet_is_written_under_a_name_that_windows_cannot_write_in_its_code_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2, "imwrite", lambda *_: False)  # as OpenCV answers on Windows
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[..., 0] = 200
    path = tmp_path / "Gesch\u00e4ft \u821e\u53f0.png"
    write_sheet(path, picture)
    read = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert read is not None
    assert np.array_equal(read[..., ::-1], picture)
