"""umT5-XXL, Wan's text encoder: the network of `transformers` with Wan2.1's weights, cleaning and padding.

The encoder (5 to 11 GB) is loaded for a new prompt and unloaded again. Every prompt is encoded without padding and
without neighbours, so its embedding depends on nothing else.
"""

from __future__ import annotations

import html
import importlib
import math
import re
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamvace.model.checkpoint import check_module, load_module
from streamvace.model.device import free_bytes
from streamvace.model.home import Home
from streamvace.model.prompt_cache import KeptPrompt, PromptCache, content_key, fingerprint
from streamvace.model.stored import StoredTensors
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command, install_command

Rest = Literal["release", "cpu", "device"]
"""What happens to the encoder after use: it is dropped, moved to main memory, or left on its device."""

LEFT_FREE = 2 << 30
"""Bytes of the card that other programs of a show may need while the encoder's own stay reserved."""

_SLACK = 1.1
"""Factor on the encoder's size for a prompt's activations and a reserve for the generator."""

FORMAT = "umt5 2"
"""Part of every cache key. Change it with the cleaning, the padding or the contents of the cache."""


@dataclass(frozen=True)
class UMT5Size:
    """Sizes of the encoder. rows: the most tokens of a prompt, including the end mark; longer prompts are truncated."""

    vocabulary: int = 256384
    dim: int = 4096
    heads: int = 64
    head_dim: int = 64
    ffn_dim: int = 10240
    layers: int = 24
    rows: int = 512


UMT5_XXL = UMT5Size()

_NAMES = (
    (re.compile(r"token_embedding\.weight"), "embed_tokens.weight"),
    (re.compile(r"norm\.weight"), "final_layer_norm.weight"),
    (re.compile(r"blocks\.(\d+)\.norm1\.weight"), r"block.\1.layer.0.layer_norm.weight"),
    (re.compile(r"blocks\.(\d+)\.attn\.([qkvo])\.weight"), r"block.\1.layer.0.SelfAttention.\2.weight"),
    (
        re.compile(r"blocks\.(\d+)\.pos_embedding\.embedding\.weight"),
        r"block.\1.layer.0.SelfAttention.relative_attention_bias.weight",
    ),
    (re.compile(r"blocks\.(\d+)\.norm2\.weight"), r"block.\1.layer.1.layer_norm.weight"),
    (re.compile(r"blocks\.(\d+)\.ffn\.gate\.0\.weight"), r"block.\1.layer.1.DenseReluDense.wi_0.weight"),
    (re.compile(r"blocks\.(\d+)\.ffn\.fc1\.weight"), r"block.\1.layer.1.DenseReluDense.wi_1.weight"),
    (re.compile(r"blocks\.(\d+)\.ffn\.fc2\.weight"), r"block.\1.layer.1.DenseReluDense.wo.weight"),
)


def transformers_names(stored: Iterable[str]) -> dict[str, str]:
    """{name in transformers' encoder: name in Wan's file}; other names stay unchanged."""
    return {_transformers_name(name): name for name in stored}


def _transformers_name(name: str) -> str:
    for pattern, theirs in _NAMES:
        if match := pattern.fullmatch(name):
            return match.expand(theirs)
    return name


def clean(prompt: str) -> str:
    """Wan's cleaning: fix broken encodings, resolve HTML entities (some are escaped twice), collapse white space."""
    fixed: str = _package("ftfy").fix_text(prompt)
    return " ".join(html.unescape(html.unescape(fixed)).split())


