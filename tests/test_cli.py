"""The command line: helpful, quick, and one line with exit code 2 for errors that the user can fix."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import osc_schema
from streamvace import __version__, cli
from streamvace.live.offline.render import RenderOptions
from streamvace.live.options import RunOptions
from streamvace.records.model_options import LoraChoice
from streamvace.video.film.limits import FileLimits
from tests.control.coerced import plain
from tests.video.helpers import write_clip


def options_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> RunOptions:
    """The options that `streamvace run` would start a show with."""
    held: list[RunOptions] = []

    def hold(options: RunOptions) -> int:
        held.append(options)
        return 0

    monkeypatch.setattr("streamvace.live.app.run", hold)
    assert cli.main(["run", *arguments]) == 0
    return held[0]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of error of a refused command."""
    assert cli.main(list(arguments)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    assert lines[0].startswith("streamvace: ")
    return lines[0]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("can't start new thread"), "can't start new thread"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "Resource temporarily unavailable"),
    ],
)
def test_a_limit_on_threads_is_one_line(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(options: RunOptions) -> int:
        raise error

    monkeypatch.setattr("streamvace.live.app.run", run)
    line = refused(capsys, "run")
    assert said in line
    assert line.endswith("end other programs, or raise its limit")
    monkeypatch.setattr("streamvace.live.app.run", lambda options: (_ for _ in ()).throw(RuntimeError("a fault")))
    with pytest.raises(RuntimeError, match="a fault"):
        cli.main(["run"])


def test_run_without_options_uses_the_built_in_model_the_pattern_and_a_local_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert options_of(monkeypatch) == RunOptions()
    assert RunOptions().host == "127.0.0.1"


def test_options_reach_the_show(monkeypatch: pytest.MonkeyPatch) -> None:
    options = options_of(
        monkeypatch,
        *(
            "--input",
            "clip.mp4",
            "-i",
            "camera:0",
            "--output",
            "null",
            "-o",
            "window",
            "--size",
            "512x320",
        ),
        *("--duration", "5", "--stats", "s.json", "--no-web", "--osc-port", "0", "--device", "cpu", "--threads", "2"),
    )
    assert (options.inputs, options.outputs) == (("clip.mp4", "camera:0"), ("null", "window"))
    assert options.size == (512, 320)
    assert (options.duration_s, options.stats, options.web_port) == (5.0, Path("s.json"), -1)
    assert (options.osc_port, options.model.device, options.model.threads) == (0, "cpu", 2)


def test_loras_and_offload_reach_the_model_of_both_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    said = (
        "--lora",
        "a.safetensors",
        "--lora",
        "b.safetensors=-0.5:side",
        "--offload",
        "context",
        "--compile",
        "blocks",
        "--cuda-graphs",
        "off",
        "--context-device",
        "cuda:1",
    )
    rendered: list[RenderOptions] = []
    monkeypatch.setattr("streamvace.live.offline.render.render_clip", lambda options: rendered.append(options) or 0)
    assert cli.main(["render", "-i", "a.mp4", "-o", "b.mp4", *said]) == 0
    for model in (options_of(monkeypatch, *said).model, rendered[0].model):
        assert model.loras == (LoraChoice(Path("a.safetensors")), LoraChoice(Path("b.safetensors"), -0.5, "side"))
        assert (model.offload, model.compile, model.cuda_graphs) == ("context", "blocks", "off")
        assert model.context_device == model.first_device == "cuda:1"


def test_the_latency_reaches_the_model_of_both_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[RenderOptions] = []
    monkeypatch.setattr("streamvace.live.offline.render.render_clip", lambda options: rendered.append(options) or 0)
    assert cli.main(["render", "-i", "a.mp4", "-o", "b.mp4", "--latency", "low"]) == 0
    assert options_of(monkeypatch, "--latency", "low").model.latency == rendered[0].model.latency == "low"
    assert options_of(monkeypatch).model.latency == "normal"


def test_the_media_folder_reaches_both_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[RenderOptions] = []
    monkeypatch.setattr("streamvace.live.offline.render.render_clip", lambda options: rendered.append(options) or 0)
    assert cli.main(["render", "-i", "a.mp4", "-o", "b.mp4", "--media", "pictures"]) == 0
    assert options_of(monkeypatch, "--media", "pictures").media == rendered[0].media == Path("pictures")


def test_every_parameter_of_the_schema_is_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    options = options_of(
        monkeypatch,
        *("--prompt", "a blue cube", "--context-scale", "0.8", "--seed", "7", "--mask-source", "alpha"),
        *("--no-control", "--mask-invert", "--hold-mode", "pingpong", "--no-pause"),
        *(
            "--blackout",
            "--freeze",
            "--fade-time",
            "4",
            "--no-auto-follow",
            "--cue-loop",
            "yours",
            "--qlab-addresses",
            "--prompt-list-prompts",
            "a",
        ),
        *("--prompt-list-prompts", "b", "--no-prompt-list-on", "--prompt-list-step", "2"),
        *("--prompt-list-unit", "bars", "--prompt-list-fade", "1"),
        *("--lora-strength", "0.5", "--lora-region", "mask", "--past-bias", "0.3"),
        *("--video-to-video", "--noise-scale", "0.4", "--follow-motion"),
        *("--prompts", "red glass=0.25", "--prompts", "neon blue=0.75", "--prompt-blend", "slerp"),
        *(
            "--pipeline",
            "longlive",
            "--latency",
            "normal",
            "--denoise-steps",
            "2",
            "--midi-input",
            "all",
            "--tempo-master",
            "own",
            "--tempo-bpm",
            "128",
            "--tempo-beats-a-bar",
            "3",
            "--quantise",
            "bar",
            "--prompt-transition",
            "4",
            "--prompt-transition-unit",
            "chunks",
        ),
        *("--input-control", "2", "--input-mask", "ndi:matte", "--input-source", "pattern:scene"),
        *("--record", "--record-file", "take.mov"),
        *("--references", "cat.png", "--references", "a hat.jpg", "--reference-mode", "memory"),
        *("--control-timing", "ahead", "--output-rate", "60"),
        *(
            "--input-second",
            "3",
            "--input-scale",
            "4",
            "--second-control-weight",
            "0.25",
            "--second-control-kind",
            "edges",
            "--scale-map",
            "luma",
        ),
        *("--block-curve", "early", "--block-contrast", "0.5"),
        *("--second-control-kind", "edges"),
        *("--hint-reuse", "2", "--hint-threshold", "0.1", "--history-hints"),
        *("--first-frame", "a.png", "--last-frame", "b.png", "--anchor-standing"),
        *("--re-anchor-auto", "--re-anchor-as", "reference"),
        *("--outpaint-on", "--outpaint-x", "0.25", "--outpaint-y", "0.75", "--outpaint-scale", "0.6"),
        *("--control-kind", "edges", "--edges-sensitivity", "0.7", "--edges-width", "5", "--flow-scale", "1.5"),
        *("--depth-smoothing", "2", "--layout-boxes", "0 0 0.5 0.5", "--layout-glide", "1", "--layout-trail", "2"),
        *("--pose-people", "3", "--pose-details", "hands", "--mask-second", "luma", "--mask-combine", "intersection"),
        *("--mask-grow", "-3", "--mask-feather", "8", "--mask-hold", "0.5", "--mask-luma-low", "0.25"),
        *("--mask-luma-high", "0.75", "--mask-softness", "0.2", "--mask-chroma-hue", "240"),
        *("--mask-chroma-tolerance", "0.6", "--mask-chroma-spill", "1", "--mask-motion-sensitivity", "0.9"),
        *("--mask-confidence", "0.6", "--mask-classes", "person", "--mask-classes", "dog", "--mask-model", "y.onnx"),
        *("--composite", "--composite-feather", "4", "--output-alpha", "mask", "--follow-cuts", "hard"),
        *("--output-brightness", "0.5", "--output-saturation", "1.5", "--output-hue", "-30", "--output-zoom", "2"),
        *("--output-trail", "0.5", "--output-control", "0.25"),
        *("--mod", "2 source=osc shape=decay rate=2 length=bar phase=0.5 target=output/hue low=-0.1 high=0.2"),
        *("--mod", "2 invert=on curve=ease attack=1 release=2 value=0.5 osc_address=/x osc_low=1 osc_high=2"),
        *("--output-screen", "halftone", "--output-screen-cells", "40", "--output-screen-mix", "0.75"),
        *("--mod", "2 band=hits", "--sound-input", "Scarlett", "--output-motion", "flow"),
        *("--reset-fade", "1.5"),
        *("--dmx-input", "artnet", "--dmx-universe", "9", "--dmx-channel", "101", "--dmx-mode", "16_bit"),
        *("--dmx-merge", "ltp", "--dmx-lost-cue", "dusk"),
    )
    assert plain(options.parameters) == {
        "/streamvace/prompt": "a blue cube",
        "/streamvace/context_scale": 0.8,
        "/streamvace/seed": 7,
        "/streamvace/mask_source": "alpha",
        "/streamvace/control": False,
        "/streamvace/mask_invert": True,
        "/streamvace/hold_mode": "pingpong",
        "/streamvace/blackout": True,
        "/streamvace/freeze": True,
        "/streamvace/fade_time": 4.0,
        "/streamvace/auto_follow": False,
        "/streamvace/cue_loop": "yours",
        "/streamvace/qlab_addresses": True,
        "/streamvace/prompt_list/prompts": ("a", "b"),
        "/streamvace/prompt_list/on": False,
        "/streamvace/prompt_list/step": 2.0,
        "/streamvace/prompt_list/unit": "bars",
        "/streamvace/prompt_list/fade": 1.0,
        "/streamvace/pause": False,
        "/streamvace/lora_strength": 0.5,
        "/streamvace/lora_region": "mask",
        "/streamvace/past_bias": 0.3,
        "/streamvace/video_to_video": True,
        "/streamvace/noise_scale": 0.4,
        "/streamvace/follow_motion": True,
        "/streamvace/prompts": (("red glass", 0.25), ("neon blue", 0.75)),
        "/streamvace/prompt_blend": "slerp",
        "/streamvace/midi/input": "all",
        "/streamvace/tempo/master": "own",
        "/streamvace/tempo/bpm": 128.0,
        "/streamvace/tempo/beats_a_bar": 3,
        "/streamvace/quantise": "bar",
        "/streamvace/denoise_steps": 2,
        "/streamvace/pipeline": "longlive",
        "/streamvace/latency": "normal",
        "/streamvace/prompt_transition": 4.0,
        "/streamvace/prompt_transition_unit": "chunks",
        "/streamvace/input/control": "2",
        "/streamvace/input/mask": "ndi:matte",
        "/streamvace/input/source": "pattern:scene",
        "/streamvace/record": True,
        "/streamvace/record_file": "take.mov",
        "/streamvace/references": ("cat.png", "a hat.jpg"),
        "/streamvace/reference_mode": "memory",
        "/streamvace/control_timing": "ahead",
        "/streamvace/follow_cuts": "hard",
        "/streamvace/output_rate": 60.0,
        "/streamvace/input/second": "3",
        "/streamvace/input/scale": "4",
        "/streamvace/second_control/weight": 0.25,
        "/streamvace/second_control/kind": "edges",
        "/streamvace/scale_map": "luma",
        "/streamvace/block_curve": "early",
        "/streamvace/block_contrast": 0.5,
        "/streamvace/hint_reuse": 2,
        "/streamvace/hint_threshold": 0.1,
        "/streamvace/history_hints": True,
        "/streamvace/first_frame": "a.png",
        "/streamvace/last_frame": "b.png",
        "/streamvace/anchor/standing": True,
        "/streamvace/re_anchor_auto": True,
        "/streamvace/re_anchor_as": "reference",
        "/streamvace/outpaint/on": True,
        "/streamvace/outpaint/x": 0.25,
        "/streamvace/outpaint/y": 0.75,
        "/streamvace/outpaint/scale": 0.6,
        "/streamvace/composite": True,
        "/streamvace/composite_feather": 4.0,
        "/streamvace/output_alpha": "mask",
        "/streamvace/output/brightness": 0.5,
        "/streamvace/output/saturation": 1.5,
        "/streamvace/output/hue": -30.0,
        "/streamvace/output/zoom": 2.0,
        "/streamvace/output/trail": 0.5,
        "/streamvace/output/control": 0.25,
        "/streamvace/mod/2/on": True,
        "/streamvace/mod/2/source": "osc",
        "/streamvace/mod/2/shape": "decay",
        "/streamvace/mod/2/rate": 2.0,
        "/streamvace/mod/2/length": "bar",
        "/streamvace/mod/2/phase": 0.5,
        "/streamvace/mod/2/target": "output/hue",
        "/streamvace/mod/2/low": -0.1,
        "/streamvace/mod/2/high": 0.2,
        "/streamvace/mod/2/invert": True,
        "/streamvace/mod/2/curve": "ease",
        "/streamvace/mod/2/attack": 1.0,
        "/streamvace/mod/2/release": 2.0,
        "/streamvace/mod/2/value": 0.5,
        "/streamvace/mod/2/osc_address": "/x",
        "/streamvace/mod/2/osc_low": 1.0,
        "/streamvace/mod/2/osc_high": 2.0,
        "/streamvace/output/screen": "halftone",
        "/streamvace/output/screen_cells": 40.0,
        "/streamvace/output/screen_mix": 0.75,
        "/streamvace/mod/2/band": "hits",
        "/streamvace/sound/input": "Scarlett",
        "/streamvace/dmx/input": "artnet",
        "/streamvace/dmx/universe": 9,
        "/streamvace/dmx/channel": 101,
        "/streamvace/dmx/mode": "16_bit",
        "/streamvace/dmx/merge": "ltp",
        "/streamvace/dmx/lost_cue": "dusk",
        "/streamvace/output_motion": "flow",
        "/streamvace/reset_fade": 1.5,
        "/streamvace/control_kind": "edges",
        "/streamvace/edges/sensitivity": 0.7,
        "/streamvace/edges/width": 5,
        "/streamvace/flow/scale": 1.5,
        "/streamvace/depth/smoothing": 2.0,
        "/streamvace/layout/boxes": ("0 0 0.5 0.5",),
        "/streamvace/layout/glide": 1.0,
        "/streamvace/layout/trail": 2.0,
        "/streamvace/pose/people": 3,
        "/streamvace/pose/details": "hands",
        "/streamvace/mask/second": "luma",
        "/streamvace/mask/combine": "intersection",
        "/streamvace/mask/grow": -3,
        "/streamvace/mask/feather": 8,
        "/streamvace/mask/hold": 0.5,
        "/streamvace/mask/luma_low": 0.25,
        "/streamvace/mask/luma_high": 0.75,
        "/streamvace/mask/softness": 0.2,
        "/streamvace/mask/chroma_hue": 240.0,
        "/streamvace/mask/chroma_tolerance": 0.6,
        "/streamvace/mask/chroma_spill": 1.0,
        "/streamvace/mask/motion_sensitivity": 0.9,
        "/streamvace/mask/confidence": 0.6,
        "/streamvace/mask/classes": ("person", "dog"),
        "/streamvace/mask/model": "y.onnx",
    }
    rows = [row for row in osc_schema.load() if row.access == "write" and row.type != "trigger"]
    holds = {row.address for row in rows if row.number in (0, 2)}
    assert holds == set(options.parameters), "a new parameter of the schema belongs in this test"
    assert options.pipeline == "longlive"


def test_a_value_out_of_range_is_refused_with_what_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "0..2" in refused(capsys, "run", "--context-scale", "9")
    assert "alpha" in refused(capsys, "run", "--mask-source", "beta")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--pipeline", "nope"), "embedded"),
        (("run", "--size", "250x250"), "256x256"),
        (("run", "--size", "big"), "256x256"),
        (("run", "--input", "nowhere.mp4", "--output", "null", "--osc-port", "0", "--no-web"), "nowhere.mp4"),
        (("run", "--input", "nowhere:", "--output", "null", "--osc-port", "0", "--no-web"), "pattern"),
        (("run", "--output", "nowhere:"), "window"),
        (("run", "--device", "gpu"), "try auto"),
        (("run", "--offload", "all"), "none, context"),
        (("run", "--pipeline", "longlive", "--latency", "low"), "longlive has no latency low"),
        (
            ("render", "-i", "in.mp4", "-o", "out.mp4", "--pipeline", "memflow", "--latency", "low"),
            "makes 12 frames at a time",
        ),
        (("run", "--lora", "no.safetensors"), "no.safetensors: there is no such file"),
        (("run", "--lora", "a.safetensors=much"), "try a.safetensors=0.8:side"),
        (("render", "-i", "in.mp4", "-o", "out.mp4", "--lora", "no.safetensors=0.5"), "no.safetensors: there is no"),
        (("run", "--osc-port", "99999", "--output", "null"), "65535"),
        (("run", "--stats", "no/such/folder/s.json", "--output", "null"), "there is no folder"),
        (("render", "-i", "nowhere.mp4", "-o", "out.mp4"), "nowhere.mp4"),
        (("render", "-i", "in.mp4", "-o", "out.gif"), ".mp4"),
        (("render", "-i", "a.mp4", "-i", "b.mp4", "-o", "out.mp4"), "one --input, got a.mp4 and b.mp4"),
        (("parity", "nowhere"), "no folder nowhere"),
    ],
)
def test_bad_input_is_one_line_with_the_fix_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_the_limits_of_files_hold_for_what_a_command_reads(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("streamvace.video.film.limits._in_force", FileLimits())
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "in.mp4", 2)
    render = ("render", "-i", "in.mp4", "-o", "out.mp4")
    assert "at most 48 pixels a side are read" in refused(capsys, *render, "--max-side", "48")
    assert not (tmp_path / "out.mp4").exists()


