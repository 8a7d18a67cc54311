"""LoRAs of every naming merge to the same weights, change strength without loss and never reach the VACE branch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from streamvace.model.context import ContextBranch
from streamvace.model.lora import MergedLoras, merge_lora, read_lora
from streamvace.model.transformer import CausalWan
from streamvace.system.errors import UserError
from tests.networks import SMALL

Pair = tuple[Tensor, Tensor]
RANK = 4


def wan() -> CausalWan:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return CausalWan(SMALL).eval().requires_grad_(False)


def block_linears(model: nn.Module) -> list[str]:
    """What LongLive's LoRA was trained on: every linear inside a block."""
    return [n for n, m in model.named_modules() if n.startswith("blocks.") and isinstance(m, nn.Linear)]


def pairs(names: list[str], model: nn.Module, seed: int = 3) -> dict[str, Pair]:
    generator = torch.Generator().manual_seed(seed)
    made: dict[str, Pair] = {}
    for name in names:
        out, into = model.get_submodule(name).weight.flatten(1).shape  # type: ignore[union-attr,operator]
        made[name] = (torch.randn(RANK, into, generator=generator), torch.randn(out, RANK, generator=generator) * 0.1)
    return made


def peft(prefix: str, adapter: str = "") -> Callable[[dict[str, Pair]], dict[str, Tensor]]:
    return lambda made: {
        f"{prefix}{name}.lora_{kind}{adapter}.weight": value
        for name, pair in made.items()
        for kind, value in zip("AB", pair, strict=True)
    }


def updown(prefix: str, dots: str = ".") -> Callable[[dict[str, Pair]], dict[str, Tensor]]:
    return lambda made: {
        f"{prefix}{name.replace('.', dots)}.lora_{kind}.weight": value
        for name, pair in made.items()
        for kind, value in zip(("down", "up"), pair, strict=True)
    }


LAYOUTS = {
    "PEFT (LongLive, MemFlow)": peft("base_model.model."),
    "PEFT in a wrapper": peft("base_model.model.model."),
    "PEFT named adapter": peft("base_model.model.", ".default"),
    "nested": peft("generator_lora.base_model.model."),
    "bare A B": peft(""),
    "diffusion_model A B": peft("diffusion_model."),
    "diffusion_model up down": updown("diffusion_model."),
    "up down": updown(""),
    "lora_unet": updown("lora_unet_", dots="_"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_naming_merges_to_the_same_weights(tmp_path: Path, layout: str) -> None:
    model, before = wan(), wan().state_dict()
    made = pairs(block_linears(model), model)
    save_file(LAYOUTS[layout](made), tmp_path / "l.safetensors")
    lora = read_lora(tmp_path / "l.safetensors", model)
    assert len(lora.deltas) == 10 * SMALL.num_layers
    merge_lora(model, lora, 0.5)
    for name, value in model.state_dict().items():
        wanted = before[name]
        if (module := name.removesuffix(".weight")) in made:
            down, up = made[module]
            wanted = wanted + 0.5 * up @ down
        torch.testing.assert_close(value, wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("stored", "said", "scale"), [(2.0, None, 0.5), (None, 8.0, 2.0), (None, None, 1.0)])
def test_alpha_over_rank_scales(tmp_path: Path, stored: float | None, said: float | None, scale: float) -> None:
    model, name = wan(), "blocks.0.ffn.0"
    before = model.blocks[0].ffn[0].weight.clone()
    made = pairs([name], model)
    tensors = updown("lora_unet_", "_")(made)
    if stored is not None:
        tensors["lora_unet_blocks_0_ffn_0.alpha"] = torch.tensor(stored)
    save_file(tensors, tmp_path / "l.safetensors")
    merge_lora(model, read_lora(tmp_path / "l.safetensors", model, alpha=said))
    down, up = made[name]
    torch.testing.assert_close(model.blocks[0].ffn[0].weight, before + scale * up @ down, atol=1e-6, rtol=0)


def test_convolutions_and_full_differences_merge_too(tmp_path: Path) -> None:
    model, before = wan(), wan().state_dict()
    kernel = model.patch_embedding.weight
    down, up = torch.randn(RANK, *kernel.shape[1:]), torch.randn(kernel.shape[0], RANK, 1, 1, 1)
    save_file(
        {
            "diffusion_model.patch_embedding.lora_down.weight": down,
            "diffusion_model.patch_embedding.lora_up.weight": up,
            "diffusion_model.blocks.1.norm3.diff": torch.ones(SMALL.dim),
            "diffusion_model.blocks.1.norm3.diff_b": torch.ones(SMALL.dim) * 2,
        },
        tmp_path / "l.safetensors",
    )
    merge_lora(model, read_lora(tmp_path / "l.safetensors", model))
    after = model.state_dict()
    added = torch.einsum("or,r...->o...", up.flatten(1), down)
    torch.testing.assert_close(after["patch_embedding.weight"], before["patch_embedding.weight"] + added)
    torch.testing.assert_close(after["blocks.1.norm3.weight"], before["blocks.1.norm3.weight"] + 1)
    torch.testing.assert_close(after["blocks.1.norm3.bias"], before["blocks.1.norm3.bias"] + 2)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=6), st.integers(0, 10_000))
