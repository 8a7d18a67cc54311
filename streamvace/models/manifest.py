"""Published files: which ones a pipeline needs, their sources and local paths. Data in manifest.json, no torch."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command
from streamvace.system.paths import home_folder, user_path

Kind = Literal["transformer", "lora", "context", "text", "tokenizer", "codec"]
FOLDER_VARIABLE = "STREAMVACE_MODELS"

_DATA_FOLDERS = {"win32": ("LOCALAPPDATA", "AppData", "Local"), "darwin": ("", "Library", "Application Support")}
"""Where a platform keeps application data: the variable that names the folder, and its place in the home folder."""


@dataclass(frozen=True)
class ModelFile:
    """A published model.

    id: its local name. variant: the network it is for (a size, a dtype, a codec). paths: its files in the repository.
    parts: keys of the nested state dict in a pickle, preferred first. alpha: of a LoRA without alpha tensors. about_gb:
    size of the download, None if unknown.
    """

    id: str
    kind: Kind
    variant: str
    repository: str
    paths: Sequence[str]
    licence: str
    parts: Sequence[str] = ()
    alpha: float | None = None
    about_gb: float | None = None

    def place(self, folder: Path) -> Path:
        """Its path in a models folder: `ID.safetensors`, or a folder `ID` for a tokenizer."""
        return folder / self.id if self.kind == "tokenizer" else folder / f"{self.id}.safetensors"

    def present(self, folder: Path) -> bool:
        """Whether its file exists; the content is not checked."""
        place = self.place(folder)
        return (place / "tokenizer.json").exists() if self.kind == "tokenizer" else place.exists()


@dataclass(frozen=True)
class PipelineFiles:
    """The models of one pipeline. codecs: the default first."""

    name: str
    transformer: ModelFile
    context: ModelFile
    text: ModelFile
    tokenizer: ModelFile
    codecs: tuple[ModelFile, ...]
    lora: ModelFile | None = None

    def needed(self, codec: str | None = None) -> dict[str, ModelFile]:
        """The models of a run by kind. codec: an id; None: the default. Raises UserError for an unknown codec."""
        chosen = next((each for each in self.codecs if codec in (None, each.id)), None)
        if chosen is None:
            known = ", ".join(each.id for each in self.codecs)
            raise UserError(f"{self.name} has no codec {codec!r}; use one of: {known}")
        lora = {} if self.lora is None else {"lora": self.lora}
        rest = {"context": self.context, "text": self.text, "tokenizer": self.tokenizer, "codec": chosen}
        return {"transformer": self.transformer} | lora | rest


def models_folder() -> Path:
    """$STREAMVACE_MODELS, or `streamvace/models` in the platform's folder for application data.

    `./models` for a user without a home folder. Every message about a missing file names the folder.
    """
    if named := os.environ.get(FOLDER_VARIABLE):
        return user_path(named)
    variable, *rest = _DATA_FOLDERS.get(sys.platform, ("XDG_DATA_HOME", ".local", "share"))
    if data := os.environ.get(variable):
        return Path(data, "streamvace", "models")
    home = home_folder()
    return Path("models").absolute() if home is None else home.joinpath(*rest, "streamvace", "models")


@cache
def model_files() -> Mapping[str, ModelFile]:
    """Every model by id."""

    return {name: ModelFile(id=name, **row) for name, row in _data()["files"].items()}


@cache
def pipelines() -> Mapping[str, PipelineFiles]:
    """Every pipeline that needs downloads, by name."""
    files = model_files()
    return {
        name: PipelineFiles(
            name=name,
            codecs=tuple(files[each] for each in row["codecs"]),
            **{kind: files[each] for kind, each in row.items() if kind != "codecs"},
        )
        for name, row in _data()["pipelines"].items()
    }


def select(names: list[str], codec: str | None = None) -> list[ModelFile]:
    """The models of these pipelines and ids, each once, in order. Raises UserError for an unknown name."""
    chosen: dict[str, ModelFile] = {}
    for name in names:
        if name in pipelines():
            chosen |= {each.id: each for each in pipelines()[name].needed(codec).values()}
        elif name in model_files():
            chosen[name] = model_files()[name]
        else:
            listed = command("models list")
            raise UserError(f"unknown model {name!r}; use one of {', '.join(pipelines())}, or an id from: {listed}")
    return list(chosen.values())


def installed(name: str, codec: str | None = None, folder: Path | None = None) -> dict[str, Path]:
    """By kind, the files of a run of pipeline `name`. Raises UserError with the missing ones and the fix."""
    folder = folder or models_folder()
    if name not in pipelines():
        raise UserError(f"no files are published for pipeline {name!r}; use one of: {', '.join(pipelines())}")
    needed = pipelines()[name].needed(codec)
    if missing := [each.id for each in needed.values() if not each.present(folder)]:
        raise UserError(
            f"{name} needs {len(needed)} models, {len(missing)} are not in {folder}: {', '.join(missing)}; "
            f"run: {command(f'models pull {name}')}"
        )
    return {kind: each.place(folder) for kind, each in needed.items()}


def vision_rows(publisher: str) -> Mapping[str, dict[str, Any]]:
    """By name, the networks of controls and masks from "wheel", "hub" or "web". See models/vision.py."""
    return _data()["vision"][publisher]


def pins() -> Mapping[str, dict[str, Any]]:
    """Commit and SHA-256 of published files by `OWNER/REPOSITORY/PATH`, where they are known. See models/pins.py."""
    return _data()["pins"]


@cache
def _data() -> dict[str, dict[str, dict[str, Any]]]:
    text = files("streamvace.models").joinpath("manifest.json").read_text(encoding="utf-8")
    data: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return data
