"""The command that the component starts, and its environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from streamvace_td.launch import Settings, command, environment, options, remote_command, split_options
from typer.testing import CliRunner

import osc_schema
from streamvace.cli import app
from tests.touchdesigner import ROOT
from tests.touchdesigner.windows_words import WINDOWS_WORDS

PYTHON = Path("/venv/bin/python")


def test_the_command_uses_the_senders_of_the_component() -> None:
    chosen = ("--pipeline", "longlive")
    settings = Settings(ROOT, "spout", "left", 7701, chosen, "512x320", media="/show/media", host_pid=4242)
    line = command(settings, PYTHON)
    assert line[:4] == [str(PYTHON), "-m", "streamvace", "run"]
    pairs = dict(zip(line[4::2], line[5::2], strict=True))
    assert pairs == {
        "--input": "spout:left-control",
        "--output": "spout:left",
        "--host": "127.0.0.1",
        "--osc-port": "7701",
        "--pipeline": "longlive",
        "--size": "512x320",
        "--media": "/show/media",
        "--end-with": "4242",
    }


def test_premultiplied_alpha_is_said_of_both_pictures() -> None:
    line = command(Settings(ROOT, "ndi", "left", premultiplied=True), PYTHON)
    assert line[line.index("--input") + 1] == "ndi:left-control?premultiplied"
    assert line[line.index("--output") + 1] == "ndi:left?premultiplied"
    assert remote_command(Settings(ROOT, "ndi", "my show", premultiplied=True)).endswith(
        '--input "ndi:my show-control?premultiplied" --output "ndi:my show?premultiplied"'
    )


def test_every_option_of_the_command_exists() -> None:
    help_text = CliRunner().invoke(app, ["run", "--help-all"], env={"COLUMNS": "200", "TERM": "dumb"}).output
    used = command(Settings(ROOT, size="64x64", media="m", host_pid=1), PYTHON) + remote_command(Settings(ROOT)).split()
    missing = [part for part in used if part.startswith("--") and part not in help_text]
    assert missing == []


def test_a_parameter_is_an_option_that_the_process_reads_back() -> None:
    from streamvace_td.values import from_osc

    from streamvace.osc.cli_options import parse_cli

    for row in osc_schema.load():
        # A modulator is set while the show runs, never by the options of its start.
        if row.access == "write" and row.type not in ("trigger", "strings", "weighted") and not row.family:
            sent = from_osc(row, osc_schema.flat(row.default))  # type: ignore[arg-type]
            assert sent is not None
            name, *value = options(row, sent)
            said = value[0] if value else ("off" if name.startswith("--no-") else "on")
            assert parse_cli({name.replace("--no-", "--", not value): said})[row.address].value == pytest.approx(
                row.default
            )


def test_a_process_that_stays_ends_with_no_other_process() -> None:
    assert "--end-with" not in command(Settings(ROOT), PYTHON)


def test_more_options_are_parsed_as_on_a_command_line() -> None:
    line = command(Settings(ROOT, options='--lora "my style.safetensors=0.8" --no-web'), PYTHON)
    assert line[-3:] == ["--lora", "my style.safetensors=0.8", "--no-web"]
    with pytest.raises(ValueError, match="More Options"):
        command(Settings(ROOT, options='--prompt "open'), PYTHON)


@pytest.mark.skipif(sys.platform != "win32", reason="Windows' own splitter")
@pytest.mark.parametrize(("text", "words"), WINDOWS_WORDS)
def test_more_options_are_parsed_as_windows_parses_them(text: str, words: list[str]) -> None:
    assert split_options(text) == words


def test_touchdesigners_python_and_libraries_are_hidden_from_the_process(tmp_path: Path) -> None:
    host, other = tmp_path / "TouchDesigner", tmp_path / "other"
    paths = os.pathsep.join(map(str, (host / "bin", other, host)))
    given = {"PATH": paths, "PYTHONPATH": "x", "PYTHONHOME": "y", "HOME": "h"}
    made = environment(Settings(ROOT, host_folder=str(host)), given)
    assert made["PATH"] == str(other)
    assert "PYTHONPATH" not in made
    assert "PYTHONHOME" not in made
    assert (made["HOME"], made["PYTHONUNBUFFERED"]) == ("h", "1")


def test_two_components_have_two_log_files() -> None:
    assert Settings(ROOT, port=7700).log != Settings(ROOT, port=7701).log