def test_any_changes_of_strength_end_where_merging_once_ends(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[float, float]], seed: int
) -> None:
    """Two LoRAs over random, partly shared modules of a 16-bit model: no drift, and back to 0 is the model itself."""
    folder = tmp_path_factory.mktemp("lora")
    model, fresh = wan().bfloat16(), wan().bfloat16()
    names = block_linears(model)
    draw = torch.Generator().manual_seed(seed)
    loras = []
    for index in range(2):
        chosen = [names[i] for i in torch.randperm(len(names), generator=draw)[:8].tolist()]
        save_file(peft("base_model.model.")(pairs(chosen, model, seed + index)), folder / f"{index}.safetensors")
        loras.append(read_lora(folder / f"{index}.safetensors", model))
    places = {name: value.data_ptr() for name, value in model.state_dict().items()}
    running = MergedLoras(model, loras)
    for strengths in changes:
        next(running.steps((0.3, 0.7)), None)  # one step of a walk that is then given up
        running.set(strengths)
    assert running.strengths == tuple(changes[-1])
    MergedLoras(fresh, loras, changes[-1])
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), fresh.state_dict().values(), strict=True))
    assert places == {name: value.data_ptr() for name, value in model.state_dict().items()}
    running.set((0, 0))
    untouched = wan().bfloat16().state_dict()
    assert all(torch.equal(value, untouched[name]) for name, value in model.state_dict().items())


def test_several_loras_on_16_bit_weights_are_rounded_once(tmp_path: Path) -> None:
    """The sum is exact to half of a last place; rounded after each LoRA it would be off by up to a whole one."""
    model, name = wan().bfloat16(), "blocks.0.ffn.0"
    exact, loras = model.blocks[0].ffn[0].weight.double(), []
    for seed, strength in ((1, 0.3), (2, 0.7), (3, -0.5)):
        made = pairs([name], model, seed)
        save_file(updown("")(made), tmp_path / f"{seed}.safetensors")
        loras.append(read_lora(tmp_path / f"{seed}.safetensors", model))
        down, up = made[name]
        exact = exact + strength * up.double() @ down.double()
    MergedLoras(model, loras, (0.3, 0.7, -0.5))
    off = (model.blocks[0].ffn[0].weight.double() - exact).abs() / exact.abs()
    assert float(off.max()) <= 2.0**-8


