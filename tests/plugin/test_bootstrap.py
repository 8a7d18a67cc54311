"""Commands, installation steps, stamps and error messages. Nothing is really installed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import bootstrap
import install_plan
import installer
import pip_step
import pytest
from find_python import Found
from install_plan import (
    LOCK,
    Stamp,
    clean_environment,
    package_command,
    platform_extras,
    read_stamp,
    stamp_key,
    torch_command,
    venv_python,
    venv_version,
    write_stamp,
)
from torch_build import INDEX, TORCH, Nvidia, choose

PYTHON = Path("/x/.venv/bin/python")


@pytest.mark.parametrize(
    ("system", "machine", "python", "extras"),
    [
        ("win32", "AMD64", (3, 11), ("link", "ndi", "screen", "spout")),
        ("win32", "AMD64", (3, 14), ("link", "ndi", "screen")),
        ("win32", "ARM64", (3, 11), ()),
        ("darwin", "arm64", (3, 12), ("link", "ndi", "screen", "syphon")),
        ("linux", "x86_64", (3, 11), ("link", "ndi", "screen")),
        ("linux", "x86_64", (3, 10), ("link", "screen")),
        ("linux", "riscv64", (3, 12), ()),
    ],
)
def test_a_platform_gets_the_extras_that_have_wheels_for_it(
    system: str, machine: str, python: tuple[int, int], extras: tuple[str, ...]
) -> None:
    assert tuple(sorted(platform_extras(system, machine, python))) == extras


def test_only_torch_comes_from_its_own_index_and_with_a_short_timeout() -> None:
    command = torch_command(PYTHON, choose("linux", Nvidia((13, 0), (8, 9))), from_index=True)
    assert command[-1] == f"torch=={TORCH}+cu130"
    assert command[command.index("--index-url") + 1] == INDEX + "cu130"
    assert "--no-deps" in command
    assert int(command[command.index("--timeout") + 1]) * (1 + int(command[command.index("--retries") + 1])) <= 30


@pytest.mark.parametrize(("system", "from_index"), [("linux", False), ("darwin", True), ("darwin", False)])
def test_the_default_index_gets_the_pinned_version_and_no_other_option(system: str, from_index: bool) -> None:
    command = torch_command(PYTHON, choose(system, None), from_index)
    assert command[-1] == f"torch=={TORCH}"
    assert "--index-url" not in command
    assert "--isolated" not in command  # pip's configuration on this machine applies


def test_the_package_is_editable_and_may_not_replace_torch() -> None:
    command = package_command(PYTHON, ("ndi", "test"), Path("/x/c.txt"), locked=False)
    assert command[-2:] == ["--editable", ".[ndi,test]"]
    assert command[command.index("--constraint") + 1] == str(Path("/x/c.txt"))
    assert "--no-build-isolation" not in command
    locked = package_command(PYTHON, (), Path("c"), locked=True)
    assert locked[-1] == "."
    assert "--no-build-isolation" in locked, "what builds the package comes from the lock too"


def test_a_stamp_is_valid_until_anything_it_depends_on_changes(tmp_path: Path) -> None:
    made = (tmp_path, b"[project]", (3, 11), (12, 4), "")
    key = stamp_key(*made)
    assert key == stamp_key(*made)
    others = [
        (tmp_path / "moved", *made[1:]),
        (tmp_path, b"[project] ", *made[2:]),
        (*made[:2], (3, 12), *made[3:]),
        (*made[:3], (13, 0), ""),
        (*made[:3], None, ""),
        (*made[:4], "cpu"),
    ]
    assert len({key, *(stamp_key(*other) for other in others)}) == 1 + len(others)  # type: ignore[arg-type]


def test_a_stamp_covers_fewer_extras_and_those_that_failed_to_install() -> None:
    stamp = Stamp("k", ("ndi", "test"), "cpu", left_out=("spout",))
    assert stamp.covers("k", ())
    assert stamp.covers("k", ("test", "spout"))
    assert not stamp.covers("k", ("wan",))
    assert not stamp.covers("other", ())


def test_a_stamp_is_read_back_as_written_and_a_partial_one_is_ignored(tmp_path: Path) -> None:
    stamp = Stamp("k", ("ndi",), "cu130", ("spout",))
    write_stamp(tmp_path, stamp)
    assert read_stamp(tmp_path) == stamp
    for torn in ("", "{", "[]", '{"key": "k"}', "null"):
        (tmp_path / "bootstrap.json").write_text(torn, "utf-8")
        assert read_stamp(tmp_path) is None


def make_venv(root: Path, version: str = "3.11.7", folder: str = ".venv") -> Path:
    """The files that identify an environment, without an environment."""
    venv = root / folder
    venv_python(venv).parent.mkdir(parents=True, exist_ok=True)
    venv_python(venv).touch()
    (venv / "pyvenv.cfg").write_text(f"home = {root}\nversion = {version}\n", "utf-8")
    return venv


def test_a_half_created_environment_is_detected_as_broken(tmp_path: Path) -> None:
    assert venv_version(tmp_path / ".venv") is None
    venv = make_venv(tmp_path)
    assert venv_version(venv) == (3, 11)
    venv_python(venv).unlink()
    assert venv_version(venv) is None
    venv = make_venv(tmp_path)
    (venv / "pyvenv.cfg").write_text(f"home = {tmp_path / 'removed'}\nversion = 3.11.7\n", "utf-8")
    assert venv_version(venv) is None


def test_an_environment_on_touchdesigners_python_is_built_again(tmp_path: Path) -> None:
    venv = make_venv(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "TouchDesigner.exe").touch()
    assert venv_version(venv) is None


def test_variables_that_redirect_imports_are_not_passed_to_a_child() -> None:
    env = clean_environment({"PYTHONPATH": "/td", "PythonHome": "C:/TD", "PIP_USER": "1", "PATH": "/bin"})
    assert env == {"PATH": "/bin", "PYTHONIOENCODING": ":replace"}
    assert clean_environment({"PYTHONIOENCODING": "utf-8"}) == {"PYTHONIOENCODING": "utf-8"}


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("ConnectionResetError\nOSError: [Errno 28] No space left on device", "disk is full"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "certificate"),
        ("OSError('Tunnel connection failed: 407 Proxy Authentication Required')", "proxy"),
        ("[WinError 5] Access is denied: 'C:\\\\x\\\\torch\\\\lib\\\\c10.dll'", "close streamvace"),
        ("[WinError 206] The filename or extension is too long", "short folder"),
        ("ERROR: No matching distribution found for torch==2.13.0", "Python 3.11 or 3.12"),
        ("NewConnectionError: [Errno -2] Name or service not known", "check the network"),
        ("error: Microsoft Visual C++ 14.0 or greater is required", "no wheel for this Python"),
        ("OSError: [WinError 126] The specified module could not be found. Error loading c10.dll", "vc_redist"),
        ("ERROR: ResolutionImpossible: for help visit", "git pull"),
        ("ERROR: something new", "something new"),
        ("Traceback\nValueError: odd", "odd"),
        ("", "code 7"),
    ],
)
def test_every_failure_is_one_line_with_the_fix(output: str, says: str) -> None:
    error = pip_step.failure(output, 7, python="3.11", torch=TORCH, disk=3.0, log=Path("x.log"))
    assert says in str(error)
    assert "x.log" in str(error)
    assert "\n" not in str(error)
    assert "{" not in str(error)


def test_a_step_reports_what_it_is_doing() -> None:
    assert pip_step.doing("Collecting numpy\n  Downloading numpy-2.4.6-cp311.whl (16.9 MB)\n") == (
        "downloading numpy (16.9 MB)"
    )
    assert pip_step.doing("Collecting av>=13\n") == "resolving av"
    assert pip_step.doing("Installing collected packages: a, b\n") == "unpacking"
    assert pip_step.doing("") == "working"


@pytest.fixture(autouse=True)
def _keep_pytests_signal_handlers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_on", lambda names, handler: None)


USUAL, WITH_TEST = ".[link,ndi,screen]", ".[link,ndi,screen,test]"
LOCKED = """# A header.
# base
numpy==2.2.6 ; python_full_version < '3.11' \\
    --hash=sha256:aa
