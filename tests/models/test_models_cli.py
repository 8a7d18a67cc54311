"""`streamvace models`: fetch, convert, check and find, against a publisher made of local files."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner, Result

from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.autoencoder.wan_vae import LIGHT_WIDTH, WanVAE
from streamvace.model.context import ContextBranch
from streamvace.model.transformer import CausalWan
from streamvace.models import check
from streamvace.models.cli import app
from streamvace.models.manifest import installed, model_files
from streamvace.models.pull import DOWNLOADS
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from tests.networks import SMALL

LONGLIVE = ("longlive-base", "longlive-lora", "vace-1.3b", "umt5-xxl", "umt5-tokenizer", "taehv")
Publisher = dict[tuple[str, str], Callable[[Path], object] | None]


COMMIT = "c0ffee" + "0" * 34
"""The newest commit of every repository, and the only one."""


def metadata(revision: str) -> SimpleNamespace:
    """What the hub says about a file."""
    assert revision in ("main", COMMIT)
    return SimpleNamespace(size=1000, commit_hash=COMMIT)


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def lora() -> dict[str, torch.Tensor]:
    """LongLive's naming, on one matrix."""
    name = "base_model.model.blocks.0.self_attn.q"
    return {f"{name}.lora_A.weight": torch.ones(2, SMALL.dim), f"{name}.lora_B.weight": torch.ones(SMALL.dim, 2)}