def test_tensors_for_the_context_branch_are_left_alone_and_counted(tmp_path: Path) -> None:
    model = wan()
    with torch.device("meta"):
        branch = ContextBranch(SMALL)
    made = pairs(block_linears(model)[:2], model)
    context = {"vace_blocks.0.self_attn.q": (torch.randn(RANK, SMALL.dim), torch.randn(SMALL.dim, RANK))}
    assert "vace_blocks.0.self_attn.q" in dict(branch.named_modules())
    save_file(peft("base_model.model.")(made | context), tmp_path / "l.safetensors")
    lora = read_lora(tmp_path / "l.safetensors", model)
    assert len(lora.skipped) == 2
    assert lora.deltas.keys() == {f"{name}.weight" for name in made}
    save_file(peft("base_model.model.")(context), tmp_path / "only.safetensors")
    with pytest.raises(UserError, match="2 tensors are for the context branch"):
        read_lora(tmp_path / "only.safetensors", model)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(min_size=1, max_size=30),
            st.from_regex(r"(base_model\.model\.|diffusion_model\.|lora_unet_)?blocks[._]\d[._]\w{1,9}\.\w{1,12}"),
        ),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
def test_random_names_are_refused_in_one_line_and_never_merged(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    path = tmp_path_factory.mktemp("lora") / "l.safetensors"
    model = wan()
    save_file({name: torch.ones(2, 2) for name in names if name != "__metadata__"} or {"x": torch.ones(1)}, path)
    with pytest.raises(UserError) as refusal:
        read_lora(path, model)
    assert "\n" not in str(refusal.value)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), wan().state_dict().values(), strict=True))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"blocks.0.ffn.0.lora_A.weight": (4, 24)}, "half of the pair is missing"),
        ({"blocks.0.ffn.0.lora_A.weight": (4, 24), "blocks.0.ffn.0.lora_B.weight": (48, 3)}, "rank 4 .* and 3"),
        (
            {"blocks.0.ffn.0.lora_A.weight": (4, 30), "blocks.0.ffn.0.lora_B.weight": (60, 4)},
            r"is \[60, 30\], this model needs \[48, 24\]",
        ),
        ({"blocks.40.ffn.0.lora_A.weight": (4, 24), "blocks.40.ffn.0.lora_B.weight": (48, 4)}, "fit nothing"),
    ],
)
def test_a_lora_for_another_model_is_refused_with_both_values(
    tmp_path: Path, tensors: dict[str, tuple[int, int]], message: str
) -> None:
    save_file({name: torch.ones(shape) for name, shape in tensors.items()}, tmp_path / "l.safetensors")
    with pytest.raises(UserError, match=message) as refusal:
        read_lora(tmp_path / "l.safetensors", wan())
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"lora_A.weight": torch.ones(0, 24), "lora_B.weight": torch.ones(48, 0)},
            r"is \[0, 24\], .*rank of at least 1",
        ),
        ({"lora_A.weight": torch.tensor(1.0)}, r"lora_A.weight is \[\]"),
        ({"lora_B.weight": torch.ones(48)}, r"lora_B.weight is \[48\]"),
        ({"alpha": torch.ones(4)}, r"alpha is \[4\], an alpha is one number"),
        ({"alpha": torch.tensor(float("nan"))}, "alpha holds NaN"),
        ({"alpha": torch.ones(0)}, r"alpha is \[0\]"),
        ({"lora_A.weight": torch.full((4, 24), float("inf"))}, "NaN or infinite"),
        ({"lora_B.weight": torch.full((48, 4), float("nan")).to(torch.float8_e4m3fn)}, "NaN or infinite"),
        ({"lora_B.weight": torch.ones(48, 4, dtype=torch.int8)}, "is torch.int8"),
        ({"diff_b": torch.full((48,), float("nan"))}, "NaN or infinite"),
        ({"diff_b": torch.tensor(1.0)}, r"is \[\], this model needs \[48\]"),
    ],
)
def test_a_damaged_lora_is_refused_in_one_line(tmp_path: Path, changes: dict[str, Tensor], message: str) -> None:
    sound = {"lora_A.weight": torch.ones(4, 24), "lora_B.weight": torch.ones(48, 4), "alpha": torch.tensor(4.0)}
    tensors = {f"blocks.0.ffn.0.{name}": value for name, value in (sound | changes).items()}
    save_file(tensors, tmp_path / "l.safetensors")
    with pytest.raises(UserError, match=message) as refusal:
        read_lora(tmp_path / "l.safetensors", wan())
    assert "\n" not in str(refusal.value)
