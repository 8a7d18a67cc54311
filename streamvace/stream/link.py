"""Between two devices of one stream: the first runs the passes of the base network, the other everything else.

The other one encodes and decodes pictures and texts, and runs the context branch. What crosses is small: the tokens of
a pass and its timestep go there, hints and latents come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, overload

import torch
from torch import Tensor

from streamvace.model.fixed import FixedBuffers


class Link(Protocol):
    """Copies between the two devices of a stream. Work on either device waits for the copies that it reads."""

    @property
    def other(self) -> torch.device:
        """The device of pictures, texts and the context branch."""

    @property
    def crosses(self) -> bool:
        """Whether there are two devices."""

    def there(self, made: Tensor) -> Tensor:
        """A tensor of the passes on the other device."""

    def back(self, made: Tensor) -> Tensor:
        """A tensor of the other device where the passes are."""

    def hints(self, made: Iterable[Tensor]) -> Sequence[Tensor]:
        """Hints of one pass, in order, where the passes are. `made` computes each on the other device when asked."""


class OneDevice:
    """Everything is where the passes are."""

    crosses = False

    def __init__(self, device: torch.device) -> None:
        self.other = device

    def there(self, made: Tensor) -> Tensor:
        """See Link."""
        return made

    def back(self, made: Tensor) -> Tensor:
        """See Link."""
        return made

    def hints(self, made: Iterable[Tensor]) -> Sequence[Tensor]:
        """See Link."""
        return list(made)


ONE_DEVICE = OneDevice(torch.device("cpu"))
"""For processors."""


class Copies:
    """Two devices, one of which has no streams. The host may wait for a copy."""

    crosses = True

    def __init__(self, passes: torch.device, other: torch.device) -> None:
        self._passes, self.other = passes, other

    def there(self, made: Tensor) -> Tensor:
        """See Link."""
        return made.to(self.other, copy=True)

    def back(self, made: Tensor) -> Tensor:
        """See Link."""
        return made.to(self._passes, copy=True)

    def hints(self, made: Iterable[Tensor]) -> Sequence[Tensor]:
        """See Link."""
        return [self.back(each) for each in made]


class CardLink:
    """Two CUDA cards.

    PyTorch queues a copy between cards in the current stream of its source, after what is queued in the current stream
    of its target, and makes that stream wait for it. So the host never waits, and most copies need no more. Hints would
    wait for the blocks that run before them, and these blocks for all hints: they arrive in a stream of their own, and
    each block waits for its hint alone.
    """

    crosses = True

    def __init__(self, passes: torch.device, other: torch.device) -> None:
        self._passes, self.other = passes, other
        self._arrivals = torch.cuda.Stream(passes)
        self._fixed = FixedBuffers()

    def there(self, made: Tensor) -> Tensor:
        """See Link."""
        return made.to(self.other, non_blocking=True)

    def back(self, made: Tensor) -> Tensor:
        """See Link."""
        return made.to(self._passes, non_blocking=True)

    def hints(self, made: Iterable[Tensor]) -> Sequence[Tensor]:
        """See Link. The next pass writes the same memory: its tokens leave this card when this pass has read it."""
        arrived = []
        for index, hint in enumerate(made):
            with torch.cuda.stream(self._arrivals):
                held = self._fixed.put(f"hint {index}", hint, self._passes)
                arrived.append((held, self._arrivals.record_event()))
        return _Arriving(arrived, self._passes)


class _Arriving(Sequence[Tensor]):
    """Hints on their way. The pass waits for a hint when it takes it."""

    def __init__(self, hints: Sequence[tuple[Tensor, torch.cuda.Event]], passes: torch.device) -> None:
        self._hints, self._passes = hints, passes

    def __len__(self) -> int:
        return len(self._hints)

    @overload
    def __getitem__(self, index: int) -> Tensor: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Tensor]: ...

    def __getitem__(self, index: int | slice) -> Tensor | Sequence[Tensor]:
        if isinstance(index, slice):
            return [self[at] for at in range(len(self))[index]]
        held, arrived = self._hints[index]
        torch.cuda.current_stream(self._passes).wait_event(arrived)
        return held


def link_between(passes: torch.device, other: torch.device) -> Link:
    """The link of a stream whose base network runs on one device and everything else on another."""
    if passes == other:
        return OneDevice(passes)
    return (CardLink if passes.type == other.type == "cuda" else Copies)(passes, other)
