"""Published files keep the content of their first download, or what the manifest knows."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import pytest

import streamvace
from streamvace.models import pins
from streamvace.models.pins import LOCK, check_pin, pin_of
from streamvace.system.errors import UserError

FILE, COMMIT = "someone/network/model.safetensors", "a" * 40


def download(folder: Path, content: bytes) -> Path:
    path = folder / "download"
    path.write_bytes(content)
    return path


def test_the_first_download_is_recorded_and_later_ones_are_compared(tmp_path: Path) -> None:
    assert pin_of(tmp_path, FILE) is None
    check_pin(tmp_path, FILE, COMMIT, download(tmp_path, b"weights"))
    check_pin(tmp_path, "someone/network/config.json", COMMIT, download(tmp_path, b"{}"))
    pin = pin_of(tmp_path, FILE)
    assert pin is not None
    assert (pin.commit, pin.sha256) == (COMMIT, hashlib.sha256(b"weights").hexdigest())
    check_pin(tmp_path, FILE, COMMIT, download(tmp_path, b"weights"))
    changed = download(tmp_path, b"other weights")
    with pytest.raises(UserError, match="the first download had") as refused:
        check_pin(tmp_path, FILE, COMMIT, changed)
    assert "\n" not in str(refused.value)
    assert hashlib.sha256(b"other weights").hexdigest()[:12] in str(refused.value)
    assert not changed.exists()
    assert pin_of(tmp_path, FILE) == pin


def test_the_manifest_comes_before_the_first_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"commit": COMMIT, "sha256": hashlib.sha256(b"weights").hexdigest()}
    monkeypatch.setattr(pins, "pins", lambda: {FILE: known})
    check_pin(tmp_path, FILE, COMMIT, download(tmp_path, b"weights"))
    assert not (tmp_path / LOCK).exists()
    with pytest.raises(UserError, match=f"expects {known['sha256'][:12]}.*update streamvace"):
        check_pin(tmp_path, FILE, COMMIT, download(tmp_path, b"other weights"))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"\xff", b"[" * 100_000, b'{"a": 1}', b'{"a": {"commit": "main", "sha256": "1"}}'],
)
def test_a_damaged_lock_is_one_line_with_the_fix(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK).write_bytes(content)
    with pytest.raises(UserError, match=r"cannot be read.*delete it") as refused:
        pin_of(tmp_path, FILE)
    assert "\n" not in str(refused.value)


def test_no_library_runs_code_that_comes_with_a_model() -> None:
    calls = [
        (path.name, {keyword.arg: getattr(keyword.value, "value", None) for keyword in node.keywords})
        for path in Path(streamvace.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "from_pretrained"
    ]
    assert len(calls) >= 2
    for name, keywords in calls:
        assert keywords.get("trust_remote_code", True) is False, name
        assert keywords.get("local_files_only") is True, name
