"""A fast kernel is used only where it is known to be right and proves it."""

from __future__ import annotations

import re
import sys

import pytest
import torch
from torch import Tensor

from streamvace.model import attention
from streamvace.model.attention import AttentionShape, KernelChoice, KernelRow, choose_kernel, fault_of, sdpa
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import pip_command

CUDA = torch.device("cuda")
CPU = torch.device("cpu")
SHAPE = AttentionShape(queries=24, keys=96, heads=2, head_dim=16)


def eight_bits(x: Tensor, block: int) -> Tensor:
    """Rounded to 8 bits with one scale per block of tokens and head, as SageAttention does it."""
    parts = []
    for part in x.float().split(block, dim=1):
        scale = part.abs().amax(dim=(1, 3), keepdim=True) / 127
        parts.append((part / scale).round() * scale)
    return torch.cat(parts, dim=1).to(x.dtype)


def mean_free(k: Tensor) -> Tensor:
    return k - k.float().mean(dim=1, keepdim=True).to(k.dtype)


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel behind SDPA can be asked only of a card."""
    monkeypatch.setattr(attention, "sdpa_backend", lambda device, dtype, head_dim: "")


REAL = AttentionShape(queries=128, keys=512, heads=2, head_dim=64)
LIMITS = {row.name: row.limit for row in attention.KERNELS}


def test_a_kernel_is_accepted_with_the_rounding_that_it_was_published_with_and_not_with_more() -> None:
    def eight_bit_keys(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return sdpa(eight_bits(q, 128), eight_bits(mean_free(k), 64), v)

    def without_smoothing(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return sdpa(eight_bits(q, 128), eight_bits(k, 64), v)

    def fp8_values(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        scale = v.abs().amax(dim=1, keepdim=True) / 448
        return eight_bit_keys(q, k, (v / scale).to(torch.float8_e4m3fn).to(v.dtype) * scale)

    def fault(kernel: attention.Kernel, name: str) -> str:
        return fault_of(kernel, CPU, torch.bfloat16, REAL, LIMITS[name])

    assert fault(sdpa, "flash2") == ""
    assert fault(eight_bit_keys, "sage1") == ""
    assert fault(fp8_values, "sage") == ""
    assert re.fullmatch(
        r"differs from SDPA by 0\.\d+ on this device, more than 0\.08", fault(without_smoothing, "sage")
    )
    assert "more than 0.01" in fault(eight_bit_keys, "flash2")
    assert "more than" in fault(lambda q, k, v: torch.randn_like(q), "sage")
    assert "by nan" in fault(lambda q, k, v: q * float("nan"), "sage")


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_a_kernel_that_changes_its_input_would_change_the_cache_and_is_refused(changed: int) -> None:
    def kernel(*given: Tensor) -> Tensor:
        out = sdpa(*given)
        given[changed].sub_(given[changed].mean(dim=1, keepdim=True))
        return out

    assert fault_of(kernel, CPU, torch.bfloat16, SHAPE, 0.1) == "changes its input"


def test_every_query_sees_the_keys_that_its_row_of_the_mask_allows() -> None:
    q, k, v = torch.randn(3, 1, 4, 2, 8, generator=torch.Generator().manual_seed(0)).unbind(0)
    mask = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]).bool()
    scores = torch.einsum("bnhd,bmhd->bhnm", q, k) / 8**0.5
    weights = scores.masked_fill(~mask, float("-inf")).softmax(-1)
    torch.testing.assert_close(sdpa(q, k, v, mask), torch.einsum("bhnm,bmhd->bnhd", weights, v))
    torch.testing.assert_close(sdpa(q, k, v), torch.einsum("bhnm,bmhd->bnhd", scores.softmax(-1), v))


def test_the_cpu_uses_sdpa() -> None:
    assert choose_kernel(CPU, torch.float32, SHAPE) == KernelChoice("sdpa", sdpa)


@pytest.mark.parametrize(
    ("capability", "installed", "chosen"),
    [
        ((9, 0), ("sage", "flash2"), "flash2"),  # Hopper: SageAttention gives noise there
        ((9, 0), ("sage", "flash2", "flash3"), "flash3"),
        ((8, 9), ("sage", "flash2"), "sage"),
        ((12, 0), ("flash2",), "flash2"),
        ((8, 9), ("sage1", "flash2"), "sage1"),
        ((12, 0), ("sage1", "flash2"), "flash2"),  # SageAttention 1 gives black pictures there
        ((7, 5), ("sage", "sage1", "flash2"), "sdpa"),
        ((8, 0), (), "sdpa"),
    ],
)
def test_the_kernel_follows_the_compute_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], installed: tuple[str, ...], chosen: str
) -> None:
    def load(name: str) -> attention.Kernel:
        if name not in installed:
            raise ImportError(name)
        return sdpa

    rows = tuple(
        KernelRow(row.name, lambda name=row.name: load(name), row.capabilities, "", row.limit)  # type: ignore[misc]
        for row in attention.KERNELS
    )
    monkeypatch.setattr(attention, "KERNELS", rows)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(attention, "fault_of", lambda *_: "")
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE).name == chosen


def test_a_kernel_that_disagrees_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "KERNELS", (KernelRow("sage", lambda: sdpa, frozenset({8}), "", 0.01),))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    monkeypatch.setattr(attention, "fault_of", lambda *_: "differs")
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE).name == "sdpa"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("sage", r"'sage' supports compute capability 8.x, 12.x, this device has 9.x"),
        (
            "flash3",
            r"'flash3' is not installed: .*pip install.* --no-build-isolation .*flash-attention#sub",
        ),
        ("flesh", r"unknown attention 'flesh'; there are: auto, sdpa, sage, sage1, flash3, flash2"),
    ],
)
def test_a_kernel_that_was_insisted_on_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, wanted: str, message: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    with pytest.raises(UserError, match=message):
        choose_kernel(CUDA, torch.bfloat16, SHAPE, wanted)


def test_sdpa_can_be_insisted_on_everywhere() -> None:
    assert choose_kernel(CUDA, torch.bfloat16, SHAPE, "sdpa") == KernelChoice("sdpa", sdpa)


def test_rejected_faster_kernels_are_reported_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> attention.Kernel:
        raise ImportError

    def broken(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        raise RuntimeError("CUDA error: no kernel image\nis available")

    rows = (
        KernelRow("hopper", lambda: sdpa, frozenset({9}), "", 0.01),
        KernelRow("absent", absent, frozenset({8}), "absent-attention", 0.01),
        KernelRow("broken", lambda: broken, frozenset({8}), "", 0.01),
        KernelRow("good", lambda: sdpa, frozenset({8}), "", 0.01),
        KernelRow("slower", absent, frozenset({8}), "", 0.01),
    )
    monkeypatch.setattr(attention, "KERNELS", rows)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    monkeypatch.setattr(attention, "fault_of", lambda kernel, *_: fault_of(kernel, CPU, torch.bfloat16, SHAPE, 0.01))
    chosen = choose_kernel(CUDA, torch.bfloat16, SHAPE)
    assert str(chosen) == (
        "good; hopper supports compute capability 9.x, this device has 8.x; "
        f"absent is not installed: {pip_command('absent-attention')}; "
        "broken fails here (CUDA error: no kernel image is available)"
    )
    with pytest.raises(UserError, match="'broken' fails here"):
        choose_kernel(CUDA, torch.bfloat16, SHAPE, "broken")
    assert dict(choose_kernel(CUDA, torch.float32, SHAPE).rejected)["good"] == (
        "computes in fp16 and bf16, not in float32"
    )


class StrictLibrary:
    """A kernel's library with the published signature and nothing else."""

    def sageattn(  # SageAttention 2.2: sageattention/core.py
        self, q: Tensor, k: Tensor, v: Tensor, tensor_layout: str = "HND", is_causal: bool = False
    ) -> Tensor:
        assert tensor_layout == "NHD"
        assert not is_causal
        return sdpa(q, k, v)

    def sageattn_qk_int8_pv_fp16_cuda(self) -> None:
        raise AssertionError("only its presence is asked")

    def flash_attn_func(  # FlashAttention 2.8: flash_attn/flash_attn_interface.py
        self, q: Tensor, k: Tensor, v: Tensor, dropout_p: float = 0.0, causal: bool = False
    ) -> Tensor:
        assert not dropout_p
        assert not causal
        return sdpa(q, k, v)


