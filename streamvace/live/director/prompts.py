"""The prompt mix of the next chunk: the wanted mix and the transition to it. No threads."""

from __future__ import annotations

from typing import cast

from streamvace.control.fades import Fade
from streamvace.control.parameters import PROMPT, PROMPTS, Snapshot
from streamvace.records.chunk import Blend, PromptMix

MOST_PARTS = 16
"""Parts of a mix in transition: eight prompts to eight others. When one transition interrupts another, the smallest
parts are dropped."""

_SMALLEST_SHARE = 0.005
"""A smaller share of a prompt is invisible, and would linger after every interrupted transition."""


def wanted_mix(snapshot: Snapshot) -> PromptMix:
    """The mix that the parameters ask for: `prompts`, or `prompt` if that is empty or all its weights are 0."""
    parts = snapshot.weighted(PROMPTS)
    if not any(weight for _, weight in parts):
        return PromptMix.of(snapshot.text(PROMPT))
    return PromptMix.of(PromptMix(parts, _blend(snapshot)))


def plain(mix: PromptMix) -> str | PromptMix:
    """The mix, or its text if it has only one."""
    return mix if len(mix.parts) > 1 else mix.parts[0][0]


def spoken(mix: PromptMix) -> str:
    """A mix as a status line: `red glass 30 % + neon blue 70 %`."""
    if len(mix.parts) == 1:
        return mix.parts[0][0]
    return " + ".join(f"{text} {100 * weight:.0f} %" for text, weight in mix.parts)


class PromptTransition:
    """Moves from one mix to the next, one step per chunk. Owned by the director."""

    def __init__(self) -> None:
        self.shown: PromptMix | None = None
        """The newest chunk's mix, in canonical form."""
        self._from: PromptMix | None = None
        self._to: PromptMix | None = None
        self._fade: Fade | float = 0.0
        self._began_ns = 0
        self._chunks = 0
        self._asked_ns = 0

    def next(self, snapshot: Snapshot, now_ns: int, *, cut: bool) -> PromptMix:
        """The mix of the chunk being built. cut: a reset, which ends the transition."""
        wanted = wanted_mix(snapshot)
        if wanted != self._to:
            self._from, self._to, self._chunks = self.shown, wanted, 0
            self._fade = snapshot.prompt_fade or _transition(snapshot)
            # After a pause, a transition is shown from its beginning.
            self._began_ns = max(_written_ns(snapshot), self._asked_ns)
        self._asked_ns = now_ns
        self._chunks += 1
        share = 1.0 if cut or self._from is None else self._share(now_ns)
        if share >= 1.0 or self._from is None:
            self._from, self.shown = None, wanted
        else:
            self.shown = _between(self._from, wanted, share, _blend(snapshot))
        return self.shown

    def paused(self, now_ns: int) -> None:
        """No chunk is wanted at this moment: what is asked for now begins with the first chunk after the pause."""
        self._asked_ns = now_ns

    def _share(self, now_ns: int) -> float:
        if isinstance(self._fade, Fade):
            return self._fade.share(now_ns - self._began_ns)
        return self._chunks / self._fade if self._fade > self._chunks else 1.0


def _transition(snapshot: Snapshot) -> Fade | float:
    """The transition that the parameters ask for: a Fade in seconds, or a number of chunks."""
    length = snapshot.number("/streamvace/prompt_transition")
    return length if snapshot.text("/streamvace/prompt_transition_unit") == "chunks" else Fade(length)


def _written_ns(snapshot: Snapshot) -> int:
    return max(snapshot.changed_ns[PROMPT], snapshot.changed_ns[PROMPTS])


def _blend(snapshot: Snapshot) -> Blend:
    return cast(Blend, snapshot.text("/streamvace/prompt_blend"))


def _between(here: PromptMix, there: PromptMix, share: float, blend: Blend) -> PromptMix:
    """The mix at `share` of the way. The old parts come first: slerp rotates through the parts in order."""
    parts = [(text, weight * (1.0 - share)) for text, weight in here.parts]
    parts += [(text, weight * share) for text, weight in there.parts]
    mixed = PromptMix.of(PromptMix(tuple(parts), blend)).parts
    largest = sorted(range(len(mixed)), key=lambda index: mixed[index][1], reverse=True)[:MOST_PARTS]
    kept = tuple(mixed[index] for index in sorted(largest) if mixed[index][1] >= _SMALLEST_SHARE)
    return PromptMix.of(PromptMix(kept, blend))
