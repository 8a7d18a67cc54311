"""The program accepts the commands that README, docs and help tell people to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from streamvace import cli
from streamvace.control.commands import Commands
from streamvace.control.cue_file import built_in_cues
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue
from streamvace.control.fades import Fade
from streamvace.control.parameters import Parameters
from streamvace.control.prompt_list import PROMPTS_IN_TURN
from streamvace.control.reference_list import EDITS, REFERENCES
from streamvace.midi.commands import midi_commands
from streamvace.midi.desk import Desk
from streamvace.osc.codec import encode_message
from streamvace.osc.inbox import Inbox
from tests.control.coerced import coerced

ROOT = Path(__file__).resolve().parents[1]
PAGES = {page.name: page.read_text("utf-8") for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
HELP = {"run --help": cli.RUN_EXAMPLES, "render --help": cli.RENDER_EXAMPLES}


def written(beginning: str) -> Iterator[list[str]]:
    """The words after this beginning of a command, in code blocks and inline code. A dash of the prose, `...` or a
    comment ends the command."""
    for text in (*PAGES.values(), *HELP.values()):
        # inline code may continue on the next line
        for match in re.finditer(rf"(?:^ *|`){beginning}\s(?P<words>[^`\n]*(?:(?<!\n)\n[^`\n]*(?=`))?)", text, re.M):
            words = shlex.split(match["words"], comments=True)
            yield words[: words.index("...")] if "..." in words else words


SHOWS = [
    words
    for beginning in ("streamvace", r"(?:python|\.venv/bin/python) plugin/bootstrap\.py")
    for words in written(beginning)
    if words[:1] == ["run"] or (words[:1] == ["render"] and len(words) > 1)  # `render` alone is its name
]
OSC = list(written(r"oscsend localhost 7700"))
TAGS: dict[str, Callable[[str], object]] = {"i": int, "f": float, "s": str}


def test_there_are_commands_to_check() -> None:
    assert len(SHOWS) > 25
    assert len(OSC) > 30


@pytest.mark.parametrize("words", SHOWS, ids=" ".join)
def test_every_written_option_exists(
    words: Sequence[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("streamvace.live.app.run", lambda options: 0)
    monkeypatch.setattr("streamvace.live.offline.render.render_clip", lambda options: 0)
    assert cli.main(words) == 0, capsys.readouterr().err


@pytest.mark.parametrize("words", OSC, ids=" ".join)
def test_every_written_osc_message_is_valid(words: Sequence[str]) -> None:
    address, tags, texts = words[0], (words[1] if len(words) > 1 else ""), iter(words[2:])
    arguments = [tag == "T" if tag in "TF" else TAGS[tag](next(texts)) for tag in tags]
    assert next(texts, None) is None
    parameters = Parameters({REFERENCES: ("a.png", "b.png"), PROMPTS_IN_TURN: ("a", "b")}, edits=EDITS)
    named = [
        Cue(name, coerced({"/streamvace/seed": 1, "/streamvace/context_scale": 1.0}))
        for name in ("neon tunnel", "what you see now")
    ]
    cues = CueList((*named, *built_in_cues("embedded", parameters.schema)))
    cues.recall("neon tunnel")
    cues.edit("neon tunnel", lambda cue: replace(cue, fade=Fade(1.0), number=2.5))
    parameters.set("/streamvace/seed", (1,), "somebody")
    midi = midi_commands(create_autospec(Desk, instance=True), parameters.schema, lambda: True)
    inbox = Inbox(parameters, commands=Commands(parameters, cues, more=midi))
    inbox.take(encode_message(address, *arguments), ("127.0.0.1", 5000))
    outcome = inbox.flush()
    assert outcome.complaints == {}
    assert inbox.counters.messages == 1
    assert inbox.counters.clamped == inbox.counters.unknown == inbox.counters.refused == 0
