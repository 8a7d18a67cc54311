"""A process's part in a group that makes one stream: networks on every card, pictures and texts on the first.

All processes run the same steps with the same inputs. What only the first makes (latents of pictures, encoded texts) it
shares, so all hold the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from streamvace.conditioning.pixels import Canvas
from streamvace.model.autoencoder.base import Autoencoder, CodecState
from streamvace.model.exchange import Exchange, Ulysses, check_heads
from streamvace.model.specs import pipeline
from streamvace.records.chunk import ChunkInput
from streamvace.stream.chunk_contexts import ChunkContexts, chunk_contexts
from streamvace.stream.prompt_encoder import EncodedText, PromptEncoder
from streamvace.stream.stream_state import Networks, StreamState


class Part(Protocol):
    """What a process of a stream does of it."""

    @property
    def processes(self) -> int:
        """How many there are."""

    @property
    def contexts(self) -> ChunkContexts:
        """Makes the VACE contexts of a chunk's pictures."""

    def networks(self, loaded: Networks) -> Networks:
        """The networks as this process uses them."""

    def prompts(self, encoder: PromptEncoder) -> PromptEncoder:
        """Encodes texts, in place of `encoder`."""


class Whole:
    """The only process."""

    processes = 1
    contexts: ChunkContexts = staticmethod(chunk_contexts)

    def networks(self, loaded: Networks) -> Networks:
        """See Part."""
        return loaded

    def prompts(self, encoder: PromptEncoder) -> PromptEncoder:
        """See Part."""
        return encoder


WHOLE = Whole()


class Shared:
    """What the first process of a group tells the others. All must call in the same order."""

    def __init__(self, device: torch.device, group: dist.ProcessGroup | None = None) -> None:
        """device: of this process. group: None: all processes."""
        self._device, self._group = device, group
        self._first = 0 if group is None else dist.get_global_rank(group, 0)

    def tell(self, message: Any = None) -> Any:
        """The first process's message, in every process. Pickled: the processes are of one program and user."""
        box = [message]
        dist.broadcast_object_list(box, self._first, self._group, device=torch.device("cpu"))
        return box[0]

    def give(self, made: Sequence[Tensor]) -> list[Tensor]:
        """In the first process: these tensors, for all."""
        self.tell([(tuple(each.shape), each.dtype) for each in made])
        return [self._sent(each.contiguous()) for each in made]

    def take(self) -> list[Tensor]:
        """In the others: the tensors of `give`."""
        return [self._sent(torch.empty(shape, dtype=dtype, device=self._device)) for shape, dtype in self.tell()]

    def _sent(self, tensor: Tensor) -> Tensor:
        if tensor.numel():
            dist.broadcast(tensor, self._first, self._group)
        return tensor


class First:
    """The part of the first process: it encodes and decodes for all."""

    def __init__(self, shared: Shared, exchange: Ulysses) -> None:
        self._shared, self._exchange = shared, exchange
        self.processes = exchange.processes

    def networks(self, loaded: Networks) -> Networks:
        """See Part."""
        _divide(loaded, self._exchange)
        return replace(loaded, codec=_SharingCodec(loaded.codec, self._shared))

    def prompts(self, encoder: PromptEncoder) -> PromptEncoder:
        """See Part."""
        return _SharingPrompts(encoder, self._shared)

    def contexts(
        self, given: ChunkInput, state: StreamState, codec: Autoencoder, canvas: Canvas, pixels: int
    ) -> list[Tensor]:
        """See `chunk_contexts`."""
        assert isinstance(codec, _SharingCodec)
        return self._shared.give(chunk_contexts(given, state, codec.own, canvas, pixels))


class Other:
    """The part of every other process."""

    def __init__(self, shared: Shared, exchange: Ulysses) -> None:
        self._shared, self._exchange = shared, exchange
        self.processes = exchange.processes

    def networks(self, loaded: Networks) -> Networks:
        """See Part."""
        _divide(loaded, self._exchange)
        return replace(loaded, codec=_AbsentCodec(loaded.codec, self._shared))

    def prompts(self, encoder: PromptEncoder) -> PromptEncoder:
        """See Part."""
        return _AbsentPrompts(self._shared)

    def contexts(
        self, given: ChunkInput, state: StreamState, codec: Autoencoder, canvas: Canvas, pixels: int
    ) -> list[Tensor]:
        """See `chunk_contexts`."""
        return self._shared.take()


def check_group(name: str, processes: int) -> None:
    """Raises UserError for an unknown pipeline, or one whose heads that many processes cannot share."""
    check_heads(pipeline(name).size.num_heads, processes)


def part_of(device: torch.device, group: dist.ProcessGroup | None = None) -> Part:
    """This process's part in a group of torch.distributed; None: all processes."""
    shared, exchange = Shared(device, group), Ulysses(group)
    return First(shared, exchange) if dist.get_rank(group) == 0 else Other(shared, exchange)


def _divide(networks: Networks, exchange: Exchange) -> None:
    for divided in (networks.wan, networks.branch, networks.loras):
        divided.exchange = exchange


class _SharingCodec:
    """The first process's autoencoder. Latents that it makes go to all."""

    def __init__(self, own: Autoencoder, shared: Shared) -> None:
        self.own, self._shared = own, shared
        self.latent_channels = own.latent_channels
        self.temporal_stride, self.spatial_stride = own.temporal_stride, own.spatial_stride

    def encode(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder."""
        latents, state = self.own.encode(pixels, state)
        return self._shared.give([latents])[0], state

    def blank_state(self, pixels: Tensor) -> CodecState:
        """See Autoencoder."""
        return self.own.blank_state(pixels)

    def decode(self, latents: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder."""
        return self.own.decode(latents, state)


class _AbsentCodec:
    """The autoencoder of a process that shows nothing: it takes latents, and decodes to black."""

    def __init__(self, like: Autoencoder, shared: Shared) -> None:
        self._shared = shared
        self.latent_channels = like.latent_channels
        self.temporal_stride, self.spatial_stride = like.temporal_stride, like.spatial_stride

    def encode(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder."""
        return self._shared.take()[0], []

    def blank_state(self, pixels: Tensor) -> CodecState:
        """See Autoencoder."""
        return []

    def decode(self, latents: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder."""
        batch, _, frames, height, width = latents.shape
        stride = self.temporal_stride
        count = 1 + stride * (frames - 1) if state is None else stride * frames
        side = self.spatial_stride
        return latents.new_zeros(batch, 3, count, height * side, width * side), []


class _SharingPrompts(PromptEncoder):
    """The first process's texts. Whether a text is ready is decided here, for all."""

    def __init__(self, own: PromptEncoder, shared: Shared) -> None:
        self._own, self._shared = own, shared

    def take(self, texts: Sequence[str], *, needed: bool) -> list[EncodedText] | None:
        """See PromptEncoder."""
        taken = self._own.take(texts, needed=needed)
        self._shared.tell(taken)
        return taken

    def drop(self) -> None:
        """See PromptEncoder."""
        self._own.drop()

    def remarks(self) -> tuple[str, ...]:
        """See PromptEncoder."""
        return self._own.remarks()


class _AbsentPrompts(PromptEncoder):
    """The texts of the first process."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def take(self, texts: Sequence[str], *, needed: bool) -> list[EncodedText] | None:
        """See PromptEncoder."""
        taken: list[EncodedText] | None = self._shared.tell()
        return taken

    def drop(self) -> None:
        """See PromptEncoder: there is nothing to drop."""

    def remarks(self) -> tuple[str, ...]:
        """See PromptEncoder: the first process has them."""
        return ()
