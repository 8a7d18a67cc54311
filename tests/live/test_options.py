"""What the checks before the start promise: refused cheaply, on one line, with what was asked and the fix."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from streamvace.live.options import (
    check_devices,
    check_factory,
    check_model,
    check_port,
    next_free_port,
    parse_loras,
    parse_size,
    resolve_size,
)
from streamvace.live.output.outputs import check_outputs
from streamvace.records.model_options import LoraChoice, ModelOptions
from streamvace.system.errors import UserError


def test_sizes_are_width_times_height() -> None:
    assert parse_size("512x320") == (512, 320)
    assert parse_size("512X320") == (512, 320)


@pytest.mark.parametrize(("asked", "nearest"), [("250x250", "256x256"), ("8x8", "64x64"), ("99999x64", "4096x64")])
def test_an_impossible_size_is_refused_with_the_nearest_possible_one(asked: str, nearest: str) -> None:
    with pytest.raises(UserError, match=f"size {asked}.*try {nearest}"):
        parse_size(asked)


@pytest.mark.parametrize("asked", ["", "256", "axb", "-64x64", "64x", "6.4x64"])
def test_what_is_no_size_is_refused_with_an_example(asked: str) -> None:
    with pytest.raises(UserError, match="try 256x256"):
        parse_size(asked)


def test_an_unknown_pipeline_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'nope'.*embedded.*longlive"):
        resolve_size("nope", None)


def test_without_a_size_the_pipelines_own_is_taken() -> None:
    assert resolve_size("embedded", None) == (256, 256)
    assert resolve_size("embedded", (192, 320)) == (192, 320)


def test_unknown_devices_and_factories_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")  # Windows has no groups of cards
    for device in ("auto", "cpu", "cuda", "cuda:1", "mps"):
        check_devices(device)
    for device in ("gpu", "cuda:x", ""):
        with pytest.raises(UserError, match="try auto"):
            check_devices(device)
    for several in ("cuda:0,cuda:1", "cpu,cpu"):
        check_devices(several)
    for odd in ("cuda:0,cuda:0", "cuda,cuda:1", "cuda:0,cpu", "mps,mps"):
        with pytest.raises(UserError, match="try cuda:0,cuda:1"):
            check_devices(odd)
    check_factory("tests.live.fakes:make")
    for factory in ("nowhere.to_be_found:make", "tests.live.fakes", ":make", "..:x"):
        with pytest.raises(UserError, match="module:function"):
            check_factory(factory)


@pytest.mark.parametrize(
    ("device", "context", "says"),
    [
        ("auto", "gpu", "unknown device 'gpu'.*try auto"),
        ("auto", "auto", "context device 'auto': name one device; try cuda:1"),
        ("cuda", "cuda:0,cuda:1", "context device 'cuda:0,cuda:1': name one device"),
        ("cuda", "cuda:0", "context device 'cuda:0' is --device too; try cuda:1"),
        ("cpu", "cpu", "context device 'cpu' is --device too"),
        ("cuda:0,cuda:1", "cuda:2", "context device 'cuda:2': the devices cuda:0,cuda:1 share every pass already"),
    ],
)
def test_a_context_device_that_cannot_go_with_the_device_is_refused_in_one_line(
    device: str, context: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")  # as above
    with pytest.raises(UserError, match=says):
        check_model(ModelOptions(device, context_device=context), "embedded")


def test_a_second_card_may_have_the_context_branch() -> None:
    for device in ("auto", "cuda", "cuda:0"):
        check_model(ModelOptions(device, context_device="cuda:1"), "embedded")


def test_on_windows_several_cards_are_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    check_devices("cuda:1")
    with pytest.raises(UserError) as refused:
        check_devices("cuda:0,cuda:1")
    assert str(refused.value) == (
        "devices 'cuda:0,cuda:1': several cards need Linux (NCCL is not built for Windows); give one"
    )


def test_a_command_that_torchrun_started_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "1")
    check_model(ModelOptions(), "embedded")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(
        UserError, match="torchrun started 2 of this command; start it once, without torchrun: --device"
    ):
        check_model(ModelOptions(), "embedded")


def test_ports_out_of_range_are_refused() -> None:
    check_port(0, "--osc-port")
    for port in (-1, 65536):
        with pytest.raises(UserError, match=f"--osc-port {port}"):
            check_port(port, "--osc-port")


def test_the_next_free_port_is_found() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = taken.getsockname()[1]
        assert next_free_port("127.0.0.1", first) != first


def test_outputs_are_checked_before_anything_opens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("streamvace.live.output.outputs._display", lambda: False)
    assert check_outputs([], web=True, overwrite=False) == ()
    assert check_outputs(["null", "web"], web=True, overwrite=False) == ("null",)
    for outputs, said in (
        (["window"], "no display"),
        (["nowhere:"], "Unknown output"),
        (["web"], "drop --no-web"),
        ([str(tmp_path / "no" / "film.mp4")], "there is no folder"),
    ):
        with pytest.raises(UserError, match=said):
            check_outputs(outputs, web=False, overwrite=False)


def test_a_machine_with_a_display_gets_a_window_and_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamvace.live.output.outputs._display", lambda: True)
    assert check_outputs([], web=True, overwrite=False) == ("window",)
    with pytest.raises(UserError, match="two windows"):
        check_outputs(["window", "window:full"], web=True, overwrite=False)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a.safetensors", LoraChoice(Path("a.safetensors"))),
        ("a.safetensors=0.8", LoraChoice(Path("a.safetensors"), 0.8)),
        ("a.safetensors=-1e-1", LoraChoice(Path("a.safetensors"), -0.1)),
        ("a.safetensors=side", LoraChoice(Path("a.safetensors"), 1.0, "side")),
        ("a.safetensors=2:merged", LoraChoice(Path("a.safetensors"), 2.0, "merged")),
        ("a=b/c.safetensors=0.5:side", LoraChoice(Path("a=b/c.safetensors"), 0.5, "side")),
    ],
)
def test_a_lora_is_a_file_its_strength_and_its_way(text: str, meant: LoraChoice) -> None:
    assert parse_loras([text, text]) == (meant, meant)


def test_a_lora_whose_name_holds_an_equals_sign_is_found(tmp_path: Path) -> None:
    file = tmp_path / "a=b.safetensors"
    file.touch()
    assert parse_loras([str(file)]) == (LoraChoice(file),)


@pytest.mark.parametrize("text", ["a=much", "a=nan", "a=inf", "a=", "=0.5", "a=0.5:beside", "a=side:0.5:side"])
def test_what_is_no_strength_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match=r"lora '.*'.*=0.8:side"):
        parse_loras([text])


def test_a_model_that_cannot_be_put_on_any_machine_is_refused(tmp_path: Path) -> None:
    check_model(ModelOptions(offload="context", loras=(LoraChoice(tmp_path),)), "embedded")
    with pytest.raises(UserError, match="unknown offload 'text'; there are: none, context"):
        check_model(ModelOptions(offload="text"), "embedded")
    with pytest.raises(UserError, match="unknown compile 'all'; there are: off, blocks"):
        check_model(ModelOptions(compile="all"), "embedded")
    with pytest.raises(UserError, match="unknown CUDA graphs 'on'; there are: auto, off"):
        check_model(ModelOptions(cuda_graphs="on"), "embedded")
    with pytest.raises(UserError, match=r"nowhere.safetensors: there is no such file"):
        check_model(ModelOptions(loras=(LoraChoice(tmp_path / "nowhere.safetensors"),)), "embedded")