def under(prefix: str, module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {prefix + name: value for name, value in module.state_dict().items()}


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """Stands in for huggingface_hub; what is fetched is written by the test's own functions."""
    published: Publisher = {
        ("Efficient-Large-Model/LongLive-1.3B", "models/longlive_base.pt"): lambda path: torch.save(
            {"generator": under("model.", CausalWan(SMALL)), "step": 1}, path
        ),
        ("Efficient-Large-Model/LongLive-1.3B", "models/lora.pt"): lambda path: torch.save(
            {"generator_lora": lora()}, path
        ),
        ("Kijai/WanVideo_comfy", "Wan2_1-VACE_module_1_3B_bf16.safetensors"): lambda path: save_file(
            ContextBranch(SMALL).to(torch.bfloat16).state_dict(), path
        ),
        ("lightx2v/Autoencoders", "taew2_1.pth"): lambda path: torch.save(TAEHV().state_dict(), path),
    }
    for name in model_files()["umt5-tokenizer"].paths:
        published["Wan-AI/Wan2.1-T2V-1.3B", name] = lambda path: path.write_text("{}")

    class HTTPError(Exception):
        """The library's below the hub."""

    class ConnectError(HTTPError):
        pass

    class HfHubHTTPError(HTTPError):
        pass

    def download(repo_id: str, filename: str, revision: str, local_dir: str) -> str:
        assert revision == COMMIT, "a branch may have moved since its commit was read"
        path = Path(local_dir) / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        if (repo_id, filename) not in published:
            raise HfHubHTTPError("404: no such file\nand a second line")
        if (write := published[repo_id, filename]) is None:
            raise ConnectError("name or service not known")
        write(path)
        return str(path)

    hub: Any = ModuleType("huggingface_hub")
    hub.hf_hub_download = download
    hub.hf_hub_url = lambda repo, path, revision: revision
    hub.get_hf_file_metadata = lambda revision: metadata(revision)
    hub.errors = ModuleType("huggingface_hub.errors")
    hub.errors.HfHubHTTPError = HfHubHTTPError
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", hub.errors)
    return published


def test_pulled_models_are_converted_checked_and_in_their_place(publisher: Publisher, models: Path) -> None:
    said = run("pull", "longlive-base", "longlive-lora", "vace-1.3b", "taehv", "umt5-tokenizer").output
    assert "longlive-lora: ready" in said
    assert "licence: Apache-2.0" in said
    assert "left out, not tensors" not in said
    assert load_file(models / "longlive-base.safetensors").keys() == under("model.", CausalWan(SMALL)).keys()
    assert load_file(models / "longlive-lora.safetensors").keys() == lora().keys()
    assert sorted(path.name for path in (models / "umt5-tokenizer").iterdir()) == sorted(
        Path(path).name for path in model_files()["umt5-tokenizer"].paths
    )
    assert not [path for path in (models / DOWNLOADS).rglob("*") if path.is_file()]
    checked = run("check")
    assert checked.exit_code == 0
    assert checked.output.count("good") == 5
    assert "changes 1 parameters" in checked.output


def test_a_pipeline_is_pulled_whole_and_what_is_here_is_not_fetched_again(
    publisher: Publisher, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher["Kijai/WanVideo_comfy", "umt5-xxl-enc-fp8_e4m3fn.safetensors"] = lambda path: save_file(
        {"norm.weight": torch.ones(1)}, path
    )
    monkeypatch.setattr(check, "check_encoder", lambda place: 1)
    run("pull", "longlive")
    assert set(installed("longlive").values()) == {model_files()[name].place(models) for name in LONGLIVE}
    publisher.clear()
    assert run("pull", "longlive").output.count("already downloaded") == len(LONGLIVE)
    with pytest.raises(UserError, match=r"404: no such file; run the same command again"):
        run("pull", "longlive", "--again")


def test_a_model_that_is_not_what_it_says_never_reaches_its_place(publisher: Publisher, models: Path) -> None:
    publisher["lightx2v/Autoencoders", "taew2_1.pth"] = lambda path: torch.save({"a": torch.ones(1)}, path)
    with pytest.raises(UserError, match="lacks"):
        run("pull", "taehv")
    assert not (models / "taehv.safetensors").exists()


def test_a_file_that_its_publisher_replaces_is_refused_until_its_pin_is_removed(
    publisher: Publisher, models: Path
) -> None:
    weights = TAEHV().state_dict()
    publisher["lightx2v/Autoencoders", "taew2_1.pth"] = lambda path: torch.save(weights, path)
    said = run("pull", "taehv").output
    assert "lightx2v/Autoencoders/taew2_1.pth at c0ffee000000" in said
    lock = json.loads((models / "models.lock.json").read_text())
    pin = lock["lightx2v/Autoencoders/taew2_1.pth"]
    assert pin["commit"] == COMMIT
    assert len(pin["sha256"]) == 64
    assert "ready" in run("pull", "taehv", "--again").output, "the same content is the same file"

    other = {name: value + 1 for name, value in weights.items()}
    publisher["lightx2v/Autoencoders", "taew2_1.pth"] = lambda path: torch.save(other, path)
    line = rf"has sha256 [0-9a-f]{{12}}\.\.\., the first download had {pin['sha256'][:12]}.*remove its entry from"
    with pytest.raises(UserError, match=line):
        run("pull", "taehv", "--again")
    kept = load_file(models / "taehv.safetensors")
    assert all(torch.equal(kept[name], value) for name, value in weights.items()), "the old model stays"
    del kept  # it maps the file, which Windows does not replace then
    assert not [path for path in (models / DOWNLOADS).rglob("*") if path.is_file()], "the refused file is gone"
    (models / "models.lock.json").write_text(json.dumps({}))
    assert "ready" in run("pull", "taehv", "--again").output


def test_a_model_that_a_show_uses_stays_and_the_line_says_what_to_do(
    publisher: Publisher, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = TAEHV().state_dict()
    publisher["lightx2v/Autoencoders", "taew2_1.pth"] = lambda path: torch.save(weights, path)
    run("pull", "taehv")
    before, rename = (models / "taehv.safetensors").read_bytes(), os.replace

    def held(whole: Path, path: Path) -> None:
        if path == models / "taehv.safetensors":
            raise PermissionError(13, "Access is denied")
        rename(whole, path)

    monkeypatch.setattr(os, "replace", held)
    monkeypatch.setattr("streamvace.system.files._PATIENCE_S", 0.0)
    with pytest.raises(
        UserError, match=r"taehv.safetensors cannot be replaced \(Access is denied\); end the show that"
    ):
        run("pull", "taehv", "--again")
    assert (models / "taehv.safetensors").read_bytes() == before


def test_a_model_comes_from_another_disk_too(
    publisher: Publisher, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher["lightx2v/Autoencoders", "taew2_1.pth"] = lambda path: torch.save(TAEHV().state_dict(), path)
    rename = os.replace

    def elsewhere(whole: Path, path: Path) -> None:
        if path == models / "taehv.safetensors":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(whole, path)

    monkeypatch.setattr(os, "replace", elsewhere)
    assert "ready" in run("pull", "taehv").output
    assert (models / "taehv.safetensors").exists()


def test_a_network_that_is_down_is_one_line(publisher: Publisher, models: Path) -> None:
    publisher["lightx2v/Autoencoders", "taew2_1.pth"] = None
    with pytest.raises(UserError, match=r"^No connection to the model hub; run the command again to resume\.$"):
        run("pull", "taehv")


def test_a_disk_that_is_too_small_is_reported_before_the_download(
    publisher: Publisher, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1900))
    publisher.clear()
    with pytest.raises(
        UserError, match=r"taehv needs 0\.0 GB in .*, 0\.0 GB are free; make room, or set STREAMVACE_MODELS"
    ):
        run("pull", "taehv")


def test_pulling_without_the_hub_names_the_package(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match=re.escape(install_command("wan"))):
        run("pull", "taehv")


def test_check_names_every_wrong_file_and_says_so_with_its_exit_code(models: Path) -> None:
    models.mkdir()
    save_file(ContextBranch(SMALL).state_dict(), models / "longlive-base.safetensors")
    save_file(ContextBranch(SMALL).state_dict(), models / "vace-1.3b.safetensors")
    save_file(WanVAE(LIGHT_WIDTH).state_dict(), models / "lightvae.safetensors")
    save_file(WanVAE(8).state_dict(), models / "wan-vae.safetensors")
    checked = run("check")
    assert checked.exit_code == 1
    assert (checked.output.count("good"), checked.output.count("WRONG")) == (2, 2)
    assert "is [8, 3, 3, 3, 3], this model needs [96, 3, 3, 3, 3]" in checked.output
    absent = run("check", "krea-realtime-base")
    assert absent.exit_code == 1
    assert "models pull krea-realtime-base" in absent.output
    assert "MISSING" in absent.output
    assert "WRONG" not in absent.output


def test_checking_an_empty_folder_says_what_to_do(models: Path) -> None:
    with pytest.raises(UserError, match="models pull longlive"):
        run("check")


def test_convert_writes_beside_the_source_in_the_wanted_dtype(tmp_path: Path) -> None:
    torch.save({"generator": {"a": torch.ones(3)}, "generator_ema": {"a": torch.zeros(3)}}, tmp_path / "w.pt")
    assert (
        "1 tensors of generator_ema"
        in run("convert", str(tmp_path / "w.pt"), "--part", "generator_ema", "--dtype", "bf16").output
    )
    assert load_file(tmp_path / "w.safetensors")["a"].tolist() == [0, 0, 0]
    assert load_file(tmp_path / "w.safetensors")["a"].dtype is torch.bfloat16
    with pytest.raises(UserError, match="unknown dtype 'int3'"):
        run("convert", str(tmp_path / "w.pt"), "--dtype", "int3")


def test_list_and_where_tell_without_loading_torch(models: Path) -> None:
    listed = run("list").output
    for name in LONGLIVE:
        assert name in listed
    assert str(models) in run("where").output
    assert f"taehv\t{models / 'taehv.safetensors'}\tmissing" in run("where", "longlive").output
    code = "import sys, streamvace.models.cli as c; c.pipelines(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_models_folder_that_cannot_be_created_is_refused_with_the_variable_that_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("STREAMVACE_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(UserError, match=r"file.models cannot be created .*; name another in STREAMVACE_MODELS"):
        run("pull", "vision")