def test_a_missing_display_is_reported_before_anything_starts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamvace.live.output.outputs._display", lambda: False)
    assert "no display" in refused(capsys, "run", "--output", "window")


def test_render_gets_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[RenderOptions] = []

    def render(options: RenderOptions) -> int:
        rendered.append(options)
        return 0

    monkeypatch.setattr("streamvace.live.offline.render.render_clip", render)
    assert cli.main(["render", "-i", "a.mp4", "-o", "b.mp4", "--mask", "m.png", "--frames", "9", "--prompt", "x"]) == 0
    options = rendered[0]
    assert (options.input, options.output, options.mask) == (Path("a.mp4"), Path("b.mp4"), Path("m.png"))
    assert (options.frames, options.overwrite, plain(options.parameters)) == (9, False, {"/streamvace/prompt": "x"})


def test_a_path_can_be_an_address_as_file_managers_copy_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    rendered: list[RenderOptions] = []
    monkeypatch.setattr("streamvace.live.offline.render.render_clip", lambda options: rendered.append(options) or 0)
    place = (tmp_path / "a b").as_uri()
    words = ("-i", f"{place}.mp4", "-o", f"{place}.mov?format=png", "--mask", "file:///C:/m%20m.png")
    assert cli.main(["render", *words, "--media", place, "--lora", f"{place}.safetensors=0.5"]) == 0
    (given,) = rendered
    assert (given.input, given.media, given.mask) == (tmp_path / "a b.mp4", tmp_path / "a b", Path("C:/m m.png"))
    assert given.output == tmp_path / "a b.mov?format=png"
    assert given.model.loras[0].path == tmp_path / "a b.safetensors"


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"streamvace {__version__}"


