"""A damaged index of shards is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamvace.model.stored import StoredTensors
from streamvace.system.errors import UserError


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 100_000, "Invalid JSON: recursion limit exceeded"),
        (b'{"weight_map": ' + b'{"a": ' * 3 + b"1" + b"}" * 4, r"weight_map\.a: Input should be a valid string"),
        (b'{"weight_map": {"a": 5, "b": 6}}', r"weight_map\.a: Input should be a valid string"),
        (b'{"weight_map": {"a": "w.safetensors", "b": null}}', r"weight_map\.b: Input should be a valid string"),
        (b'{"weight_map": 1e999}', "weight_map: Input should be an object"),
        (b'{"metadata": {}}', "weight_map: Field required"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"", "Invalid JSON"),
    ],
)
def test_a_damaged_index_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "w.safetensors.index.json").write_bytes(content)
    with pytest.raises(UserError, match=message) as refusal:
        StoredTensors(tmp_path / "w.safetensors.index.json")
    assert "cannot read the index" in str(refusal.value)
    assert "\n" not in str(refusal.value)
