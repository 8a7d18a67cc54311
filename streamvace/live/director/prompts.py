"""Which prompts shape the next chunk, and in what shares: the mix that is wanted, and the way there. No threads."""

from __future__ import annotations

from typing import cast

from streamvace.control.fades import Fade
from streamvace.control.parameters import PROMPT, PROMPTS, Snapshot
from streamvace.records.chunk import Blend, PromptMix

MOST_PARTS = 16
"""Of a mix on its way: eight prompts to eight others. When one transition cuts into another, the smallest give way."""

_SMALLEST_SHARE = 0.005
"""Less of a prompt is not seen in the picture, and would trail after every transition that was cut into."""


def wanted_mix(snapshot: Snapshot) -> PromptMix:
    """What the parameters ask for: the mix of `prompts` unless it is empty or all its weights are 0, else `prompt`."""
    parts = snapshot.weighted(PROMPTS)
    if not any(weight for _, weight in parts):
        return PromptMix.of(snapshot.text(PROMPT))
    return PromptMix.of(PromptMix(parts, _blend(snapshot)))


def plain(mix: PromptMix) -> str | PromptMix:
    """A mix of one text is that text."""
    return mix if len(mix.parts) > 1 else mix.parts[0][0]


def spoken(mix: PromptMix) -> str:
    """A mix in words, for a status line: `red glass 30 % + neon blue 70 %`."""
    if len(mix.parts) == 1:
        return mix.parts[0][0]
    return " + ".join(f"{text} {100 * weight:.0f} %" for text, weight in mix.parts)


class PromptTransition:
    """Leads from one mix to the next, a step a chunk. Belongs to the director."""

    def __init__(self) -> None:
        self.shown: PromptMix | None = None
        """The newest chunk's mix, shares adding up to 1."""
        self._from: PromptMix | None = None
        self._to: PromptMix | None = None
        self._fade: Fade | float = 0.0
        self._began_ns = 0
        self._chunks = 0
        self._asked_ns = 0

    def next(self, snapshot: Snapshot, now_ns: int, *, cut: bool) -> PromptMix:
        """The mix of the chunk that is built now. cut: a reset, which is where the prompts are wanted to be at once."""
        wanted = wanted_mix(snapshot)
        if wanted != self._to:
            self._from, self._to, self._chunks = self.shown, wanted, 0
            self._fade = snapshot.prompt_fade or _transition(snapshot)
            # Never before the chunk before this one: after a pause, a transition is seen from its beginning.
            self._began_ns = max(_written_ns(snapshot), self._asked_ns)
        self._asked_ns = now_ns
        self._chunks += 1
        share = 1.0 if cut or self._from is None else self._share(now_ns)
        if share >= 1.0 or self._from is None:
            self._from, self.shown = None, wanted
        else:
            self.shown = _between(self._from, wanted, share, _blend(snapshot))
        return self.shown

    def _share(self, now_ns: int) -> float:
        if isinstance(self._fade, Fade):
            return self._fade.share(now_ns - self._began_ns)
        return self._chunks / self._fade if self._fade > self._chunks else 1.0


def _transition(snapshot: Snapshot) -> Fade | float:
    """The parameters' own transition: a Fade in seconds, or a number of chunks."""
    length = snapshot.number("/streamvace/prompt_transition")
    return length if snapshot.text("/streamvace/prompt_transition_unit") == "chunks" else Fade(length)


def _written_ns(snapshot: Snapshot) -> int:
    return max(snapshot.changed_ns[PROMPT], snapshot.changed_ns[PROMPTS])


def _blend(snapshot: Snapshot) -> Blend:
    return cast(Blend, snapshot.text("/streamvace/prompt_blend"))


def _between(here: PromptMix, there: PromptMix, share: float, blend: Blend) -> PromptMix:
    """The old parts fading out before the new ones fading in: slerp turns through the parts in their order."""
    parts = [(text, weight * (1.0 - share)) for text, weight in here.parts]
    parts += [(text, weight * share) for text, weight in there.parts]
    mixed = PromptMix.of(PromptMix(tuple(parts), blend)).parts
    largest = sorted(range(len(mixed)), key=lambda index: mixed[index][1], reverse=True)[:MOST_PARTS]
    kept = tuple(mixed[index] for index in sorted(largest) if mixed[index][1] >= _SMALLEST_SHARE)
    return PromptMix.of(PromptMix(kept, blend))
