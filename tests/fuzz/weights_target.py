"""Weights and LoRAs: safetensors, an index of shards, or a LoRA for a small network; anything else is UserError."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterable
from functools import cache

import torch
from safetensors.torch import save
from torch import Tensor, nn

from streamvace.model.lora import MergedLoras, read_lora
from streamvace.model.stored import StoredTensors
from tests.fuzz.scratch import scratch
from tests.fuzz.target import Target, damaged, damaged_json, refusing

WIDTH, RANK = 8, 2


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(WIDTH, WIDTH)
        self.two = nn.Linear(WIDTH, WIDTH)


def check_weights(data: bytes) -> None:
    with refusing(), StoredTensors(scratch("weights.safetensors", data)) as stored:
        for name, shape in stored.shapes.items():
            assert tuple(stored.get(name).shape) == shape
        stored.metadata()


def check_index(data: bytes) -> None:
    scratch("a.safetensors", next(iter(weights())))
    with refusing(), StoredTensors(scratch("model.safetensors.index.json", data)) as stored:
        assert isinstance(stored.shapes, dict)


def check_lora(data: bytes) -> None:
    model = Small()
    with refusing():
        lora = read_lora(scratch("lora.safetensors", data), model)
        MergedLoras(model, [lora])
        assert all(torch.isfinite(each).all() for each in model.parameters())


@cache
def weights() -> Iterable[bytes]:
    tensors = {"a": torch.ones(3, 4), "b": torch.zeros((), dtype=torch.int64), "c": torch.ones(2).half()}
    return [save(tensors, {"note": "x"}), save({}), b"", b"\x80\x04.", struct.pack("<Q", 2**62) + b"{}"]


def index() -> Iterable[bytes]:
    good = {"metadata": {}, "weight_map": dict.fromkeys("abc", "a.safetensors")}
    yield json.dumps(good).encode()
    yield json.dumps({"weight_map": {"a": "../a.safetensors", "b": 7}}).encode()
    yield b"[" * 100_000
    yield b'{"weight_map": ' * 50_000


@cache
def loras() -> Iterable[bytes]:
    down, up = torch.ones(RANK, WIDTH), torch.ones(WIDTH, RANK)
    pair = {"one.lora_A.weight": down, "one.lora_B.weight": up}
    files: tuple[dict[str, Tensor], ...] = (
        pair,
        {**pair, "one.alpha": torch.tensor(2.0)},
        {**pair, "one.alpha": torch.ones(3)},
        {**pair, "one.alpha": torch.tensor(float("nan"))},
        {**pair, "one.alpha": torch.ones(0)},
        {"one.lora_A.weight": torch.ones(0, WIDTH), "one.lora_B.weight": torch.ones(WIDTH, 0)},
        {"one.lora_A.weight": torch.tensor(1.0), "one.lora_B.weight": torch.tensor(1.0)},
        {"one.lora_A.weight": down * torch.nan, "one.lora_B.weight": up},
        {"one.lora_A.weight": down.int(), "one.lora_B.weight": up.bool()},
        {"two.diff": torch.ones(WIDTH, WIDTH), "two.diff_b": torch.ones(WIDTH)},
        {"two.diff": torch.full((WIDTH, WIDTH), torch.inf)},
        {"lora_unet_one.lora_down.weight": down, "lora_unet_one.lora_up.weight": up},
        {"nowhere.lora_A.weight": down},
    )
    return [save(file) for file in files]


def damaged_head(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    """Safetensors whose head is damaged as JSON, with its length put right."""
    length = int.from_bytes(whole[:8], "little")
    if not 0 < length <= len(whole) - 8:
        return damaged(chance, whole, other)
    head = damaged_json(chance, whole[8 : 8 + length], other)
    return struct.pack("<Q", len(head)) + head + whole[8 + length :]


TARGETS = (
    Target("weights", weights, check_weights, rounds=800, damages=(damaged, damaged_head, damaged_head)),
    Target("index", index, check_index, rounds=400, damages=(damaged, damaged_json)),
    Target("lora", loras, check_lora, rounds=800, damages=(damaged, damaged_head)),
)
