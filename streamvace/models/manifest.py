"""Which files a pipeline needs, where they are published and where they lie here. Data in manifest.json, no torch."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

Kind = Literal["transformer", "lora", "context", "text", "tokenizer", "codec"]
FOLDER_VARIABLE = "STREAMVACE_MODELS"


@dataclass(frozen=True)
class ModelFile:
    """One published model.

    id: its name here. variant: which network it is for (a size, a dtype, a codec). paths: its files in the repository.
    parts: nestings of a pickle to take, preferred first. alpha: of a LoRA without alpha tensors. about_gb: None where
    the publisher's size is not known here.
    """

    id: str
    kind: Kind
    variant: str
    repository: str
    paths: tuple[str, ...]
    licence: str
    parts: tuple[str, ...] = ()
    alpha: float | None = None
    about_gb: float | None = None

    def place(self, folder: Path) -> Path:
        """Where it lies in a models folder: `ID.safetensors`, or a folder `ID` for a tokenizer."""
        return folder / self.id if self.kind == "tokenizer" else folder / f"{self.id}.safetensors"

    def present(self, folder: Path) -> bool:
        """Whether it is there, whole or not."""
        place = self.place(folder)
        return (place / "tokenizer.json").exists() if self.kind == "tokenizer" else place.exists()


@dataclass(frozen=True)
class PipelineFiles:
    """The models of one pipeline. codecs: those it can run with, its default first."""

    name: str
    transformer: ModelFile
    context: ModelFile
    text: ModelFile
    tokenizer: ModelFile
    codecs: tuple[ModelFile, ...]
    lora: ModelFile | None = None

    def needed(self, codec: str | None = None) -> dict[str, ModelFile]:
        """By kind, what a run with `codec` (an id; None: the default) takes. Raises UserError for another codec."""
        chosen = next((each for each in self.codecs if codec in (None, each.id)), None)
        if chosen is None:
            known = ", ".join(each.id for each in self.codecs)
            raise UserError(f"{self.name} has no codec {codec!r}; there are: {known}")
        found = {
            "transformer": self.transformer,
            "lora": self.lora,
            "context": self.context,
            "text": self.text,
            "tokenizer": self.tokenizer,
            "codec": chosen,
        }
        return {kind: each for kind, each in found.items() if each is not None}


def models_folder() -> Path:
    """$STREAMVACE_MODELS, or `streamvace/models` in the platform's folder for application data."""
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return base / "streamvace" / "models"


@cache
def model_files() -> Mapping[str, ModelFile]:
    """Every model by id."""

    def frozen(value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    rows = _data()["files"].items()
    return {name: ModelFile(id=name, **{key: frozen(value) for key, value in row.items()}) for name, row in rows}


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
    """The models that pipelines and ids name, each once, in order. Raises UserError for an unknown name."""
    chosen: dict[str, ModelFile] = {}
    for name in names:
        if name in pipelines():
            chosen |= {each.id: each for each in pipelines()[name].needed(codec).values()}
        elif name in model_files():
            chosen[name] = model_files()[name]
        else:
            raise UserError(f"nothing is called {name!r}; pipelines: {', '.join(pipelines())}; see `models list`")
    return list(chosen.values())


def installed(name: str, codec: str | None = None, folder: Path | None = None) -> dict[str, Path]:
    """By kind, the paths a run of pipeline `name` loads. Raises UserError naming what is not there and the mend."""
    folder = folder or models_folder()
    if name not in pipelines():
        raise UserError(f"no files are published for pipeline {name!r}; there are: {', '.join(pipelines())}")
    needed = pipelines()[name].needed(codec)
    if missing := [each.id for each in needed.values() if not each.present(folder)]:
        raise UserError(
            f"{name} needs {len(needed)} models, {len(missing)} are not in {folder}: {', '.join(missing)}; "
            f"`{command(f'models pull {name}')}` fetches them"
        )
    return {kind: each.place(folder) for kind, each in needed.items()}


@cache
def _data() -> dict[str, dict[str, dict[str, Any]]]:
    text = files("streamvace.models").joinpath("manifest.json").read_text(encoding="utf-8")
    data: dict[str, dict[str, dict[str, Any]]] = json.loads(text)
    return data
