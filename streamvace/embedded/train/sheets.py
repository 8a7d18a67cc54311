"""Contact sheets: the transformer's output during training beside the target."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from streamvace.embedded.train.data import Batch
from streamvace.embedded.train.network import CHUNK, Network, encode
from streamvace.embedded.train.photographs import Bytes
from streamvace.embedded.train.sampling import stream
from streamvace.model.autoencoder.tiny import LinearBlocks


def images_of(clips: Tensor) -> Bytes:
    """Pixels `[3, H, W]` in -1..1 -> uint8 `[H, W, 3]`."""
    return np.asarray(((clips.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy(), np.uint8)


def write_sheet(path: Path, picture: Bytes, quality: int = 95) -> None:
    """Write uint8 `[H, W, 3]` RGB in the format of the name's suffix. quality: of a JPEG, 0 to 100.

    Not by `cv2.imwrite`: on Windows it takes names of the system's code page only.
    """
    # OpenCV warns of a JPEG's option with any other format.
    how = [cv2.IMWRITE_JPEG_QUALITY, quality] if path.suffix == ".jpg" else []
    _, encoded = cv2.imencode(path.suffix, picture[..., ::-1], how)
    path.write_bytes(encoded.tobytes())


@torch.no_grad()
def contact_sheet(net: Network, blocks: LinearBlocks, batch: Batch, path: Path, columns: int = 2) -> None:
    """Write a picture with a row per sample: target, control, output with control, output without."""
    net.eval()
    data = encode(blocks, batch)
    frames = data.x0.shape[2]
    span = min(CHUNK, frames)
    contexts: list[Tensor | None] = list(data.context.split(span, 2))
    free: list[Tensor | None] = [None] * len(contexts)
    side = data.x0.shape[-1]
    latents = [torch.cat(stream(net, data.tokens, c, span, side, 0), 2) for c in (contexts, free)]
    parts = [blocks.inverse(each).transpose(1, 2) for each in latents]
    net.train()
    show = [0] if frames == 1 else [0, 6, 12, 20]
    rows = []
    for i in range(len(batch.video)):
        truth = [batch.video[i, k] for k in show]
        control = [batch.control[i, k] for k in show[:: max(1, len(show) // 2)]]
        made = [images_of(part[i, :, k]) for part in parts for k in show]
        rows.append(np.concatenate([*truth, *control, *made], 1))
    per = -(-len(rows) // columns)
    blank = np.zeros_like(rows[0])
    stacks = [rows[c * per : (c + 1) * per] for c in range(columns)]
    stacks = [s + [blank] * (per - len(s)) for s in stacks]
    write_sheet(path, np.concatenate([np.concatenate(s, 0) for s in stacks], 1))