# base
numpy==2.4.6 ; python_full_version >= '3.11' \\
    --hash=sha256:bb \\
    --hash=sha256:cc
# test, wan
ftfy==6.3.1 \\
    --hash=sha256:dd
# ndi
ndi-python==6.3.2 \\
    --hash=sha256:ee
"""


class Machine:
    """Replaces the steps that run pip: records their commands and fails those listed in `fails`."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.commands, self.progress = root, list[list[str]](), list[str]()
        self.fails: dict[str, str] = {}
        (root / "pyproject.toml").write_text("[project]", "utf-8")
        (root / LOCK).write_text(LOCKED, "utf-8")
        monkeypatch.setattr(installer, "run_logged", self.run)
        monkeypatch.setattr(installer, "look", lambda: None)
        monkeypatch.setattr(installer, "driver_cuda", lambda: None)
        # The choice is Linux's everywhere. The lock and the names of files stay those of the system that runs this.
        monkeypatch.setattr(installer, "choose", lambda _, nvidia, override: choose("linux", nvidia, override))
        monkeypatch.setattr(
            installer, "platform_extras", lambda _, machine, version: platform_extras("linux", "x86_64", version)
        )
        monkeypatch.delenv("STREAMVACE_TORCH", raising=False)

    def run(self, command: list[str], log: Path, **_: object) -> tuple[int, str]:
        self.commands.append(command)
        if command[1:3] == ["-m", "venv"]:
            make_venv(self.root, folder=Path(command[-1]).name)
        for part, output in self.fails.items():
            if part in " ".join(command):
                return 1, output
        return 0, "cuda False"

    def ensure(self, *extras: str, force: bool = False, folder: str = ".venv") -> Path:
        self.commands.clear()
        self.progress.clear()
        said = self.progress
        return installer.ensure(
            extras,
            lambda step, of, text: said.append(f"{step}/{of} {text}"),
            root=self.root,
            folder=folder,
            force=force,
        )

    @property
    def pip_targets(self) -> list[str]:
        """What pip was asked for, without the lock's requirements."""
        return [command[-1] for command in self.commands if "install" in command and "--requirement" not in command]

    @property
    def requirements(self) -> str:
        """The part of the lock that was asked for last."""
        return (self.root / ".venv" / "bootstrap-requirements.txt").read_text("utf-8")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_fresh_machine_runs_all_steps_and_the_second_start_none(machine: Machine) -> None:
    assert machine.ensure() == venv_python(machine.root / ".venv")
    assert machine.pip_targets == [f"torch=={TORCH}+cpu", USUAL]
    assert [line[:3] for line in machine.progress] == ["1/4", "2/4", "3/4", "4/4"]
    machine.ensure()
    assert machine.commands == []
    assert machine.progress == []


