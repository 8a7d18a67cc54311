"""The addresses of other programs, and what they mean here."""

from __future__ import annotations

import pytest

import osc_schema
from streamvace.control.aliases import QLAB, meant

MEANT: list[tuple[str, tuple[object, ...], tuple[str, tuple[object, ...]] | None]] = [
    ("/go", (), ("cue/go", ())),
    ("/go", (0.0,), ("cue/go", (0.0,))),
    ("/cue/selected/start", (), ("cue/go", ())),
    ("/cue/2.5/start", (), ("cue/recall", ("2.5",))),
    ("/cue/2.5/start", (1,), ("cue/recall", ("2.5",))),
    ("/cue/2.5/start", (0.0,), ("cue/go", (0.0,))),
    ("/cue/dusk/go", (), ("cue/recall", ("dusk",))),
    ("/workspace/Show 1/cue/7/start", (), ("cue/recall", ("7",))),
    ("/playhead/next", (), ("cue/standby_next", ())),
    ("/playhead/previous", (), ("cue/standby_previous", ())),
    ("/playhead/12", (), ("cue/standby", ("12",))),
    ("/panic", (), ("cue/stop", ())),
    ("/cue/7/stop", (), None),
    ("/cue/a/b/start", (), None),
    ("/gone", (), None),
    ("/workspace/go", (), None),
]


@pytest.mark.parametrize(("address", "arguments", "command"), MEANT, ids=[f"{row[0]} {row[1]}" for row in MEANT])
def test_a_message_of_another_program_means_a_command(
    address: str, arguments: tuple[object, ...], command: tuple[str, tuple[object, ...]] | None
) -> None:
    wanted = None if command is None else (f"/streamvace/{command[0]}", command[1])
    assert meant(address, arguments) == wanted


def test_every_alias_is_one_of_a_command_and_listed_on_the_page_about_cues() -> None:
    page = (osc_schema.PATH.parent.parent / "docs" / "cues.md").read_text(encoding="utf-8")
    for theirs, ours in QLAB:
        assert f"/streamvace/{ours}" in osc_schema.by_address()
        assert theirs.replace("{cue}", "2.5") in page
