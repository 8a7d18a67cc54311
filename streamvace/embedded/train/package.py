"""From checkpoints to what ships: four small safetensors files and a card that says what they are."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from streamvace.embedded.train.config import TrainConfig
from streamvace.embedded.train.network import Network
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.model.specs import EMBEDDED
from streamvace.system.errors import UserError
from streamvace.world.captions import VOCABULARY

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
BEFORE = "before.json"
"""In the training folder: the stages of the package that the weights go on from."""
LIMIT = 16_000_000
"""Bytes the package may weigh in all."""
PARTS = {"transformer.": "transformer", "context.": "context", "text_encoder.": "text"}


def stored_as(key: str) -> torch.dtype:
    """fp16, but 8-bit floats for the second matrix of each feed-forward: least sensitive, and 1.8 MB less to ship."""
    return torch.float8_e4m3fn if key.endswith("ffn.2.weight") else torch.float16


def _average(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not path.exists():
        raise UserError(f"no checkpoint {path}; `streamvace train {path.stem}` makes it")
    state = torch.load(path, weights_only=True)
    return state["average"], {"steps": state["step"], "minutes": round(state["elapsed"] / 60, 1)}


def trained_network(config: TrainConfig) -> tuple[Network, dict[str, Any]]:
    """What ships: the `demo` stage's network if it ran, else that of `images`; and how long each stage took."""
    history: dict[str, Any] = {}
    state: dict[str, Tensor] = {}
    ran = [name for name in ("images", "demo") if (config.folder / f"{name}.pt").exists()]
    for name in ran or ("images",):
        state, history[name] = _average(config.folder / f"{name}.pt")
    net = Network()
    net.load_state_dict(state)
    return net.eval(), history


def stage_network(folder: Path, name: str) -> Network:
    """The averaged weights of one stage. Raises UserError when it has not run."""
    net = Network()
    net.load_state_dict(_average(folder / f"{name}.pt")[0])
    return net.eval()


def trained_codec(config: TrainConfig) -> tuple[TinyAE, dict[str, Any]]:
    """The codec with its trained decoder, or with the linear one when that stage has not run."""
    model, history = TinyAE(), {}
    path = config.folder / "decoder.pt"
    if path.exists():
        state, history["decoder"] = _average(path)
    else:
        state = torch.load(config.folder / "codec.pt", weights_only=True)
    model.load_state_dict(state)
    return model.eval(), history


def adopt_package(package: Path, folder: Path) -> None:
    """Go on from a package: its codec becomes the folder's, and the folder remembers the stages that made it."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(load_package(package)[1].state_dict(), folder / "codec.pt")
    card = json.loads((package / "card.json").read_text(encoding="utf-8"))
    stages = [*card.get("before", []), card["stages"]]
    (folder / BEFORE).write_text(json.dumps(stages), encoding="utf-8")


def _before(folder: Path) -> list[dict[str, Any]]:
    """The stages of each package before, the first of them first."""
    path = folder / BEFORE
    stages: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return stages


def write_package(config: TrainConfig, figures: dict[str, float], folder: Path = WEIGHTS) -> int:
    """Write the files; returns their size in bytes. Raises UserError when they are too big to ship."""
    net, history = trained_network(config)
    codec, more = trained_codec(config)
    folder.mkdir(parents=True, exist_ok=True)
    weights = net.state_dict()
    files = {
        name: {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
        for prefix, name in PARTS.items()
    }
    files["codec"] = dict(codec.state_dict())
    size = 0
    for name, tensors in files.items():
        path = folder / f"{name}.safetensors"
        save_file({key: value.to(stored_as(key)).contiguous() for key, value in tensors.items()}, path)
        path.chmod(0o644)
        size += path.stat().st_size
    card = {
        "what": "streamvace embedded model: causal VACE at 256x256, 12 frames a chunk, closed vocabulary",
        "how": "trained from nothing on the procedural world by `streamvace train`; see embedded/train/config.json",
        "licence": "Apache-2.0, as the program",
        "seed": config.seed,
        "stages": {**history, **more},
        "before": _before(config.folder),
        "size": asdict(EMBEDDED),
        "vocabulary": list(VOCABULARY),
        "figures": {key: round(value, 4) for key, value in figures.items()},
    }
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    if size > LIMIT:
        raise UserError(f"the package weighs {size / 1e6:.1f} MB, at most {LIMIT / 1e6:.0f} MB may ship")
    return size


def load_package(folder: Path = WEIGHTS) -> tuple[Network, TinyAE]:
    """What ships, in fp32: the three networks and the codec. Keys and shapes must fit exactly."""
    net, codec = Network(), TinyAE()
    state: dict[str, Tensor] = {}
    for prefix, name in PARTS.items():
        for key, value in load_file(folder / f"{name}.safetensors").items():
            state[prefix + key] = value.float()
    net.load_state_dict(state)
    codec.load_state_dict({key: value.float() for key, value in load_file(folder / "codec.safetensors").items()})
    return net.eval(), codec.eval()
