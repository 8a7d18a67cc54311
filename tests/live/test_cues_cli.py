"""The command line of cues: list them, and import the timeline of another program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamvace import cli


def test_a_timeline_is_added_to_the_cue_file_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cues.json").write_text('{"cues": [{"name": "dusk", "number": 2.5, "wait": 1, "at": "bar 17"}]}')
    timeline = tmp_path / "t.json"
    timeline.write_bytes(b'\xef\xbb\xbf{"0": "a cat", "60": "a dog"}')
    folder = str(tmp_path)
    assert cli.main(["cues", "import", str(timeline), "--media", folder, "--rate", "24", "--fade", "2"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["     3  a cat   (at 0 s, fades 2 s)", "     4  a dog   (at 2.5 s, fades 2 s)"]
    assert told[2].endswith("cues.json: 2 cues added; /streamvace/cue/load brings them into a running show")
    assert cli.main(["cues", "list", "--media", folder]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "   2.5  dusk   (at bar 17.1, waits 1 s)"
    assert told[-1].endswith("cues.json: 3 cues")
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith("cues")] == ["cues.json"]


def test_cues_of_a_timeline_can_follow_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    timeline, cues = tmp_path / "t.json", str(tmp_path / "show.json")
    boxes = [{"startTime": 0, "endTime": 4, "prompts": [{"text": "a", "weight": 100}]}]
    timeline.write_text(json.dumps({"prompts": boxes, "version": "2.0"}))
    assert cli.main(["cues", "list", "--cues", cues]) == 0
    assert capsys.readouterr().out.endswith("show.json: there is no cue file yet\n")
    assert cli.main(["cues", "import", str(timeline), "--cues", cues, "--follow"]) == 0
    assert capsys.readouterr().out.startswith("     1  a   (the next after 4 s)")


def test_what_cannot_be_read_or_written_is_one_line_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cues, timeline = tmp_path / "cues.json", tmp_path / "t.json"
    cues.write_text('{"cues": [{"name": "dusk"}]}')
    before = cues.read_text()
    timeline.write_text('{"0": "(cat:`sin(t)`)"}')
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe{")
    (tmp_path / "folder").write_text("a file where a folder should be")
    wrong = [
        (["t.json", "--rate", "24"], "without '`'"),
        (["t.json"], "such as --rate 24"),
        (["bytes.json"], "not UTF-8"),
        (["nowhere.json"], "cannot be read"),
    ]
    for (name, *options), said in wrong:
        assert cli.main(["cues", "import", str(tmp_path / name), "--cues", str(cues), *options]) == 2
        line = capsys.readouterr().err
        assert said in line
        assert line.count("\n") == 1
    timeline.write_text('{"0": "a cat"}')
    elsewhere = str(tmp_path / "folder" / "cues.json")
    assert cli.main(["cues", "import", str(timeline), "--cues", elsewhere, "--rate", "24"]) == 2
    assert cues.read_text() == before
