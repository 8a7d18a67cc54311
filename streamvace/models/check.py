"""Whether a file is the model it claims to be: names and shapes are compared, values are not read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import nn

from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.autoencoder.wan_vae import FULL_WIDTH, LIGHT_WIDTH, WanVAE
from streamvace.model.checkpoint import match
from streamvace.model.lora import read_lora
from streamvace.model.specs import WAN_1_3B, WAN_14B
from streamvace.model.stored import StoredTensors
from streamvace.model.transformer import CausalWan
from streamvace.model.umt5 import check_encoder
from streamvace.model.wan_checkpoint import check_context, check_wan, unwrapped
from streamvace.models.manifest import ModelFile
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

SIZES = {"1.3B": WAN_1_3B, "14B": WAN_14B}
CODECS: dict[str, Callable[[], nn.Module]] = {
    "taehv": lambda: TAEHV("normalised"),
    "taehv-raw": lambda: TAEHV("raw"),
    "wan": lambda: WanVAE(FULL_WIDTH),
    "wan-light": lambda: WanVAE(LIGHT_WIDTH),
}


def codec_names(stored: Iterable[str]) -> dict[str, str]:
    """The renaming of codec files: prefixes of wrappers are removed."""
    return unwrapped(stored)


def check_file(entry: ModelFile, place: Path) -> str:
    """One line about a good file. Raises UserError for any other, with both values."""
    if not place.exists():
        raise UserError(f"not downloaded; run: {command(f'models pull {entry.id}')}")
    if entry.kind == "tokenizer":
        wanted = [Path(each).name for each in entry.paths]
        if missing := [name for name in wanted if not (place / name).exists()]:
            raise UserError(f"{place} lacks {', '.join(missing)}; run: {command(f'models pull {entry.id}')}")
        return f"{len(wanted)} files"
    if entry.kind == "lora":
        with torch.device("meta"):
            model = CausalWan(SIZES[entry.variant])
        return f"changes {len(read_lora(place, model, entry.alpha).deltas)} parameters"
    if entry.kind == "codec":
        with torch.device("meta"):
            codec = CODECS[entry.variant]()
        with StoredTensors(place) as stored:
            count = len(match(codec, stored, codec_names))
    elif entry.kind == "text":
        count = check_encoder(place)
    else:
        check = check_wan if entry.kind == "transformer" else check_context
        count = check(SIZES[entry.variant], place)
    return f"{count} tensors"
