"""Names of ports: the same for a device wherever it is plugged in."""

from __future__ import annotations

from streamvace.midi.port_names import numbered, out_name, plain


def test_a_device_keeps_its_name_on_windows_whatever_is_plugged_in_before_it() -> None:
    assert plain(["nanoKONTROL2 0"], "win32") == ["nanoKONTROL2"]
    assert plain(["loopMIDI Port 0", "nanoKONTROL2 1"], "win32") == ["loopMIDI Port", "nanoKONTROL2"]


def test_only_the_place_is_left_out_of_a_name() -> None:
    assert plain(["Port 1 0", "Port 1 1", "Port 1"], "win32") == ["Port 1", "Port 1", "Port 1"]
    assert plain(["Port 0"], "linux") == ["Port 0"]


def test_a_device_is_sent_to_although_its_output_stands_at_another_place() -> None:
    ins = numbered(plain(["Launchpad 0", "MIDIIN2 (Launchpad) 1"], "win32"))
    outs = numbered(plain(["Microsoft GS Wavetable Synth 0", "Launchpad 1", "MIDIOUT2 (Launchpad) 2"], "win32"))
    assert [outs.index(out_name(name)) for name in ins] == [1, 2]


def test_two_devices_of_a_kind_have_two_names() -> None:
    assert numbered(plain(["Keys 0", "Keys 1"], "win32")) == ["Keys", "Keys (2)"]
