"""The user's LoRAs: loaded as asked, changed gradually between chunks, and reported where they have no effect."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from streamvace.model.joined import join_projections
from streamvace.model.lora import MergedLoras
from streamvace.model.quantize import PRECISIONS
from streamvace.model.transformer import CausalWan
from streamvace.records.model_options import LoraChoice
from streamvace.stream import user_loras
from streamvace.stream.user_loras import UserLoras, load_user_loras
from streamvace.system.errors import UserError
from tests.networks import SMALL, save_lora, small_lora

PLAIN, EIGHT = PRECISIONS["fp32"], PRECISIONS["int8"]
CPU = torch.device("cpu")


def wan() -> CausalWan:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return CausalWan(SMALL).eval().requires_grad_(False)


def unchanged(model: CausalWan) -> bool:
    base = wan().state_dict()
    return all(torch.equal(value, base[name]) for name, value in model.state_dict().items())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return save_lora(small_lora(wan()), tmp_path / "style.safetensors")


def test_a_file_is_merged_unless_side_is_asked_for(file: Path) -> None:
    merged, side = wan(), wan()
    assert not load_user_loras(merged, [LoraChoice(file, 0.5)], PLAIN, CPU).has_side
    assert not unchanged(merged)
    assert load_user_loras(side, [LoraChoice(file, 0.5, "side")], PLAIN, CPU).has_side
    assert unchanged(side)


def test_eight_bit_weights_get_side_paths_and_insisting_on_merging_is_refused(file: Path) -> None:
    model = wan()
    assert load_user_loras(model, [LoraChoice(file)], EIGHT, CPU).has_side
    assert unchanged(model)
    with pytest.raises(UserError, match=r"style.safetensors: cannot be merged into 8-bit weights; use side"):
        load_user_loras(model, [LoraChoice(file, mode="merged")], EIGHT, CPU)


def test_missing_and_foreign_files_are_refused_in_one_line(tmp_path: Path) -> None:
    save_file({"unet.down.weight": torch.ones(2, 2)}, tmp_path / "foreign.safetensors")
    for name, said in (("nowhere.safetensors", "nowhere"), ("foreign.safetensors", "is it for another")):
        model = wan()
        with pytest.raises(UserError, match=said) as refusal:
            load_user_loras(model, [LoraChoice(tmp_path / name)], PLAIN, CPU)
        assert "\n" not in str(refusal.value)
        assert unchanged(model)


def test_the_first_chunk_has_full_strength_and_later_changes_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the weights per chunk: the first chunk after a change is half-way, the second has the new strength."""
    model, target = wan(), wan()
    lora = small_lora(model)
    loras = UserLoras(model, merged=[(lora, 0.5)])
    half = sum(model.get_parameter(name).nbytes for name in lora.deltas) // 2 + 1
    monkeypatch.setattr(user_loras, "MERGE_BYTES_A_CHUNK", half)
    loras.begin_chunk(0.0, "everywhere", at_once=True)
    assert unchanged(model)
    versions = [loras.version]
    MergedLoras(target, [lora], [1.0])
    for arrived in (False, True, True):
        loras.begin_chunk(2.0, "everywhere", at_once=False)
        versions.append(loras.version)
        same = all(torch.equal(a, b) for a, b in zip(model.parameters(), target.parameters(), strict=True))
        assert same == arrived
        assert not unchanged(model)
    assert versions == [1, 2, 3, 3], "the version increases with every change of the network"


def test_a_moving_fader_reaches_every_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    model, target = wan(), wan()
    lora = small_lora(model)
    loras = UserLoras(model, merged=[(lora, 1.0)])
    monkeypatch.setattr(user_loras, "MERGE_BYTES_A_CHUNK", 1)  # one weight per chunk
    for chunk in range(2 * len(lora.deltas)):
        loras.begin_chunk(0.001 * chunk, "everywhere", at_once=False)
    MergedLoras(target, [lora])
    held = zip(model.named_parameters(), target.parameters(), strict=True)
    assert [name for (name, ours), theirs in held if name in lora.deltas and torch.equal(ours, theirs)] == []


def test_a_strength_changes_in_a_show_after_the_projections_are_joined() -> None:
    """Joining takes the modules q, k and v away, whose weights nearly every LoRA changes."""
    model, target = wan(), wan()
    lora = small_lora(model)
    loras = UserLoras(model, merged=[(lora, 1.0)])
    join_projections(model)
    loras.begin_chunk(0.5, "everywhere", at_once=False)
    MergedLoras(target, [lora], [0.5])
    join_projections(target)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), target.parameters(), strict=True))


def test_side_paths_are_on_the_device_where_the_network_will_run(file: Path) -> None:
    """8-bit weights arrive there later, block by block."""
    model = wan()
    load_user_loras(model, [LoraChoice(file)], EIGHT, torch.device("meta"))
    paths = [hook for each in model.modules() for hook in each._forward_hooks.values()]
    assert paths
    assert {tensor.device.type for each in paths for tensor in (each._down, each._up)} == {"meta"}  # type: ignore[attr-defined]


def test_the_strength_of_the_show_multiplies_each_file_s_own() -> None:
    model = wan()
    loras = UserLoras(model, side=[(small_lora(model), 0.5), (small_lora(model, 4), -1.0)])
    loras.begin_chunk(0.5, "everywhere", at_once=False)
    assert loras._side is not None
    assert loras._side.strengths == (0.25, -0.5)
    assert not loras.regional
    loras.begin_chunk(0.5, "mask", at_once=False)
    assert loras.regional
    assert loras.version == 2


def test_frames_without_a_region_are_styled_everywhere() -> None:
    loras = UserLoras()
    seen: list[torch.Tensor | None] = []
    loras._side = SimpleNamespace(limit=seen.append)  # type: ignore[assignment]
    half = torch.tensor([[[0.0], [0.5]]])
    loras.limit([None, None])
    loras.limit([None, half])
    assert seen[0] is None
    assert seen[1] is not None
    assert seen[1].flatten().tolist() == [1.0, 1.0, 0.0, 0.5]


def test_a_value_without_effect_is_reported_once_per_change() -> None:
    nothing = UserLoras()
    assert nothing.begin_chunk(1.0, "everywhere", at_once=True) == ()
    assert "--lora FILE" in nothing.begin_chunk(0.5, "everywhere", at_once=False)[0]
    assert nothing.begin_chunk(0.5, "everywhere", at_once=False) == ()
    model = wan()
    merged = UserLoras(model, merged=[(small_lora(model), 1.0)])
    assert "small.safetensors applies everywhere" in merged.begin_chunk(1.0, "mask", at_once=False)[0]
    assert merged.begin_chunk(1.0, "mask", at_once=False) == ()
    assert merged.begin_chunk(1.0, "everywhere", at_once=False) == ()


def test_an_unknown_region_is_an_error() -> None:
    with pytest.raises(ValueError, match="region 'left'; there are: everywhere, mask, outside"):
        UserLoras().begin_chunk(1.0, "left", at_once=False)