@pytest.mark.parametrize("command", ["run", "render", "doctor", "parity"])
def test_help_explains_each_command(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert cli.main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Usage: streamvace" in text
    if command in ("run", "render"):
        assert f"streamvace {command} " in text.partition("Examples")[2]


@pytest.mark.parametrize("command", ["run", "render"])
def test_help_shows_the_ten_options_that_matter_and_help_all_the_rest(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    def shown(option: str) -> tuple[list[str], str]:
        assert cli.main([command, option]) == 0
        text = capsys.readouterr().out
        return re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, re.M), text

    brief, _ = shown("--help")
    names, text = shown("--help-all")
    assert brief[-2:] == ["--help-all", "--help"]
    assert len(brief) == 12
    assert set(brief) < set(names)
    assert len(names) >= 100
    assert max(map(len, text.partition("Examples")[0].splitlines())) <= 80
    flat = " ".join(text.split())
    assert "twice that. [0..2] Default: 1." in flat
    assert "Upscale outputs by this factor. [1..4] Default: 1." in flat
    assert "[0..2147483647] or random. Default: 42." in flat
    assert "one float" not in flat


def test_help_and_version_load_neither_torch_nor_the_show() -> None:
    code = (
        "import sys; from streamvace.cli import main; main(['--help']); main(['run', '--help']);"
        "sys.exit(any(name in sys.modules for name in ('torch', 'av', 'aiohttp', 'cv2')))"
    )
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0


def test_an_old_windows_console_is_no_problem() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"}
    for arguments in (["run", "--help"], ["run", "--pipeline", "\u6f22\u5b57 \u2603"]):
        done = subprocess.run(
            [sys.executable, "-m", "streamvace", *arguments], env=environment, capture_output=True, check=False
        )
        assert done.returncode == (0 if "--help" in arguments else 2)
        assert b"Traceback" not in done.stderr


def test_streams_that_cannot_be_reconfigured_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert cli.main(["parity", "nowhere"]) == 2


def test_a_command_with_a_missing_part_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "streamvace.doctor.checks", None)
    assert "not part of this installation" in refused(capsys, "doctor")


def test_the_weights_commands_are_part_of_the_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("STREAMVACE_MODELS", str(tmp_path))
    assert cli.main(["models", "list"]) == 0
    assert "longlive-base" in capsys.readouterr().out
    assert "use one of longlive" in refused(capsys, "models", "where", "nothing-of-that-name")
