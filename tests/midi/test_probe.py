"""The devices of a machine, asked in a process that may end."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamvace.midi.probe import found_devices
from streamvace.system.errors import UserError


def library(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (folder / "rtmidi2.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_devices_are_listed_whatever_the_library_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(
        tmp_path, monkeypatch, "def get_in_ports():\n    print('hello')\n    return ['Keys 20:0', 'Twister 24:0']\n"
    )
    assert found_devices() == ("Keys 20:0", "Twister 24:0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "def get_in_ports(): raise RuntimeError('no\\nsequencer')\n",
            r"MIDI cannot be opened \(RuntimeError: no sequencer\)",
        ),
        ("def get_in_ports():\n    import os; os.abort()\n", "the MIDI library ended with code"),
    ],
)
def test_a_machine_without_midi_is_one_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(tmp_path, monkeypatch, text)
    with pytest.raises(UserError, match=said):
        found_devices()