def test_the_tested_versions_of_the_wanted_extras_are_installed_first_with_their_hashes(machine: Machine) -> None:
    machine.ensure()
    assert "ndi-python" in machine.requirements
    assert "ftfy" not in machine.requirements
    machine.ensure("wan")
    (locked,) = [command for command in machine.commands if "--requirement" in command]
    assert {"--require-hashes", "--no-deps"} <= set(locked)
    assert machine.commands.index(locked) < next(
        index for index, command in enumerate(machine.commands) if "--editable" in command
    )
    assert machine.requirements == LOCKED.partition("# base\n")[2].replace("# base\n", "").replace(
        "# test, wan\n", ""
    ).replace("# ndi\n", "")
    machine.ensure("vision")
    assert "ndi-python" in machine.requirements
    machine.commands.clear()
    (machine.root / LOCK).write_text("# base\nnumpy==3 \\\n    --hash=sha256:ff\n", "utf-8")
    machine.ensure()
    assert machine.requirements == "numpy==3 \\\n    --hash=sha256:ff\n", "another lock is another installation"


def test_where_the_tested_versions_do_not_install_pip_chooses_others_and_one_line_says_so(machine: Machine) -> None:
    machine.fails["--requirement"] = "ERROR: No matching distribution found for numpy==2.4.6"
    machine.ensure()
    (line,) = [line for line in machine.progress if "tested versions" in line]
    assert "No matching distribution found for numpy==2.4.6" in line
    (chosen,) = [command for command in machine.commands if "--editable" in command]
    assert "--no-build-isolation" not in chosen
    assert read_stamp(machine.root / ".venv") is not None


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one that was tested"),
        ("ReadTimeoutError: Read timed out.", "check the network"),
    ],
)
def test_a_file_with_another_hash_or_a_lost_network_is_no_reason_to_install_something_else(
    machine: Machine, output: str, says: str
) -> None:
    machine.fails["--requirement"] = output
    with pytest.raises(pip_step.BootstrapError, match=says):
        machine.ensure()
    assert not any("--editable" in command for command in machine.commands)