class _KeptLinear(nn.Linear):
    """A linear layer whose 8-bit weight is converted to the input's dtype for each product."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype))


def _keep_8bit(name: str, stored: torch.dtype) -> bool:
    # Embeddings and norms combine with activations in their own dtype, and transformers casts activations to `wo`'s.
    return stored.itemsize == 1 and re.search(r"SelfAttention\.[qkvo]\.|wi_[01]\.", name) is not None


def load_encoder(
    path: Path,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.bfloat16,
    keep_8bit: bool = False,
    size: UMT5Size = UMT5_XXL,
) -> nn.Module:
    """transformers' UMT5 encoder stack with Wan's weights.

    path: safetensors with Wan's names, any float dtype. dtype: of the computation. keep_8bit: leave an fp8 file's large
    matrices in fp8 (XXL: 7.7 GB instead of 11.4 GB).
    Raises UserError if transformers is missing, and as load_module.
    """

    def build() -> nn.Module:
        stack = _build(size)
        if keep_8bit:
            for module in stack.modules():
                if type(module) is nn.Linear:
                    module.__class__ = _KeptLinear
        return stack

    def rule(name: str, stored: torch.dtype) -> torch.dtype:
        return stored if keep_8bit and _keep_8bit(name, stored) else dtype

    return load_module(build, path, device, rule, transformers_names)


def check_encoder(path: Path, size: UMT5Size = UMT5_XXL) -> int:
    """See check_module. Raises UserError as load_encoder."""
    return check_module(lambda: _build(size), path, transformers_names)


def _build(size: UMT5Size) -> nn.Module:
    library = _package("transformers")
    config = library.UMT5Config(
        vocab_size=size.vocabulary,
        d_model=size.dim,
        d_kv=size.head_dim,
        d_ff=size.ffn_dim,
        num_layers=size.layers,
        num_heads=size.heads,
        feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=32,
        relative_attention_max_distance=128,
        layer_norm_epsilon=1e-6,
        dropout_rate=0.0,
    )
    # Only the stack: the model around it has the embedding a second time under another name.
    stack: nn.Module = library.UMT5EncoderModel(config).encoder
    return stack


class UMT5TextEncoder:
    """Prompts to Wan's text embeddings. Interface: `TextEncoder`.

    Thread-safe: a lock guards the network and the tokenizer. A cached prompt needs neither, so it never waits for
    another one that is being encoded.
    """

    def __init__(
        self,
        weights: Path,
        tokenizer: Path,
        cache: PromptCache | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.bfloat16,
        rest: Rest = "release",
        keep_8bit: bool = False,
        size: UMT5Size = UMT5_XXL,
    ) -> None:
        """weights: see load_encoder. tokenizer: folder of Wan's `google/umt5-xxl`. cache: None: nothing is cached.

        device: where prompts are encoded if there is enough free memory; otherwise on the CPU.
        Raises UserError if weights or tokenizer are missing; both are opened only for the first new prompt.
        """
        for path, what in ((weights, "text encoder"), (tokenizer, "tokenizer folder")):
            if not path.exists():
                raise UserError(f"no {what} at {path}; `{command('models list')}` names the files and how to get them")
        self._weights, self._tokenizer_folder, self._cache = weights, tokenizer, cache
        self._device, self._dtype, self._rest = torch.device(device), dtype, rest
        self._keep_8bit, self._size = keep_8bit, size
        self._encoder: nn.Module | None = None
        self._home: Home | None = None
        self._tokenizer: Any = None
        self._identity: tuple[str, ...] | None = None
        self._stream: Any = None
        self._using = threading.RLock()

    @property
    def loaded(self) -> bool:
        """Whether the network is in memory."""
        return self._encoder is not None

    def at_hand(self, prompt: str) -> bool:
        """See TextEncoder.at_hand: whether the prompt is in the cache."""
        return self._kept(clean(prompt)) is not None

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """See TextEncoder.encode: `[B, rows, dim]` on the CPU, in the encoder's dtype."""
        cleaned = [clean(prompt) for prompt in prompts]
        found = {prompt: self._kept(prompt) for prompt in cleaned}
        if missing := [prompt for prompt, kept in found.items() if kept is None]:
            found |= self._encode_new(missing)
        out = torch.zeros(len(prompts), self._size.rows, self._size.dim, dtype=self._dtype)
        for row, prompt in zip(out, cleaned, strict=True):
            kept = found[prompt]
            assert kept is not None
            row[: len(kept.rows)] = kept.rows
        return out

    def unknown_words(self, prompt: str) -> list[str]:
        """See TextEncoder.unknown_words: words with a character that is not in the vocabulary."""
        cleaned = clean(prompt)
        kept = self._kept(cleaned)
        if kept is not None:
            return list(kept.unknown)
        with self._using:
            return self._unknown(cleaned)

    def release(self) -> None:
        """Unload the network; the next new prompt loads it again."""
        with self._using:
            self._drop()

    def _kept(self, prompt: str) -> KeptPrompt | None:
        """A cleaned prompt from the cache, or None."""
        return None if self._cache is None else self._cache.get(self._key(prompt))

    def _key(self, prompt: str) -> str:
        """The cache key: a hash of everything that an embedding depends on."""
        if self._identity is None:
            files = fingerprint(self._weights), fingerprint(self._tokenizer_folder)
            self._identity = (FORMAT, *files, str(self._dtype), str(self._size.rows))
        return content_key(*self._identity, prompt)

    @torch.inference_mode()
    def _encode_new(self, prompts: Sequence[str]) -> dict[str, KeptPrompt]:
        """Encode cleaned prompts and cache them."""
        made: dict[str, KeptPrompt] = {}
        with self._using, self._own_stream():
            try:
                for prompt in prompts:
                    ids = self._open_tokenizer()(prompt, truncation=True, max_length=self._size.rows)["input_ids"]
                    encoder, device = self._ready_encoder()
                    rows: Tensor = encoder(input_ids=torch.tensor([ids], device=device)).last_hidden_state[0]
                    made[prompt] = KeptPrompt(rows.to("cpu", self._dtype), tuple(self._unknown(prompt)))
            finally:
                self._put_away()
        if self._cache is not None:
            for prompt, kept in made.items():
                self._cache.put(self._key(prompt), kept)
        return made

    def _own_stream(self) -> AbstractContextManager[Any]:
        """A CUDA stream, so that the encoder's kernels run beside the generator's. Results are copied to the CPU."""
        if self._device.type != "cuda":
            return nullcontext()
        if self._stream is None:
            self._stream = torch.cuda.Stream(self._device)
        stream: AbstractContextManager[Any] = torch.cuda.stream(self._stream)
        return stream

    def _unknown(self, prompt: str) -> list[str]:
        tokenizer = self._open_tokenizer()
        unknown = tokenizer.unk_token_id
        return [word for word in prompt.split() if unknown in tokenizer(word)["input_ids"]]

    def _ready_encoder(self) -> tuple[nn.Module, torch.device]:
        """The loaded network and its current device: the configured one, or the CPU if that has no room."""
        if self._encoder is None:
            at_home = self._rest == "cpu" and self._device.type != "cpu"
            place = torch.device("cpu") if at_home else self._place(_encoder_bytes(self._weights, self._dtype))
            self._encoder = load_encoder(self._weights, place, self._dtype, self._keep_8bit, self._size)
            self._home = Home(self._encoder) if at_home else None
        place = next(self._encoder.parameters()).device
        if self._home is not None and place.type == "cpu":
            place = self._place(self._home.nbytes)
            if place.type != "cpu":
                self._home.move_to(place)
        return self._encoder, place

    def _place(self, needed: int) -> torch.device:
        return self._device if needed * _SLACK < free_bytes(self._device) else torch.device("cpu")

    def _put_away(self) -> None:
        """Leave the device, unless the encoder rests there.

        Its memory stays reserved for its own stream, so the next prompt gets it at once. Giving it back stops the card,
        and takes the generator's spare memory along. So that happens only when little is left for others.
        """
        encoder = self._encoder
        left = encoder is not None and self._rest != "device" and next(encoder.parameters()).device.type == "cuda"
        if self._rest == "release":
            self._drop()
        elif self._home is not None:
            self._home.go_back()
        del encoder
        if left and (self._rest == "release" or torch.cuda.mem_get_info(self._device)[0] < LEFT_FREE):
            torch.cuda.empty_cache()

    def _drop(self) -> None:
        self._encoder = self._home = None

    def _open_tokenizer(self) -> Any:
        if self._tokenizer is None:
            library = _package("transformers")
            try:
                self._tokenizer = library.AutoTokenizer.from_pretrained(
                    str(self._tokenizer_folder), local_files_only=True, trust_remote_code=False
                )
            except (OSError, ValueError, KeyError) as error:
                first = str(error).partition("\n")[0]
                raise UserError(
                    f"cannot read the tokenizer in {self._tokenizer_folder}: {first}; it needs Wan's "
                    "google/umt5-xxl files (tokenizer.json, tokenizer_config.json, special_tokens_map.json)"
                ) from error
        return self._tokenizer


def _encoder_bytes(path: Path, dtype: torch.dtype) -> int:
    with StoredTensors(path) as stored:
        return sum(math.prod(shape) for shape in stored.shapes.values()) * dtype.itemsize


def _package(name: str) -> Any:
    """Import an optional package. Raises UserError with the command to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(f"Wan's text encoder needs {name}: {install_command('wan')} ({error})") from None
