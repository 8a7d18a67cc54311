"""Wan's text encoder: transformers' own numbers under Wan's names, its cleaning and padding, and the cache."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from streamvace.model import umt5
from streamvace.model.prompt_cache import KeptPrompt, PromptCache, content_key, fingerprint
from streamvace.model.umt5 import Rest, UMT5Size, UMT5TextEncoder, clean, load_encoder, transformers_names
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from tests.real_parts import require_package

SIZE = UMT5Size(vocabulary=60, dim=16, heads=4, head_dim=6, ffn_dim=24, layers=2, rows=12)
WORDS = ("a", "red", "city", "at", "night", "the", "sea", "gold", "glass", "tower")


@pytest.fixture(autouse=True, scope="module")
def text_packages() -> None:
    for package in ("transformers", "ftfy", "tokenizers"):
        require_package(package, "pip install 'streamvace[wan]'")


def wan_weights(size: UMT5Size = SIZE) -> dict[str, Tensor]:
    """Random weights under the names of Wan's file."""
    inner = size.heads * size.head_dim
    shapes: dict[str, tuple[int, ...]] = {
        "token_embedding.weight": (size.vocabulary, size.dim),
        "norm.weight": (size.dim,),
    }
    for i in range(size.layers):
        shapes |= {f"blocks.{i}.attn.{each}.weight": (inner, size.dim) for each in "qkv"}
        shapes |= {
            f"blocks.{i}.attn.o.weight": (size.dim, inner),
            f"blocks.{i}.norm1.weight": (size.dim,),
            f"blocks.{i}.norm2.weight": (size.dim,),
            f"blocks.{i}.ffn.gate.0.weight": (size.ffn_dim, size.dim),
            f"blocks.{i}.ffn.fc1.weight": (size.ffn_dim, size.dim),
            f"blocks.{i}.ffn.fc2.weight": (size.dim, size.ffn_dim),
            f"blocks.{i}.pos_embedding.embedding.weight": (32, size.heads),
        }
    generator = torch.Generator().manual_seed(5)
    return {name: torch.randn(shape, generator=generator) * 0.5 for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "umt5.safetensors"
    save_file(wan_weights(), path)
    return path


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A word tokenizer with umT5's special tokens: 0 padding, 1 end, 2 unknown."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate(("<pad>", "</s>", "<unk>", *WORDS))}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    folder = tmp_path_factory.mktemp("tokenizer")
    PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


def make(weights: Path, tokenizer: Path, cache: PromptCache | None = None, rest: Rest = "release") -> UMT5TextEncoder:
    return UMT5TextEncoder(weights, tokenizer, cache, dtype=torch.float32, rest=rest, size=SIZE)


def theirs(ids: list[int]) -> Tensor:
    """transformers' own model, run as Wan does: padded to all rows, masked, rows past the tokens zeroed."""
    from transformers import UMT5Config, UMT5EncoderModel

    config = UMT5Config(
        vocab_size=SIZE.vocabulary,
        d_model=SIZE.dim,
        d_kv=SIZE.head_dim,
        d_ff=SIZE.ffn_dim,
        num_layers=SIZE.layers,
        num_heads=SIZE.heads,
    )
    model = UMT5EncoderModel(config).eval()
    named: dict[str, Tensor] = {}
    for name, value in wan_weights().items():
        (their_name,) = transformers_names([name])
        named[f"encoder.{their_name}"] = value
    named["shared.weight"] = named["encoder.embed_tokens.weight"]
    model.load_state_dict(named, strict=True)
    padded = torch.tensor([ids + [0] * (SIZE.rows - len(ids))])
    mask = (torch.arange(SIZE.rows) < len(ids)).long()[None]
    with torch.inference_mode():
        out: Tensor = model(input_ids=padded, attention_mask=mask).last_hidden_state
    return out * mask[..., None]


def test_the_published_file_s_names_are_all_known() -> None:
    published = wan_weights(UMT5Size(vocabulary=1, dim=1, heads=1, head_dim=1, ffn_dim=1, layers=24))
    assert len(published) == 242
    assert not set(transformers_names(published)) & set(published)


@pytest.mark.parametrize("prompt", ["a red city at night", "the sea", "", " ".join(WORDS)])
def test_embeddings_equal_transformers_own_padded_and_masked_run(weights: Path, tokenizer: Path, prompt: str) -> None:
    ours = make(weights, tokenizer).encode([prompt])
    ids = [WORDS.index(word) + 3 for word in prompt.split()] + [1]
    assert ours.shape == (1, SIZE.rows, SIZE.dim)
    torch.testing.assert_close(ours, theirs(ids), atol=1e-5, rtol=0)
    assert not ours[0, len(ids) :].any()
    assert ours[0, len(ids) - 1].any()


def test_a_prompt_s_embedding_does_not_depend_on_its_neighbours(weights: Path, tokenizer: Path) -> None:
    encoder = make(weights, tokenizer, rest="device")
    together = encoder.encode(["the sea", " ".join(WORDS)])
    assert torch.equal(together[:1], encoder.encode(["the sea"]))


def test_a_prompt_longer_than_the_rows_is_cut_and_still_ends(weights: Path, tokenizer: Path) -> None:
    ids = [WORDS.index("sea") + 3] * (SIZE.rows - 1) + [1]
    torch.testing.assert_close(make(weights, tokenizer).encode(["sea " * 40]), theirs(ids), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  a\tred \n city ", "a red city"),
        ("glass &amp;amp; gold", "glass & gold"),
        ("caf\u00c3\u00a9", "caf\u00e9"),
        ("", ""),
    ],
)
def test_prompts_are_cleaned_as_wan_was_trained(raw: str, cleaned: str) -> None:
    assert clean(raw) == cleaned


