"""`auto` follows the device, the embedded model too, and a layer that runs in fp32 instead is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from streamvace.records.chunk import ChunkInput
from streamvace.records.model_options import ModelOptions
from streamvace.stream import loading
from streamvace.stream.loading import captured_passes, load_generator
from streamvace.system.errors import UserError


@pytest.fixture(autouse=True)
def threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("dtype", "name"), [(torch.bfloat16, "bf16"), (torch.float32, "fp32")])
def test_auto_is_the_processor_s_own_precision_for_the_embedded_model_too(
    dtype: torch.dtype, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "native_dtype", lambda device: dtype)
    generator = load_generator("embedded", (32, 32), ModelOptions(device="cpu"))
    assert {
        each.dtype for part in (generator.networks.wan, generator.networks.branch) for each in part.parameters()
    } == {dtype}
    for block in (*generator.networks.wan.blocks, *generator.networks.branch.vace_blocks):
        assert block.self_attn.joined is not None, "one product instead of three"
    assert generator.step(ChunkInput("red sphere")).precision == name


def test_the_latency_is_that_of_the_options_and_the_status_names_it() -> None:
    made = load_generator("embedded", (64, 64), ModelOptions("cpu", latency="low"))
    assert made.frames_wanted() == 5
    assert made.about["latency"] == "low"


@pytest.mark.parametrize(("compiles", "warms"), [("off", False), ("blocks", True)])
def test_a_processor_prepares_nothing_unless_blocks_are_compiled(
    compiles: str, warms: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "compile_blocks", lambda modules, frames, tokens: None)
    assert load_generator("embedded", (32, 32), ModelOptions(device="cpu", compile=compiles)).warms_up is warms


def test_passes_are_captured_on_a_card_where_weights_stay_at_their_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "the pool")
    card = torch.device("cuda")
    assert captured_passes(card, ModelOptions()) is not None
    assert captured_passes(torch.device("cpu"), ModelOptions()) is None
    assert captured_passes(card, ModelOptions(cuda_graphs="off")) is None
    assert captured_passes(card, ModelOptions(offload="context")) is None


def test_a_layer_that_this_processor_computes_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line = "linear 4 -> 6 differs by 117% and runs in fp32"
    monkeypatch.setattr(loading, "use_right_products", lambda *modules: [line])
    generator = load_generator("embedded", (32, 32), ModelOptions(device="cpu", precision="bf16"))
    assert generator.about["products"] == line
    assert [record.getMessage() for record in caplog.records] == [
        f"16-bit products of this processor are wrong: {line}"
    ]


def test_a_machine_without_apple_s_gpu_refuses_it_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"device 'mps', but this torch \(.*\) sees no GPU of Apple; use auto or cpu"):
        loading.resolve_device("mps")