def test_an_environment_in_another_folder_is_installed_and_stamped_by_itself(machine: Machine) -> None:
    assert machine.ensure("pytest", folder=".venv-newest") == venv_python(machine.root / ".venv-newest")
    assert "1/4 Environment: creating .venv-newest (a few seconds)" in machine.progress
    assert read_stamp(machine.root / ".venv") is None
    machine.ensure("pytest", folder=".venv-newest")
    assert machine.commands == []
    machine.ensure()
    assert machine.commands != []


def test_requesting_the_test_extra_adds_it_and_a_later_run_keeps_it(machine: Machine) -> None:
    machine.ensure()
    machine.ensure("test")
    assert machine.pip_targets[-1] == WITH_TEST
    machine.ensure()
    assert machine.commands == []


def test_a_changed_project_installs_again_with_the_extras_it_had(machine: Machine) -> None:
    machine.ensure("test")
    (machine.root / "pyproject.toml").write_text("[project] # new", "utf-8")
    machine.ensure()
    assert machine.pip_targets[-1] == WITH_TEST


def test_an_unreachable_index_falls_back_to_the_default_one_with_a_message(machine: Machine) -> None:
    machine.fails["--index-url"] = "NewConnectionError: Name or service not known\nNo matching distribution for torch"
    machine.ensure()
    assert machine.pip_targets == [f"torch=={TORCH}+cpu", f"torch=={TORCH}", USUAL]
    assert any("default package index" in line for line in machine.progress)


def test_an_interrupted_download_is_retried_once(machine: Machine) -> None:
    machine.fails["--index-url"] = "Downloading https://x/torch-2.13.0.whl (190 MB)\nReadTimeoutError: Read timed out."
    machine.ensure()
    assert machine.pip_targets[:3] == [f"torch=={TORCH}+cpu", f"torch=={TORCH}+cpu", f"torch=={TORCH}"]


def test_an_interrupted_installation_leaves_no_stamp_and_continues(machine: Machine) -> None:
    machine.fails["--editable"] = "KeyboardInterrupt: ReadTimeoutError"
    with pytest.raises(pip_step.BootstrapError, match="check the network"):
        machine.ensure()
    assert read_stamp(machine.root / ".venv") is None
    machine.fails.clear()
    machine.ensure()
    assert not any("venv" in command for command in machine.commands)
    assert read_stamp(machine.root / ".venv") is not None


