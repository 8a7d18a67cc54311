"""The parts of a stream: the loaded networks, and its state between chunks."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from streamvace.conditioning.context import ContextState
from streamvace.model.autoencoder.base import Autoencoder, CodecState
from streamvace.model.blocks import TextKV
from streamvace.model.cache import KVCache
from streamvace.model.context import ContextBranch
from streamvace.model.fixed import FixedBuffers
from streamvace.model.text import TextEncoder
from streamvace.model.transformer import CausalWan
from streamvace.records.chunk import Pixels, PromptMix
from streamvace.stream.reference_state import ReferenceState
from streamvace.stream.user_loras import UserLoras


@dataclass(frozen=True)
class Networks:
    """The loaded networks of a pipeline; `wan` may have a device of its own. loras: the user's LoRAs on `wan`."""

    wan: CausalWan
    branch: ContextBranch
    codec: Autoencoder
    text: TextEncoder
    loras: UserLoras = field(default_factory=UserLoras)


@dataclass
class StreamState:
    """Everything that a stream keeps between chunks.

    position: latent frames generated since the last reset. prompt: the prompt of the text K/V; encoded: its embedding;
    history_prompt: the prompt that the cache's past frames follow.
    text_version: the LoRAs' version that the text K/V were made with. text_is_new: the history was updated to the text
    K/V, and no chunk was generated since. clean: the window's clean latents `[B, C, T, h, w]`, anchor: the one before
    them, `[B, C, 1, h, w]`; both only for pipelines that need them. regions: where side LoRAs applied in each of the
    window's latent frames, `[1, tokens, 1]`; None means everywhere. cut_at: position of a soft cut. fixed: holds what
    the passes read.
    """

    cache: KVCache
    position: int = 0
    chunks: int = 0
    prompt: PromptMix | None = None
    history_prompt: PromptMix | None = None
    encoded: Tensor | None = None
    text_version: int = 0
    text_is_new: bool = False
    text: list[TextKV] = field(default_factory=list)
    context_text: list[TextKV] = field(default_factory=list)
    context: ContextState = field(default_factory=ContextState)
    references: ReferenceState = field(default_factory=ReferenceState)
    decoder: CodecState | None = None
    source: CodecState | None = None
    noise_scale: float | None = None
    clean: Tensor | None = None
    regions: list[Tensor | None] = field(default_factory=list)
    anchor: Tensor | None = None
    last_pixels: Tensor | None = None
    last_frames: Pixels | None = None
    cut_at: int | None = None
    fixed: FixedBuffers = field(default_factory=FixedBuffers)

    @property
    def nbytes(self) -> int:
        """Bytes of the K/V buffers, the largest part by far."""
        return self.cache.nbytes

    def reset(self) -> None:
        """Hard cut: forget every frame. Text K/V and references stay, as they do not depend on the stream."""
        self.cache.reset()
        self.position = self.chunks = 0
        self.context = ContextState()
        self.source = self.noise_scale = self.cut_at = None
        self.regions = []
        self.decoder = self.clean = self.anchor = self.last_pixels = self.last_frames = None
