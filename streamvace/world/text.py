"""The embedded model's text encoder: a closed vocabulary, a synonym map, and a report of unknown words."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

import torch
from torch import Tensor, nn

from streamvace.world.captions import VOCABULARY
from streamvace.world.filters import FILTERS
from streamvace.world.styles import STYLES

TEXT_LEN = 24
TEXT_DIM = 128
_IGNORED_WORDS = (
    "a an the of in is are at to front by its it this that there some very one picture image video scene style "
    "colored coloured colour color move moves moving motion object objects shape shapes"
)
IGNORED = frozenset(_IGNORED_WORDS.split())
"""Words without meaning for this model; they cause no warning."""
_JOINER = "\N{ZERO WIDTH JOINER}"
"""Makes one emoji of two."""
_PUNCTUATION = "\u1fff"
"""Signs up to here (degree, copyright, accents on their own) are punctuation, above are emoji."""


@lru_cache(maxsize=1)
def synonyms() -> dict[str, tuple[str, ...]]:
    """English word -> the vocabulary words that replace it."""
    raw = json.loads(files("streamvace.world").joinpath("synonyms.json").read_text(encoding="utf-8"))
    return {word: tuple(stand_in.split()) for word, stand_in in raw.items()}


def words_of(prompt: str) -> list[str]:
    """The words of a prompt in lower case, in any script. A row of emoji is a word; a number alone is none."""
    words: list[str] = []
    before = ""
    for character in unicodedata.normalize("NFC", prompt).lower():
        kind = _kind(character)
        kind = before if kind == "joined" else kind
        if kind and kind == before:
            words[-1] += character
        elif kind:
            words.append(character)
        before = kind
    return [word for word in words if not word.isnumeric()]


def _kind(character: str) -> str:
    """`word`, `sign` (emoji), `joined` (belongs to the character before it), or empty for a separator."""
    category = unicodedata.category(character)
    if category[0] in "LN":
        return "word"
    if category[0] == "M" or character == _JOINER:
        return "joined"
    return "sign" if category in ("So", "Sk") and character > _PUNCTUATION else ""


def _folded(word: str) -> str:
    """The letters of a word without accents, width and case: `Ｎéon` is `neon`."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", word).casefold() if letter.isalpha())


def _known(word: str) -> tuple[str, ...] | None:
    """The vocabulary words for `word`; empty: ignored; None: unknown. A plural counts as its singular."""
    word = _folded(word)
    for form in (word, word[:-1] if word.endswith("s") else word, word[:-2] if word.endswith("es") else word):
        if form in _INDEX:
            return (form,)
        if form in synonyms():
            return synonyms()[form]
        if form in IGNORED:
            return ()
    return None


_FIRST = frozenset((*STYLES, *FILTERS))
_INDEX = {word: number + 1 for number, word in enumerate(VOCABULARY)}


def tokens_of(prompt: str) -> list[int]:
    """Token numbers, at most TEXT_LEN; unknown words are left out.

    Style words are moved to the front, without repetition, because every training caption starts with its style.
    """
    found = [w for word in words_of(prompt) for w in (_known(word) or ())]
    styles = list(dict.fromkeys(w for w in found if w in _FIRST))
    return [_INDEX[w] for w in [*styles, *(w for w in found if w not in _FIRST)]][:TEXT_LEN]


def unknown_words(prompt: str) -> list[str]:
    """The words of a prompt that this model does not know, in order, without repetition."""
    return list(dict.fromkeys(word for word in words_of(prompt) if _known(word) is None))


class TextEncoder(nn.Module):
    """Word embeddings plus position embeddings, and two short convolutions that bind a colour to its noun.

    Interface: `model.text.TextEncoder`.
    """

    def __init__(self, dim: int = TEXT_DIM) -> None:
        super().__init__()
        self.words = nn.Embedding(len(VOCABULARY) + 1, dim, padding_idx=0)
        self.places = nn.Parameter(torch.empty(TEXT_LEN, dim).normal_(std=0.1))
        self.mix = nn.ModuleList(nn.Conv1d(dim, dim, 5, padding=2) for _ in range(2))
        self.out = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Token numbers int64 `[B, TEXT_LEN]`, 0 = padding -> `[B, TEXT_LEN, TEXT_DIM]`; padding rows are zero."""
        real = (tokens > 0).unsqueeze(-1)
        x = (self.words(tokens) + self.places) * real
        for conv in self.mix:
            x = (x + nn.functional.gelu(conv(x.transpose(1, 2)).transpose(1, 2))) * real
        out: Tensor = self.out(x) * real
        return out

    def tokens(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> int64 `[B, TEXT_LEN]`."""
        table = torch.zeros(len(prompts), TEXT_LEN, dtype=torch.int64)
        for row, prompt in enumerate(prompts):
            numbers = tokens_of(prompt)
            table[row, : len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
        return table

    def at_hand(self, prompt: str) -> bool:
        """See model.text.TextEncoder. Always True: the encoder is small."""
        return True

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Prompts -> `[B, TEXT_LEN, TEXT_DIM]`; see model.text.TextEncoder."""
        out: Tensor = self(self.tokens(prompts).to(self.places.device))
        return out

    def unknown_words(self, prompt: str) -> list[str]:
        """See model.text.TextEncoder."""
        return unknown_words(prompt)
