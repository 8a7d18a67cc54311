"""A generator without a model, for tests of the processes around it. Its prompt is its script.

The picture says what shaped it: red = low byte of the chunk number, green = generation, blue = 255 with control.
One corner is white, so that the picture is lively.
Words in the prompt make it misbehave: `slow` (0.2 s a chunk), `stall` (hangs), `crash` (the process dies at once),
`raise` (the step fails), `nan` (FloatingPointError), `short` (the card's memory runs out), `note` (a remark). The word
acts only while it is in the prompt. The seed LOSES makes it lose the picture, black until it is reset.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable

import numpy as np

from streamvace.live.worker.messages import WorkerSetup
from streamvace.live.worker.worker import DEFAULT_FACTORY, ChunkMaker, resolve
from streamvace.records.chunk import Chunk, ChunkInput, PromptMix
from streamvace.system.errors import UserError

LOSES = 13

CUDA_SAYS = (
    "CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 23.64 GiB of which 1.25 GiB is "
    "free. Including non-PyTorch memory, this process has 22.01 GiB memory in use."
)
"""Word for word what torch 2.6 raises."""


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own, so that the tests need neither torch nor a card."""


class FakeGenerator:
    """Counts like the real one: nine frames first, twelve after that."""

    def __init__(self, size: tuple[int, int], seconds: float = 0.02) -> None:
        self.size = size
        self.seconds = seconds
        self.index = 0
        self.lost = False
        self.about = {"device": "nowhere", "attention": "none"}
        self.warms_up = True

    def frames_wanted(self) -> int:
        return 12 if self.index else 9

    def warm_up(self, progress: Callable[..., None]) -> None:
        progress("the fake is warming")

    def reset(self) -> None:
        self.index = 0
        self.lost = False

    def step(self, inputs: ChunkInput) -> Chunk:
        if inputs.reset:
            self.reset()
        self._misbehave(" ".join(PromptMix.of(inputs.prompt).texts))
        frames = self.frames_wanted()
        if inputs.control is not None and len(inputs.control) != frames:
            raise ValueError(f"{len(inputs.control)} control frames, {frames} wanted")
        width, height = self.size
        picture = np.zeros((frames, height, width, 3), dtype=np.uint8)
        picture[..., 0] = self.index % 256
        picture[..., 1] = inputs.generation % 256
        picture[..., 2] = 255 if inputs.control is not None else 0
        picture[:, -1, -1] = 255
        self.lost = self.lost or (inputs.seed == LOSES and self.index > 0)
        if self.lost:
            picture[:] = 0
        chunk = Chunk(
            frames=picture,
            index=self.index,
            generation=inputs.generation,
            captured_ns=inputs.captured_ns,
            snapshot_version=inputs.snapshot_version,
            seconds={"total": self.seconds},
            notes=("a remark",) if "note" in str(inputs.prompt) else (),
        )
        self.index += 1
        return chunk

    def _misbehave(self, prompt: str) -> None:
        time.sleep(0.2 if "slow" in prompt else self.seconds)
        if "stall" in prompt:
            time.sleep(600)
        if "crash" in prompt:
            os._exit(9)
        if "nan" in prompt:
            raise FloatingPointError("the result is not finite")
        if "short" in prompt:
            raise OutOfMemoryError(CUDA_SAYS)
        if "raise" in prompt:
            raise RuntimeError("out of memory: needs 12.1 GB, 10.4 GB free")


def make(setup: WorkerSetup) -> FakeGenerator:
    """A well-behaved one."""
    made = FakeGenerator(setup.size)
    made.about["prompts"] = setup.model.prompts
    return made


def make_ready(setup: WorkerSetup) -> FakeGenerator:
    """Has nothing to prepare."""
    made = make(setup)
    made.warms_up = False
    return made


def make_refusing(setup: WorkerSetup) -> FakeGenerator:
    """What unreadable weights look like."""
    raise UserError("weights model.safetensors: unreadable; download them again")


def make_asking(setup: WorkerSetup) -> FakeGenerator:
    """Says how much of a card it leaves to control networks."""
    raise UserError(f"{setup.model.for_controls} bytes are left")


def make_broken(setup: WorkerSetup) -> FakeGenerator:
    """A bug while loading."""
    raise ZeroDivisionError("a bug")


def make_short(setup: WorkerSetup) -> FakeGenerator:
    """A model that is too large for the card."""
    raise OutOfMemoryError(CUDA_SAYS)


def make_dying(setup: WorkerSetup) -> FakeGenerator:
    """Dies without a word."""
    os._exit(7)


def make_silent(setup: WorkerSetup) -> FakeGenerator:
    """Hangs while loading."""
    time.sleep(600)
    return make(setup)


def make_cold(setup: WorkerSetup) -> FakeGenerator:
    """Hangs while warming up."""
    made = make(setup)

    def freeze(progress: Callable[..., None]) -> None:
        progress("freezing")
        time.sleep(600)

    made.warm_up = freeze  # type: ignore[method-assign]
    return made


def make_small(setup: WorkerSetup) -> FakeGenerator:
    """A model that cannot make the show's size."""
    return FakeGenerator((16, 16))


def make_digesting(setup: WorkerSetup) -> ChunkMaker:
    """The real generator; every chunk's digest becomes a line of the file that STREAMVACE_TEST_DIGESTS names."""
    generator = resolve(DEFAULT_FACTORY)(setup)
    step = generator.step

    def digested(inputs: ChunkInput) -> Chunk:
        chunk = step(inputs)
        with open(os.environ["STREAMVACE_TEST_DIGESTS"], "a", encoding="ascii") as file:
            file.write(f"{chunk.index} {hashlib.sha256(chunk.frames.tobytes()).hexdigest()}\n")
        return chunk

    generator.step = digested  # type: ignore[method-assign]
    return generator
