"""From checkpoints to the package that ships: four small safetensors files and a card that describes them."""

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
"""File in the training folder: the stages of the package that training continues."""
LIMIT = 16_000_000
"""Largest size of the package's weights in bytes."""
PARTS = {"transformer.": "transformer", "context.": "context", "text_encoder.": "text"}


def stored_as(key: str) -> torch.dtype:
    """fp16, but fp8 for the second matrix of each feed-forward part: the least sensitive ones, which saves 1.8 MB."""
    return torch.float8_e4m3fn if key.endswith("ffn.2.weight") else torch.float16


def _average(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not path.exists():
        raise UserError(f"no checkpoint {path}; `streamvace train {path.stem}` creates it")
    state = torch.load(path, weights_only=True)
    return state["average"], {"steps": state["step"], "minutes": round(state["elapsed"] / 60, 1)}


def trained_network(config: TrainConfig) -> tuple[Network, dict[str, Any]]:
    """The network that ships (of `demo` if that stage ran, else of `images`), and steps and minutes of each stage."""
    history: dict[str, Any] = {}
    state: dict[str, Tensor] = {}
    ran = [name for name in ("images", "demo") if (config.folder / f"{name}.pt").exists()]
    for name in ran or ("images",):
        state, history[name] = _average(config.folder / f"{name}.pt")
    if config.keep:
        if config.start_from is None or not config.start_from.is_dir():
            raise UserError(f"keep {config.keep:g} needs a package folder in start_from, got {config.start_from}")
        earlier = load_package(config.start_from)[0].state_dict()
        state = {key: torch.lerp(value, earlier[key], config.keep) for key, value in state.items()}
    net = Network()
    net.load_state_dict(state)
    return net.eval(), history


def stage_network(folder: Path, name: str) -> Network:
    """The averaged network of one stage. Raises UserError if it has not run."""
    net = Network()
    net.load_state_dict(_average(folder / f"{name}.pt")[0])
    return net.eval()


def trained_codec(config: TrainConfig) -> tuple[TinyAE, dict[str, Any]]:
    """The codec with its trained decoder, or only with the linear one if that stage has not run; and its history."""
    model, history = TinyAE(), {}
    path = config.folder / "decoder.pt"
    if path.exists():
        state, history["decoder"] = _average(path)
    else:
        state = torch.load(config.folder / "codec.pt", weights_only=True)
    model.load_state_dict(state)
    return model.eval(), history


def adopt_package(package: Path, folder: Path) -> None:
    """Prepare a training folder to continue a package: copy its codec and record the stages that it came from."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(package_codec(package).state_dict(), folder / "codec.pt")
    card = json.loads((package / "card.json").read_text(encoding="utf-8"))
    stages = [*card.get("before", []), card["stages"]]
    (folder / BEFORE).write_text(json.dumps(stages), encoding="utf-8")


def _before(folder: Path) -> list[dict[str, Any]]:
    """The stages of the packages before this one, oldest first."""
    path = folder / BEFORE
    stages: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return stages


def write_package(config: TrainConfig, figures: dict[str, float], folder: Path = WEIGHTS) -> int:
    """Write the package; returns the size of its weights in bytes. Raises UserError if they exceed LIMIT.

    figures: measured quality, for the card.
    """
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
        "keep": config.keep,
        "stages": {**history, **more},
        "before": _before(config.folder),
        "size": asdict(EMBEDDED),
        "vocabulary": list(VOCABULARY),
        "figures": {key: round(value, 4) for key, value in figures.items()},
    }
    (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    if size > LIMIT:
        raise UserError(f"the package has {size / 1e6:.1f} MB; the limit is {LIMIT / 1e6:.0f} MB")
    return size


def package_state(folder: Path) -> dict[str, Tensor]:
    """The weights of a package's networks, in fp32; its vocabulary may be shorter than today's."""
    state: dict[str, Tensor] = {}
    for prefix, name in PARTS.items():
        for key, value in load_file(folder / f"{name}.safetensors").items():
            state[prefix + key] = value.float()
    return state


def package_codec(folder: Path) -> TinyAE:
    """The codec of a package, in fp32."""
    codec = TinyAE()
    codec.load_state_dict({key: value.float() for key, value in load_file(folder / "codec.safetensors").items()})
    return codec.eval()


def load_package(folder: Path = WEIGHTS) -> tuple[Network, TinyAE]:
    """The networks and the codec of a package, in fp32. Keys and shapes must match exactly."""
    net = Network()
    net.load_state_dict(package_state(folder))
    return net.eval(), package_codec(folder)
