"""The doctor's verdicts on machines that do not exist, and its look at the one that does."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from streamvace.doctor import checks as doctor
from streamvace.doctor import facts as doctor_facts
from streamvace.doctor.checks import Check, can_run, checks, run_doctor
from streamvace.doctor.facts import OPTIONAL, Device, Facts, expectation, free_memory, gather, port_free, weights
from streamvace.system.fix_hints import pip_command

GOOD = Facts(
    system="linux",
    python=(3, 11, 7),
    torch="2.13.0+cu130",
    torch_cuda="13.0",
    nvidia_seen=True,
    devices=(Device("RTX 5090", 32 * 2**30, 30 * 2**30),),
    attention=("sage",),
    free_memory=16 * 2**30,
    display=True,
    opengl="NVIDIA GeForce RTX 4090/PCIe/SSE2",
    ndi="6.3.2.0",
    encoders=("libx264", "mpeg4"),
    opencv="5.0.0",
    osc_port=7700,
    web_port=8700,
    weights=("codec", "context", "text", "transformer"),
    packages=OPTIONAL,
)


def without(package: str) -> dict[str, object]:
    return {"packages": tuple(name for name in OPTIONAL if name != package)}


def look(facts: Facts, name: str) -> Check:
    return next(check for check in checks(facts) if check.name == name)


def test_a_good_machine_is_ok_throughout() -> None:
    assert {check.status for check in checks(GOOD)} == {"ok"}
    assert can_run(checks(GOOD))


def test_a_processor_alone_can_run() -> None:
    bare = replace(GOOD, torch="2.13.0+cpu", torch_cuda="", nvidia_seen=False, devices=(), display=False, ndi="")
    assert can_run(checks(bare))
    assert look(bare, "GPU").status == "warn"
    assert "web preview" in look(bare, "Window").fix


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        ({"python": (3, 9, 1)}, "Python"),
        ({"bits": 32}, "Python"),
        ({"torch": "", "torch_error": "DLL load failed"}, "PyTorch"),
        ({"opencv": "", "opencv_error": "libGL.so.1"}, "OpenCV"),
        ({"av_error": "No module named 'av'"}, "Video files"),
        ({"weights": ()}, "Embedded model"),
        ({"weights": ("codec", "text", "transformer")}, "Embedded model"),
        ({"weights": (), "weights_error": "a.safetensors is damaged (130 bytes)"}, "Embedded model"),
    ],
)
def test_what_the_main_job_needs_is_missing_with_a_fix(broken: dict[str, object], name: str) -> None:
    facts = replace(GOOD, **broken)  # type: ignore[arg-type]
    check = look(facts, name)
    assert check.status == "missing"
    assert check.fix
    assert not can_run(checks(facts))


@pytest.mark.parametrize(
    ("lacking", "name", "status"),
    [
        ({"ndi": ""}, "NDI", "missing"),
        ({"encoders": ("mpeg4",)}, "Video files", "warn"),
        ({"osc_free": False}, "OSC", "warn"),
        ({"web_free": False}, "Web preview", "warn"),
        ({"free_memory": 2**30}, "Memory", "warn"),
    ],
)
def test_what_it_can_do_without_is_said_and_does_not_stop_it(
    lacking: dict[str, object], name: str, status: str
) -> None:
    facts = replace(GOOD, **lacking)  # type: ignore[arg-type]
    assert look(facts, name).status == status
    assert look(facts, name).fix
    assert can_run(checks(facts))


def test_a_torch_without_cuda_beside_an_nvidia_card_gets_the_exact_command() -> None:
    facts = replace(GOOD, torch="2.13.0+cpu", torch_cuda="", devices=())
    assert look(facts, "PyTorch").fix == "python plugin/bootstrap.py install"
    elsewhere = look(replace(facts, bootstrapped=False), "PyTorch").fix
    assert elsewhere.startswith(f"{pip_command('--force-reinstall', 'torch==2.13.0', '--index-url')} https://")


def test_a_driver_too_old_for_the_torch_build_is_named() -> None:
    check = look(replace(GOOD, devices=()), "PyTorch")
    assert (check.status, "13.0" in check.fix) == ("warn", True)


@pytest.mark.parametrize(("system", "names"), [("win32", {"Spout"}), ("darwin", {"Syphon"}), ("linux", set[str]())])
def test_texture_sharing_is_looked_for_where_it_exists(system: str, names: set[str]) -> None:
    facts = replace(GOOD, system=system)
    assert {check.name for check in checks(facts)} & {"Spout", "Syphon"} == names
    assert can_run(checks(facts))


def test_the_adapter_that_draws_is_named() -> None:
    assert "OpenGL by NVIDIA GeForce RTX 4090" in look(GOOD, "Window").found


def test_both_memory_values_are_said() -> None:
    assert look(GOOD, "GPU").found == "RTX 5090, 30.0 of 32.0 GiB free"
    assert look(replace(GOOD, free_memory=None), "Memory").status == "ok"


def test_the_attention_kernel_and_why_no_faster_one_is_said() -> None:
    slower = "flash2; sage is not installed: pip install sageattention"
    check = look(replace(GOOD, attention=(slower,)), "Attention")
    assert (check.status, check.found) == ("ok", slower)
    broken = look(replace(GOOD, attention=(), attention_error="driver fault"), "Attention")
    assert (broken.status, broken.fix) == ("warn", "run: python plugin/bootstrap.py run --attention sdpa")
    assert "Attention" not in {each.name for each in checks(replace(GOOD, attention=()))}


def test_the_speed_of_large_models_is_an_estimate_and_says_so() -> None:
    found = expectation("NVIDIA GeForce RTX 5090", (12, 0), 170, 32 * 2**30)
    assert re.fullmatch(
        r"longlive 576x320 in bf16: \d+ frames/s, \d+ GB; krea-realtime 576x320 in int8: \d+ frames/s, \d+ GB", found
    )
    small = expectation("NVIDIA GeForce RTX 4060", (8, 9), 24, 8 * 2**30)
    assert re.search(r"krea-realtime needs \d+\.\d GB even in int8, the card has 8\.6", small)
    assert "taken as a RTX 4090 with 24 multiprocessors" in small
    assert look(replace(GOOD, speed=(found,)), "Speed").found == f"estimated, not measured: {found}"
    broken = look(replace(GOOD, speed_error="no such operator"), "Speed")
    assert (broken.status, broken.found) == ("warn", "no estimate (no such operator)")


def test_every_card_is_asked_for_its_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamvace.model import attention, cuda_settings

    monkeypatch.setattr(cuda_settings, "set_up_cuda", lambda dtype: None)
    monkeypatch.setattr(attention, "sdpa_backend", lambda device, dtype, head_dim: "efficient")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8 + device.index, 0))
    monkeypatch.setattr(attention, "fault_of", lambda *_: "")
    monkeypatch.setattr(
        attention, "KERNELS", (attention.KernelRow("fast", lambda: attention.sdpa, frozenset({9}), "", 0.01),)
    )
    assert doctor_facts._attention() == {
        "attention": ("sdpa (efficient); fast supports compute capability 9.x, this device has 8.x", "fast")
    }


def test_a_port_in_use_is_seen() -> None:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as held:
            held.bind(("127.0.0.1", 0))
            if kind == socket.SOCK_STREAM:
                held.listen()
            port = held.getsockname()[1]
            assert not port_free("127.0.0.1", port, kind)
        assert port_free("127.0.0.1", port, kind)


def test_missing_networks_of_controls_and_masks_are_a_warning_with_the_fix() -> None:
    for facts, fix in (
        (without("onnxruntime"), "plugin/bootstrap.py install vision"),
        ({"networks_missing": ("a.tflite",)}, "pull vision"),
        ({"networks_error": "cv2 is broken"}, "first fix what is missing"),
    ):
        report = checks(replace(GOOD, **facts))  # type: ignore[arg-type]
        (line,) = [check for check in report if check.status != "ok"]
        assert (line.name, line.status) == ("Live controls", "warn")
        assert fix in line.fix
        assert can_run(report)


def test_without_link_the_show_runs_and_the_fix_is_named() -> None:
    report = checks(replace(GOOD, **without("aalink")))
    (line,) = [check for check in report if check.status != "ok"]
    assert (line.name, line.status) == ("Ableton Link", "warn")
    assert line.fix == "python plugin/bootstrap.py install link"
    assert can_run(report)


@pytest.mark.parametrize(
    ("lacking", "extra"),
    [
        ({"ndi": ""}, "ndi"),
        (without("ai_edge_litert"), "vision"),
        (without("aalink"), "link"),
        (without("rtmidi2"), "midi"),
        (without("miniaudio"), "sound"),
        (without("mss"), "screen"),
    ],
)
def test_a_missing_part_gets_the_command_that_reaches_this_python(lacking: dict[str, object], extra: str) -> None:
    """The bootstrap's environment has no pip on the user's path: `pip install` there would change another Python."""
    facts = replace(GOOD, **lacking)  # type: ignore[arg-type]
    ours, theirs = (
        [check.fix for check in checks(replace(facts, bootstrapped=own)) if check.status != "ok"]
        for own in (True, False)
    )
    assert ours == [f"python plugin/bootstrap.py install {extra}"]
    assert theirs == [pip_command(f"streamvace[{extra}]")]


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    assert weights(tmp_path) == ()
    (tmp_path / "a.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    assert weights(tmp_path) == ("a",)
    (tmp_path / "b.safetensors").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(OSError, match=r"b\.safetensors is damaged \(42 bytes\)"):
        weights(tmp_path)


def test_this_machine_is_looked_at_without_an_exception() -> None:
    facts = gather(0, 0)
    assert facts.torch
    assert facts.python >= (3, 10, 0)
    assert all(check.found for check in checks(facts))
    assert free_memory() is None or free_memory() > 0  # type: ignore[operator]


def test_the_weights_looked_for_are_those_that_are_loaded() -> None:
    source = (Path(doctor.__file__).parents[1] / "stream/loading.py").read_text("utf-8")
    assert all(f'"{name}.safetensors"' in source for name in doctor.NETWORKS)


@pytest.mark.parametrize("bootstrapped", [True, False])
@pytest.mark.parametrize("good", [True, False])
def test_the_report_prints_and_the_exit_code_says_whether_the_show_can_run(
    good: bool, bootstrapped: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start = "python plugin/bootstrap.py run" if bootstrapped else "streamvace run"
    facts = replace(GOOD, bootstrapped=bootstrapped)
    facts = facts if good else replace(facts, weights=(), weights_error="[red]a [bracketed] error")
    monkeypatch.setattr(doctor, "gather", lambda *_: facts)
    assert run_doctor(False) == (0 if good else 1)
    output = capsys.readouterr().out
    assert (start in output) == good
    assert run_doctor(True) == (0 if good else 1)
    report = json.loads(capsys.readouterr().out)
    assert report["can_run"] is good
    assert len(report["checks"]) == len(checks(facts))


def test_a_library_that_fails_to_load_is_reported_not_raised() -> None:
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('torch', 'cv2', 'av', 'NDIlib')))\n"
        "from streamvace.doctor.checks import run_doctor\n"
        "sys.exit(run_doctor(True))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    found = {each["name"]: (each["status"], each["found"]) for each in json.loads(done.stdout)["checks"]}
    for name, module in (("PyTorch", "torch"), ("OpenCV", "cv2"), ("Video files", "av")):
        assert found[name] == ("missing", f"import of {module} halted; None in sys.modules")
    assert found["Live controls"][0] == "warn"
    assert found["NDI"][0] == "missing"