@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float8_e4m3fn])
def test_sixteen_and_eight_bit_files_load(tmp_path: Path, tokenizer: Path, stored: torch.dtype) -> None:
    save_file({name: value.to(stored) for name, value in wan_weights().items()}, tmp_path / "w.safetensors")
    save_file({name: value.to(stored).float() for name, value in wan_weights().items()}, tmp_path / "same.safetensors")
    exact = make(tmp_path / "same.safetensors", tokenizer).encode(["the sea at night"])
    ours = make(tmp_path / "w.safetensors", tokenizer).encode(["the sea at night"])
    assert torch.equal(ours, exact)


def test_eight_bit_matrices_may_stay_eight_bit_with_the_same_result(tmp_path: Path) -> None:
    stored = torch.float8_e4m3fn
    save_file({name: value.to(stored) for name, value in wan_weights().items()}, tmp_path / "w.safetensors")
    tokens = torch.tensor([[5, 6, 1]])
    wide = load_encoder(tmp_path / "w.safetensors", dtype=torch.float32, size=SIZE)
    kept = load_encoder(tmp_path / "w.safetensors", dtype=torch.float32, keep_8bit=True, size=SIZE)
    state = kept.state_dict()
    assert state["block.0.layer.0.SelfAttention.q.weight"].dtype is stored
    assert state["block.0.layer.1.DenseReluDense.wo.weight"].dtype is torch.float32
    assert torch.equal(wide(input_ids=tokens).last_hidden_state, kept(input_ids=tokens).last_hidden_state)