class OldFlash3(StrictLibrary):
    """FlashAttention 3 before September 2025 always returned the softmax statistics as well."""

    def flash_attn_func(self, *given: Tensor, **named: object) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        out = super().flash_attn_func(*given)
        return out, out.new_zeros(1)


class Sage1:
    """SageAttention 1.0.6: sageattention/core.py. It smooths the keys in place and rounds them to 8 bits."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def sageattn(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        tensor_layout: str = "HND",
        is_causal: bool = False,
        sm_scale: float | None = None,
        smooth_k: bool = True,
    ) -> Tensor:
        assert tensor_layout == "NHD"
        assert not is_causal
        assert q.stride(-1) == k.stride(-1) == v.stride(-1) == 1
        if smooth_k:
            k -= k.mean(dim=1, keepdim=True)
        self.seen.append(k)
        return sdpa(eight_bits(q, 128), eight_bits(k, 64), v)


@pytest.mark.parametrize(
    ("name", "module", "library"),
    [
        ("sage", "sageattention", StrictLibrary()),
        ("sage1", "sageattention", Sage1()),
        ("flash2", "flash_attn", StrictLibrary()),
        ("flash3", "flash_attn_interface", StrictLibrary()),
        ("flash3", "flash_attn_interface", OldFlash3()),
    ],
)
def test_each_library_is_called_as_it_was_published(
    monkeypatch: pytest.MonkeyPatch, name: str, module: str, library: StrictLibrary | Sage1
) -> None:
    monkeypatch.setitem(sys.modules, module, library)  # type: ignore[arg-type]
    (row,) = (row for row in attention.KERNELS if row.name == name)
    assert fault_of(row.load(), CPU, torch.bfloat16, REAL, row.limit) == ""


@pytest.mark.parametrize(("library", "name", "other"), [(StrictLibrary(), "sage", "sage1"), (Sage1(), "sage1", "sage")])
def test_the_two_versions_of_sageattention_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, library: StrictLibrary | Sage1, name: str, other: str
) -> None:
    monkeypatch.setitem(sys.modules, "sageattention", library)  # type: ignore[arg-type]
    rows = {row.name: row for row in attention.KERNELS}
    rows[name].load()
    with pytest.raises(ImportError):
        rows[other].load()


def test_sageattention_1_gets_one_copy_of_the_keys_and_the_cache_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Sage1()
    monkeypatch.setitem(sys.modules, "sageattention", library)  # type: ignore[arg-type]
    (row,) = (row for row in attention.KERNELS if row.name == "sage1")
    kernel = row.load()
    for tokens in (96, 96, 64):
        q, k, v = torch.randn(3, 1, tokens, 2, 16).bfloat16().unbind(0)
        k += 5
        before = k.clone()
        kernel(q, k, v)
        assert torch.equal(k, before)
        assert library.seen[-1].shape == k.shape
        assert library.seen[-1].float().mean(dim=1).abs().max() < 0.05
    first, second, shorter = (each.data_ptr() for each in library.seen)
    assert first == second != shorter, "one per shape, which stays where a captured pass writes to it"


ASKED = attention.sdpa_backend


@pytest.mark.parametrize(
    ("usable", "name"),
    [(("flash", "efficient"), "flash"), (("cudnn", "efficient"), "cudnn"), (("efficient",), "efficient"), ((), "math")],
)
def test_the_kernel_behind_sdpa_is_named(usable: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some builds for Windows have no flash kernel."""
    empty = torch.empty
    monkeypatch.setattr(attention, "sdpa_backend", ASKED)
    monkeypatch.setattr(torch, "empty", lambda *sides, device, dtype: empty(*sides, dtype=dtype))
    for each in ("flash", "cudnn", "efficient"):
        answer = each in usable
        monkeypatch.setattr(torch.backends.cuda, f"can_use_{each}_attention", lambda _, answer=answer: answer)
    choice = attention.choose_kernel(torch.device("cuda"), torch.bfloat16, REAL, "sdpa")
    assert str(choice) == f"sdpa ({name})"
    assert str(attention.choose_kernel(CPU, torch.bfloat16, REAL)) == "sdpa"