def test_a_broken_environment_is_created_again(machine: Machine) -> None:
    machine.ensure()
    venv_python(machine.root / ".venv").unlink()
    left_over = machine.root / ".venv" / "left-over"
    left_over.touch()
    machine.ensure()
    assert machine.commands[0][1:3] == ["-m", "venv"]
    assert not left_over.exists()


def test_an_optional_extra_that_fails_is_skipped_alone_and_not_retried_at_every_start(
    machine: Machine,
) -> None:
    machine.fails["ndi"] = "ERROR: No matching distribution found for ndi-python"
    machine.ensure("test")
    assert machine.pip_targets[-5:] == [WITH_TEST, ".[test]", ".[test,link]", ".[test,link,ndi]", ".[test,link,screen]"]
    stamp = read_stamp(machine.root / ".venv")
    assert stamp is not None
    assert (stamp.extras, stamp.left_out) == (("link", "screen", "test"), ("ndi",))
    (line,) = [line for line in machine.progress if "without" in line]
    assert "without ndi" in line
    assert "No matching distribution found for ndi-python" in line
    assert line.endswith("python plugin/bootstrap.py install ndi")
    machine.ensure("test")
    assert machine.commands == []
    machine.fails.clear()
    machine.ensure(force=True)
    assert WITH_TEST in machine.pip_targets


def test_a_requested_extra_fails_with_its_reason_and_the_installation_stays_valid(machine: Machine) -> None:
    machine.ensure()
    machine.fails["vision"] = "ERROR: No matching distribution found for ai-edge-litert"
    with pytest.raises(pip_step.BootstrapError, match="ai-edge-litert"):
        machine.ensure("vision", force=True)
    machine.ensure()
    assert machine.commands == []


def test_an_extra_requested_earlier_never_prevents_a_later_start(machine: Machine) -> None:
    machine.ensure("vision", force=True)
    (machine.root / "pyproject.toml").write_text("[project] # new", "utf-8")
    machine.fails["vision"] = "ERROR: No matching distribution found for ai-edge-litert"
    machine.ensure()
    assert [line for line in machine.progress if "without vision" in line]
    stamp = read_stamp(machine.root / ".venv")
    assert stamp is not None
    assert (stamp.extras, stamp.left_out) == (("link", "ndi", "screen"), ("vision",))


def test_a_lost_network_between_two_extras_fails_and_skips_none(machine: Machine) -> None:
    machine.fails["ndi,"] = "ERROR: No matching distribution found for ndi-python"
    machine.fails["link,ndi"] = "Name or service not known"
    with pytest.raises(pip_step.BootstrapError, match="check the network"):
        machine.ensure()
    assert read_stamp(machine.root / ".venv") is None


def test_without_a_network_an_updated_project_starts_with_the_installed_libraries(machine: Machine) -> None:
    machine.ensure()
    (machine.root / "pyproject.toml").write_text("[project] # new", "utf-8")
    machine.fails["pip install"] = "Name or service not known"
    machine.ensure()
    assert any("no network" in line for line in machine.progress)
    with pytest.raises(pip_step.BootstrapError):
        machine.ensure("test")


def test_too_little_disk_space_is_reported_before_anything_is_created(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 5e8})())
    with pytest.raises(pip_step.BootstrapError, match=r"about 3 GB.*has 0\.5 GB free"):
        machine.ensure()
    assert not (machine.root / ".venv").exists()


def test_on_debian_without_venv_the_message_names_the_package_of_the_python_that_was_found(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installer, "find_python", lambda _: Found("/usr/bin/python3.99", Path("/usr"), (3, 99), True))
    machine.fails["-m venv"] = "The virtual environment was not created because ensurepip is not available."
    with pytest.raises(pip_step.BootstrapError, match=r"python3\.99 cannot .* sudo apt install python3\.99-venv"):
        machine.ensure()


def test_outside_a_checkout_nothing_is_installed(tmp_path: Path) -> None:
    with pytest.raises(pip_step.BootstrapError, match="checkout"):
        installer.ensure(root=tmp_path)


