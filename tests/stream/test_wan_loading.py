"""A pipeline runs from a models folder, or one line says what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.context import ContextBranch
from streamvace.model.quantize import PRECISIONS
from streamvace.model.specs import pipeline
from streamvace.model.transformer import CausalWan
from streamvace.models.manifest import FOLDER_VARIABLE
from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import LoraChoice, ModelOptions
from streamvace.stream import loading, wan_loading
from streamvace.stream.loading import load_generator
from streamvace.stream.wan_loading import check_memory, weight_bytes
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command
from tests.networks import SMALL, WordLengths, save_lora, small_lora


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """LongLive's files with the real names and layouts around a small network."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(loading, "pipeline", lambda name: replace(pipeline(name), size=SMALL))
    torch.manual_seed(0)
    wan = CausalWan(SMALL)
    save_file(
        {f"model.{key}": value for key, value in wan.state_dict().items()}, tmp_path / "longlive-base.safetensors"
    )
    lora = {
        f"base_model.model.blocks.0.ffn.0.lora_{side}.weight": torch.randn(shape)
        for side, shape in (("A", (4, SMALL.dim)), ("B", (SMALL.ffn_dim, 4)))
    }
    save_file(lora, tmp_path / "longlive-lora.safetensors")
    save_file(ContextBranch(SMALL).state_dict(), tmp_path / "vace-1.3b.safetensors")
    save_file(TAEHV().state_dict(), tmp_path / "taehv.safetensors")
    save_file({"token_embedding.weight": torch.zeros(1)}, tmp_path / "umt5-xxl.safetensors")
    tokenizer = tmp_path / "umt5-tokenizer"
    tokenizer.mkdir()
    (tokenizer / "tokenizer.json").write_text("{}")
    monkeypatch.setattr(wan_loading, "UMT5TextEncoder", lambda *_, **__: WordLengths())
    return tmp_path


def test_a_published_pipeline_streams_from_its_files(models: Path) -> None:
    generator = load_generator("longlive", (32, 32), ModelOptions())
    assert [len(generator.step(ChunkInput("red")).frames) for _ in range(2)] == [9, 12]


def test_its_lora_is_merged_into_the_base_and_not_into_the_context_branch(models: Path) -> None:
    merged = load_generator("longlive", (32, 32), ModelOptions(precision="fp32")).networks
    stored = CausalWan(SMALL)
    from safetensors.torch import load_file

    base = {k.removeprefix("model."): v for k, v in load_file(models / "longlive-base.safetensors").items()}
    stored.load_state_dict(base)
    lora = load_file(models / "longlive-lora.safetensors")
    name = "base_model.model.blocks.0.ffn.0.lora_{}.weight"
    scale = 256 / 4
    expected = base["blocks.0.ffn.0.weight"] + scale * lora[name.format("B")] @ lora[name.format("A")]
    torch.testing.assert_close(merged.wan.blocks[0].ffn[0].weight, expected)
    torch.testing.assert_close(
        merged.branch.vace_blocks[0].ffn[0].weight,
        load_file(models / "vace-1.3b.safetensors")["vace_blocks.0.ffn.0.weight"],
    )


def test_the_user_s_lora_is_added_to_the_base_network_only(models: Path) -> None:
    plain = load_generator("longlive", (32, 32), ModelOptions(precision="fp32")).networks
    lora = small_lora(plain.wan, names=["blocks.1.ffn.0"])
    file = save_lora(lora, models / "style.safetensors")
    options = ModelOptions(precision="fp32", loras=(LoraChoice(file, 0.5),), offload="context")
    styled = load_generator("longlive", (32, 32), options).networks
    delta = lora.deltas["blocks.1.ffn.0.weight"].value(plain.wan.blocks[1].ffn[0].weight)
    changed = styled.wan.blocks[1].ffn[0].weight - plain.wan.blocks[1].ffn[0].weight
    torch.testing.assert_close(changed, 0.5 * delta, atol=1e-5, rtol=0)
    for ours, theirs in zip(styled.branch.parameters(), plain.branch.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    with pytest.raises(UserError, match="nowhere"):
        load_generator("longlive", None, ModelOptions(loras=(LoraChoice(models / "nowhere.safetensors"),)))


def test_a_generator_reports_how_it_runs(models: Path) -> None:
    options = ModelOptions(precision="bf16", offload="context", codec="taehv")
    assert load_generator("longlive", (32, 32), options).about == {
        "device": "cpu",
        "precision": "bfloat16",
        "attention": "sdpa",
        "codec": "taehv",
        "offload": "context",
        "compile": "off",
        "latency": "normal",
        "threads": str(torch.get_num_threads()),
    }


def test_an_offloaded_context_branch_needs_no_device_memory(models: Path, files: dict[str, Path]) -> None:
    kept = {kind: path for kind, path in files.items() if kind != "context"}
    whole, rest = (weight_bytes(each, torch.float32, PRECISIONS["auto"]) for each in (files, kept))
    assert whole - rest == sum(p.nbytes for p in ContextBranch(SMALL).parameters())


def test_missing_files_are_named_with_the_command_that_fetches_them(models: Path) -> None:
    (models / "taehv.safetensors").unlink()
    with pytest.raises(UserError, match=f"1 are not in .*: taehv; run: {command('models pull longlive')}"):
        load_generator("longlive", None, ModelOptions())


@pytest.fixture
def files(models: Path) -> dict[str, Path]:
    names = {"transformer": "longlive-base", "context": "vace-1.3b", "codec": "taehv"}
    return {kind: models / f"{name}.safetensors" for kind, name in names.items()}


def test_too_little_memory_is_refused_before_loading_with_both_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (10_400_000_000, 24_000_000_000))
    device = torch.device("cuda")
    with pytest.raises(UserError, match=r"longlive at 832x480 needs 12.1 GB, but 10.4 GB are free on cuda"):
        check_memory(device, 12_100_000_000, "longlive at 832x480")
    check_memory(device, 10_000_000_000, "longlive at 832x480")


def test_eight_bit_blocks_are_counted_as_one_byte_per_weight(files: dict[str, Path]) -> None:
    plain, eight = (weight_bytes(files, torch.bfloat16, PRECISIONS[name]) for name in ("auto", "int8"))
    block_weights = sum(
        value.numel()
        for module in (CausalWan(SMALL), ContextBranch(SMALL))
        for name, value in module.state_dict().items()
        if "blocks." in name and value.ndim == 2
    )
    assert plain - eight == block_weights


@pytest.mark.parametrize(("name", "current"), [("cuda:1", [torch.device("cuda:1")]), ("cuda", []), ("cpu", [])])
def test_a_card_selected_by_number_becomes_the_current_one(
    name: str, current: list[torch.device], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events, streams and Triton's kernels use the current card. On another, times are wrong and kernels fail."""

    class Reached(Exception):
        pass

    def reached(*_: object) -> None:
        raise Reached

    seen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", seen.append)
    monkeypatch.setattr("streamvace.stream.loading.find_precision", reached)
    with pytest.raises(Reached):
        load_generator("embedded", (64, 64), ModelOptions(device=name))
    assert seen == current
