"""Every published layout of a Wan checkpoint loads to the same weights, and everything else is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from streamvace.model.checkpoint import load_module
from streamvace.model.context import ContextBranch
from streamvace.model.specs import WAN_1_3B, WAN_14B, WanSize
from streamvace.model.transformer import CausalWan
from streamvace.model.wan_checkpoint import check_context, check_wan, load_context, load_wan, unwrapped
from streamvace.system.errors import UserError
from tests.networks import SMALL

Weights = dict[str, Tensor]


def base_weights(size: WanSize = SMALL) -> Weights:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return CausalWan(size).state_dict()


def context_weights(size: WanSize = SMALL) -> Weights:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return ContextBranch(size).state_dict()


def under(prefix: str, weights: Weights) -> Weights:
    return {prefix + name: value for name, value in weights.items()}


def fsdp(weights: Weights) -> Weights:
    """Names as a trained, sharded wrapper leaves them."""
    return {f"model._fsdp_wrapped_module.{name}": value for name, value in weights.items()}


LAYOUTS: dict[str, Callable[[Weights], Weights]] = {
    "flat (Wan-AI)": dict,
    "model. (Krea, Reward Forcing)": lambda w: under("model.", w),
    "generator.model. (LongLive, MemFlow, StreamDiffusionV2)": lambda w: under("generator.model.", w),
    "both averages": lambda w: (
        under("generator.model.", w) | under("generator_ema.model.", {name: value + 1 for name, value in w.items()})
    ),
    "beside a critic": lambda w: (
        under("generator.model.", w) | under("critic.model.", {name: value * 2 for name, value in w.items()})
    ),
    "fsdp": lambda w: under("generator.", fsdp(w)),
    "diffusion_model. (ComfyUI)": lambda w: under("model.diffusion_model.", w),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_published_nesting_loads_the_same_weights(tmp_path: Path, layout: str) -> None:
    weights = base_weights()
    save_file(LAYOUTS[layout](weights), tmp_path / "w.safetensors")
    loaded = load_wan(SMALL, tmp_path / "w.safetensors", dtype=torch.float32).state_dict()
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)


@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn])
def test_every_stored_dtype_becomes_the_wanted_one(tmp_path: Path, stored: torch.dtype) -> None:
    weights = {name: value.to(stored) for name, value in base_weights().items()}
    save_file(weights, tmp_path / "w.safetensors")
    model = load_wan(SMALL, tmp_path / "w.safetensors", dtype=torch.bfloat16)
    for name, value in model.state_dict().items():
        assert value.dtype is torch.bfloat16
        assert torch.equal(value, weights[name].to(torch.bfloat16))
        assert not value.is_meta


def test_shards_load_as_one_file_does(tmp_path: Path) -> None:
    weights = under("model.", base_weights())
    names = sorted(weights)
    index: dict[str, str] = {}
    for number, part in enumerate((names[: len(names) // 2], names[len(names) // 2 :])):
        file = f"diffusion_pytorch_model-0000{number + 1}-of-00002.safetensors"
        save_file({name: weights[name] for name in part}, tmp_path / file)
        index |= dict.fromkeys(part, file)
    path = tmp_path / "diffusion_pytorch_model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": index}))
    for given in (path, tmp_path):
        loaded = load_wan(SMALL, given, dtype=torch.float32).state_dict()
        assert all(torch.equal(loaded[name.removeprefix("model.")], weights[name]) for name in weights)


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({"a": "shard.safetensors", "invented": "shard.safetensors"}, r"disagree about 1 \(invented\)"),
        ({"a": "../shard.safetensors"}, "outside its folder"),
        ({"a": "absent.safetensors"}, "no weights at"),
        ("not a table", "cannot read the index"),
    ],
)
def test_an_index_that_is_not_true_to_its_shards_is_refused(tmp_path: Path, weight_map: object, message: str) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "shard.safetensors")
    path = tmp_path / "w.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(UserError, match=message):
        load_wan(SMALL, path)


def test_a_full_vace_checkpoint_gives_both_halves(tmp_path: Path) -> None:
    base, context = base_weights(), context_weights()
    save_file(base | context, tmp_path / "full.safetensors")
    save_file(context, tmp_path / "module.safetensors")
    wan = load_wan(SMALL, tmp_path / "full.safetensors", dtype=torch.float32).state_dict()
    assert all(torch.equal(wan[name], base[name]) for name in base)
    for file in ("full", "module"):
        branch = load_context(SMALL, tmp_path / f"{file}.safetensors", dtype=torch.float32).state_dict()
        assert all(torch.equal(branch[name], context[name]) for name in context)


def test_a_checkpoint_of_another_size_is_refused_with_both_shapes(tmp_path: Path) -> None:
    wider = replace(SMALL, dim=48, num_layers=3)
    save_file(base_weights(wider) | context_weights(wider), tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"is \[48, 16, 1, 2, 2\], this model needs \[24, 16, 1, 2, 2\]"):
        check_wan(SMALL, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=r"is \[48, 96, 1, 2, 2\], this model needs \[24, 96, 1, 2, 2\]"):
        check_context(SMALL, tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"img_emb.proj.0.weight": torch.ones(1)}, r"1 \(model\.img_emb\.proj\.0\.weight\) unknown"),
        ({"vace_invented": torch.ones(1)}, r"1 \(model\.vace_invented\) unknown"),
        ({"blocks.0.self_attn.q.scale_weight": torch.ones(1)}, "scale_weight"),
    ],
)
def test_a_tensor_that_nobody_knows_is_named_as_it_is_stored(tmp_path: Path, extra: Weights, message: str) -> None:
    save_file(under("model.", base_weights() | extra), tmp_path / "w.safetensors")
    with pytest.raises(UserError, match=message):
        load_wan(SMALL, tmp_path / "w.safetensors")


def test_one_unprefixed_name_keeps_the_prefix_of_all() -> None:
    """A prefix is a layout only when everything has it; otherwise the odd one out must be seen."""
    assert unwrapped(["model.a", "b"]) == {"model.a": "model.a", "b": "b"}


def test_a_base_offered_as_vace_is_refused_and_so_is_a_missing_part(tmp_path: Path) -> None:
    save_file(base_weights(), tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="holds no VACE branch"):
        load_context(SMALL, tmp_path / "w.safetensors")
    with pytest.raises(UserError, match="no part 'generator_ema'; it has no nesting"):
        load_wan(SMALL, tmp_path / "w.safetensors", part="generator_ema")


def test_the_average_is_taken_when_asked_for(tmp_path: Path) -> None:
    save_file(LAYOUTS["both averages"](base_weights()), tmp_path / "w.safetensors")
    plain = load_wan(SMALL, tmp_path / "w.safetensors", dtype=torch.float32)
    average = load_wan(SMALL, tmp_path / "w.safetensors", dtype=torch.float32, part="generator_ema")
    assert torch.equal(average.head.head.bias, plain.head.head.bias + 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's own count of a process's memory")
def test_weights_in_the_stored_dtype_are_not_copied(tmp_path: Path) -> None:
    """128 MiB of weights stay the file's pages: private memory grows by far less, even after a first use."""
    save_file({"weight": torch.ones(8192, 8192, dtype=torch.bfloat16)}, tmp_path / "w.safetensors")

    def private_kib() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

    before = private_kib()
    layer = load_module(lambda: nn.Linear(8192, 8192, bias=False), tmp_path / "w.safetensors", dtype=torch.bfloat16)
    assert float(layer.weight.min()) == 1
    assert private_kib() - before < 32 * 1024


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin"])
def test_a_pickle_is_never_opened(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(b"anything")
    with pytest.raises(UserError, match="models convert"):
        load_wan(SMALL, path)


@pytest.mark.parametrize(("size", "base", "context"), [(WAN_1_3B, 825, 439), (WAN_14B, 1095, 236)])
def test_the_networks_have_as_many_tensors_as_the_published_files(size: WanSize, base: int, context: int) -> None:
    with torch.device("meta"):
        assert len(CausalWan(size).state_dict()) == base
        assert len(ContextBranch(size).state_dict()) == context