def test_a_long_step_reports_progress_and_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pip_step, "BEAT_SECONDS", 0.01)
    beats: list[str] = []
    sleeper = [sys.executable, "-c", "import time; print('Collecting x', flush=True); time.sleep(60)"]
    with pytest.raises(pip_step.Cancelled):
        pip_step.run_logged(
            sleeper,
            tmp_path / "log",
            cwd=tmp_path,
            env={},
            beat=beats.append,
            cancelled=lambda: "resolving x" in beats,
        )
    assert beats[-1] == "resolving x"


def test_each_step_reports_its_own_output_and_the_log_keeps_all(tmp_path: Path) -> None:
    for word in ("one", "two"):
        code, output = pip_step.run_logged(
            [sys.executable, "-c", f"print({word!r})"],
            tmp_path / "log",
            cwd=tmp_path,
            env={},
            beat=lambda _: None,
            cancelled=installer.never,
        )
        assert (code, output.strip()) == (0, word)
    assert {"one", "two"} <= set((tmp_path / "log").read_text("utf-8").split())


@pytest.mark.parametrize("argument", ["--help", "-h", None])
def test_help_names_every_command_and_installs_nothing(
    argument: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main([argument] if argument else []) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in (*bootstrap.COMMANDS, "install", "STREAMVACE_TORCH", ".venv"))
    assert printed.isascii()


def test_the_bootstrap_knows_every_command_of_streamvace() -> None:
    from streamvace.cli import app

    assert {entry.name or entry.callback.__name__ for entry in app.registered_commands if entry.callback} == set(
        bootstrap.OWN
    )


def test_an_unknown_command_is_refused_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["fly"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("word", sorted(bootstrap.COMMANDS))
def test_a_command_passes_its_arguments_and_the_childs_exit_code(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], Path | None]] = []

    def hand_over(command: list[str], cwd: Path | None) -> int:
        started.append((command, cwd))
        return 7

    monkeypatch.setattr(bootstrap, "ensure", lambda extras, progress: PYTHON)
    monkeypatch.setattr(bootstrap, "hand_over", hand_over)
    assert bootstrap.main([word, "--help", "a b"]) == 7
    command, cwd = started[0]
    assert command == [str(PYTHON), "-m", *bootstrap.COMMANDS[word].module, "--help", "a b"]
    assert cwd == (bootstrap.ROOT if word == "test" else None)


@pytest.mark.parametrize(
    ("error", "code"),
    [(pip_step.BootstrapError("the fix"), 2), (pip_step.Cancelled("the fix"), 130), (KeyboardInterrupt(), 130)],
)
def test_a_failed_installation_ends_with_one_line(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ensure(extras: object, progress: object) -> Path:
        raise error

    monkeypatch.setattr(bootstrap, "ensure", ensure)
    assert bootstrap.main(["run"]) == code
    assert capsys.readouterr().err.count("\n") == 1


def test_the_parent_waits_for_the_child_and_returns_its_code() -> None:
    assert bootstrap._run_and_wait([sys.executable, "-c", "raise SystemExit(5)"], {}) == 5


def test_a_cp1252_console_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stderr", narrow)
    assert bootstrap.main(["\N{SNOWFLAKE}"]) == 2


def test_it_can_be_imported_by_path_and_prints_nothing(tmp_path: Path) -> None:
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('sv_boot', {str(Path(bootstrap.__file__))!r})\n"
        "module = importlib.util.module_from_spec(spec); sys.modules['sv_boot'] = module\n"
        "spec.loader.exec_module(module); module.ensure"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_extra_of_the_plan_is_in_pyproject() -> None:
    project = (bootstrap.ROOT / "pyproject.toml").read_text("utf-8")
    for extra in (*(extra.name for extra in install_plan.EXTRAS), "test"):
        assert f"\n{extra} = [" in project
    assert json.dumps(TORCH)  # a plain string: it becomes part of command lines
