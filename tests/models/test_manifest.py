"""The manifest agrees with the pipelines and the networks, and says where everything lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamvace.model.specs import PIPELINES
from streamvace.models.check import CODECS, SIZES
from streamvace.models.manifest import installed, model_files, models_folder, pipelines, select
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command


def test_every_pipeline_but_the_built_in_one_has_its_files() -> None:
    assert set(pipelines()) == set(PIPELINES) - {"embedded"}


def test_no_model_has_the_name_of_a_pipeline() -> None:
    """`models pull NAME` must mean one thing."""
    assert not set(pipelines()) & set(model_files())


def test_every_file_is_for_a_network_that_exists() -> None:
    for row in pipelines().values():
        assert row.transformer.variant == row.context.variant
        assert row.lora is None or row.lora.variant == row.transformer.variant
        assert (row.context.kind, row.text.kind, row.tokenizer.kind) == ("context", "text", "tokenizer")
    for each in model_files().values():
        assert each.licence
        assert each.repository.count("/") == 1
        if each.kind in ("transformer", "context", "lora"):
            assert each.variant in SIZES
        if each.kind == "codec":
            assert each.variant in CODECS
        assert each.kind == "tokenizer" or len(each.paths) == 1


def test_the_size_of_each_pipeline_s_files_is_the_pipeline_s_own() -> None:
    from streamvace.model.specs import WAN_1_3B, WAN_14B

    sizes = {"1.3B": WAN_1_3B, "14B": WAN_14B}
    for name, row in pipelines().items():
        assert sizes[row.transformer.variant] == PIPELINES[name].size


@pytest.mark.parametrize(
    ("platform", "variable", "end"),
    [
        ("win32", "LOCALAPPDATA", "data/streamvace/models"),
        ("linux", "XDG_DATA_HOME", "data/streamvace/models"),
        ("linux", None, ".local/share/streamvace/models"),
        ("darwin", None, "Library/Application Support/streamvace/models"),
    ],
)
def test_models_lie_where_the_platform_keeps_application_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, variable: str | None, end: str
) -> None:
    for name in ("STREAMVACE_MODELS", "LOCALAPPDATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "data"))
    assert models_folder().as_posix().endswith(end)
    monkeypatch.setenv("STREAMVACE_MODELS", str(tmp_path / "elsewhere"))
    assert models_folder() == tmp_path / "elsewhere"


def test_a_user_without_a_home_folder_has_the_models_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STREAMVACE_MODELS", "LOCALAPPDATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("streamvace.models.manifest.home_folder", lambda: None)
    monkeypatch.chdir(tmp_path)
    assert models_folder() == tmp_path / "models"


def test_missing_models_are_reported_with_the_command_that_downloads_them(models: Path) -> None:
    with pytest.raises(UserError, match=f"needs 6 models, 6 are not in .*run: {command('models pull longlive')}"):
        installed("longlive")
    with pytest.raises(UserError, match="no files are published for pipeline 'embedded'"):
        installed("embedded")
    with pytest.raises(UserError, match="has no codec 'x'; use one of: taehv, lighttae, wan-vae, lightvae"):
        installed("longlive", codec="x")
    with pytest.raises(UserError, match=r"unknown model 'x'; use one of longlive, .*or an id from: "):
        select(["x"])
    models.mkdir()
    for each in select(["longlive"], codec="wan-vae"):
        place = each.place(models)
        if each.kind == "tokenizer":
            place.mkdir()
            place = place / "tokenizer.json"
        place.write_bytes(b"")
    paths = installed("longlive", codec="wan-vae")
    assert paths["codec"] == models / "wan-vae.safetensors"
    assert paths["lora"] == models / "longlive-lora.safetensors"
    assert set(paths) == {"transformer", "lora", "context", "text", "tokenizer", "codec"}


def test_models_shared_by_two_pipelines_are_fetched_once() -> None:
    chosen = [each.id for each in select(["longlive", "memflow", "vace-1.3b"])]
    assert len(chosen) == len(set(chosen)) == 8