def test_a_known_prompt_needs_no_encoder(
    weights: Path, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PromptCache(tmp_path / "prompts")
    first = make(weights, tokenizer, cache).encode(["a red city"])

    def no_loading(*_: object) -> Any:
        raise AssertionError("the encoder was loaded for a prompt that is in the cache")

    monkeypatch.setattr(umt5, "load_encoder", no_loading)
    assert torch.equal(make(weights, tokenizer, cache).encode(["  a red   city "]), first)


def test_a_known_prompt_needs_no_tokenizer_to_tell_its_unknown_words(
    weights: Path, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PromptCache(tmp_path / "prompts")
    make(weights, tokenizer, cache).encode(["a red zebra at the zoo"])
    monkeypatch.setitem(sys.modules, "transformers", None)
    again = make(weights, tokenizer, cache)
    assert again.at_hand(" a red zebra at the zoo")
    assert again.unknown_words("a red zebra at the zoo") == ["zebra", "zoo"]
    assert not again.at_hand("the sea")


def test_a_known_prompt_does_not_wait_for_one_that_is_being_encoded(
    weights: Path, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PromptCache(tmp_path / "prompts")
    encoder = make(weights, tokenizer, cache)
    known = encoder.encode(["the sea"])
    loading, go_on = threading.Event(), threading.Event()

    def slow_loading(*given: Any) -> Any:
        loading.set()
        assert go_on.wait(60)
        return load_encoder(*given)

    monkeypatch.setattr(umt5, "load_encoder", slow_loading)
    other = threading.Thread(target=encoder.encode, args=(["a gold tower"],))
    other.start()
    assert loading.wait(60)
    assert torch.equal(encoder.encode(["the sea"]), known)
    assert encoder.unknown_words("the sea") == []
    go_on.set()
    other.join()
    assert encoder.at_hand("a gold tower")


def test_an_encoder_without_room_on_the_device_runs_on_the_cpu(
    weights: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`meta` stands for a card: whoever loads or computes there gets no values."""
    exact = make(weights, tokenizer).encode(["the sea"])
    monkeypatch.setattr(umt5, "free_bytes", lambda device: 0.0 if device.type == "meta" else float("inf"))
    full = UMT5TextEncoder(weights, tokenizer, None, "meta", torch.float32, rest="cpu", size=SIZE)
    assert torch.equal(full.encode(["the sea"]), exact)
    assert torch.equal(full.encode(["the sea"]), exact)  # and once more with what rested there


def test_on_its_way_home_nothing_is_copied(weights: Path, tokenizer: Path) -> None:
    """`meta` stands for a card: a copy from there would have no values, and another address."""
    encoder = UMT5TextEncoder(weights, tokenizer, None, "meta", torch.float32, rest="cpu", size=SIZE)
    network, place = encoder._ready_encoder()
    assert place.type == "meta"
    encoder._put_away()
    home = [each.data_ptr() for each in network.parameters()]
    assert 0 not in home
    encoder._ready_encoder()
    encoder._put_away()
    assert [each.data_ptr() for each in network.parameters()] == home


def test_on_a_gpu_it_has_its_own_stream(weights: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels beside the picture's, one stream for the encoder's whole life. It never was on the card: nothing goes."""
    events: list[str] = []

    class Stream:
        def __init__(self, device: torch.device) -> None:
            assert device.type == "cuda"
            events.append("stream made")

    @contextmanager
    def entered(stream: Stream) -> Iterator[None]:
        assert isinstance(stream, Stream)
        events.append("in")
        yield
        events.append("out")

    def load(*given: Any) -> Any:
        events.append("loaded")
        return load_encoder(*given)

    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", entered)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: events.append("memory back"))
    monkeypatch.setattr(umt5, "load_encoder", load)
    # No room, so that what would run on the card can run here.
    monkeypatch.setattr(umt5, "free_bytes", lambda device: 0.0 if device.type == "cuda" else float("inf"))
    card = UMT5TextEncoder(weights, tokenizer, None, "cuda", torch.float32, rest="cpu", size=SIZE)
    exact = make(weights, tokenizer).encode(["the sea"])
    events.clear()
    for _ in range(2):
        assert torch.equal(card.encode(["the sea"]), exact)
    assert events == ["stream made", "in", "loaded", "out", "in", "out"]


@pytest.mark.parametrize(
    ("rest", "free", "emptied"), [("cpu", 8, 0), ("cpu", 1, 1), ("release", 8, 1), ("device", 1, 0)]
)
def test_memory_goes_back_to_the_card_only_where_others_may_lack_it(
    rest: Any, free: int, emptied: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Emptying PyTorch's cache stops the card and takes the generator's spare memory along. free: GB of the card."""
    emptyings: list[None] = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free * 10**9, 24 * 10**9))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptyings.append(None))
    encoder = UMT5TextEncoder(Path(), Path(), None, "cuda", torch.float32, rest=rest, size=SIZE)
    place = SimpleNamespace(device=torch.device("cuda"))
    encoder._encoder = SimpleNamespace(parameters=lambda: iter([place]))  # type: ignore[assignment]
    encoder._put_away()
    assert len(emptyings) == emptied


def test_the_encoder_is_unloaded_as_configured(weights: Path, tokenizer: Path) -> None:
    for rest, stays in (("release", False), ("cpu", True), ("device", True)):
        encoder = make(weights, tokenizer, rest=rest)  # type: ignore[arg-type]
        assert not encoder.loaded
        encoder.encode(["the sea"])
        assert encoder.loaded is stays
        encoder.release()
        assert not encoder.loaded


def test_other_weights_or_another_tokenizer_do_not_share_cached_prompts(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (tmp_path / "b").write_bytes(b"x" * 2_999_999 + b"y")
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "a")
    assert content_key("ab", "c") != content_key("a", "bc")


def test_the_cache_keeps_its_limit_and_deletes_the_least_recently_used(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, limit_bytes=3 * 4300)
    for index in range(3):
        cache.put(f"k{index}", KeptPrompt(torch.full((10, 100), float(index))))
        os.utime(tmp_path / f"k{index}.safetensors", (index, index))
    assert cache.get("k0") is not None  # used now, so the newest
    cache.put("k3", KeptPrompt(torch.zeros(10, 100)))
    assert cache.get("k1") is None
    assert cache.get("k0") is not None
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3 * 4300


def test_a_damaged_or_unwritable_cache_only_costs_time(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)
    (tmp_path / "k.safetensors").write_bytes(b"\xff" * 20)
    assert cache.get("k") is None
    (tmp_path / "file").write_bytes(b"")
    PromptCache(tmp_path / "file").put("k", KeptPrompt(torch.zeros(1, 1)))


def test_a_cached_file_that_another_program_holds_only_costs_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = PromptCache(tmp_path, limit_bytes=2 * 4300)
    for index in range(2):
        cache.put(f"k{index}", KeptPrompt(torch.zeros(10, 100)))
        os.utime(tmp_path / f"k{index}.safetensors", (index, index))

    def held(path: Path, *rest: object, **named: object) -> None:
        raise PermissionError(13, "used by another process", str(path))

    with monkeypatch.context() as windows:
        windows.setattr(os, "utime", held)
        assert cache.get("k1") is not None
        windows.setattr(Path, "read_bytes", held)
        assert cache.get("k1") is None
    remove = Path.unlink
    monkeypatch.setattr(
        Path, "unlink", lambda path, **named: held(path) if path.stem == "k0" else remove(path, **named)
    )
    cache.put("k2", KeptPrompt(torch.zeros(10, 100)))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["k0", "k2"], "the next one is deleted in its place"
    monkeypatch.setattr(Path, "unlink", held)
    (tmp_path / "damaged.safetensors").write_bytes(b"\xff" * 20)
    assert cache.get("damaged") is None


def test_missing_files_and_packages_are_reported_in_one_line_with_the_fix(
    weights: Path, tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="no text encoder at"):
        UMT5TextEncoder(tmp_path / "absent", tokenizer)
    with pytest.raises(UserError, match="no tokenizer folder at"):
        UMT5TextEncoder(weights, tmp_path / "absent")
    with pytest.raises(UserError, match="cannot read the tokenizer"):
        make(weights, tmp_path).encode(["the sea"])
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match=re.escape(install_command("wan"))):
        load_encoder(weights, size=SIZE)


def test_words_outside_the_vocabulary_are_reported(weights: Path, tokenizer: Path) -> None:
    assert make(weights, tokenizer).unknown_words("a red zebra") == ["zebra"]
