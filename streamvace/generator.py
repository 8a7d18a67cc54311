"""One stream: the chunk loop. `Generator.step(ChunkInput) -> Chunk` lives here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamvace.conditioning.context import ContextState, encode_context
from streamvace.errors import UserError
from streamvace.model.attention import choose_kernel
from streamvace.model.autoencoder.base import Autoencoder, CodecState
from streamvace.model.blocks import Bidirectional, TextKV
from streamvace.model.cache import ChunkPass, KVCache
from streamvace.model.context import ContextBranch
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import denoise, draw_noise, flow_to_x0, pipeline_schedule
from streamvace.model.specs import PipelineSpec
from streamvace.model.text import TextEncoder
from streamvace.model.transformer import CausalWan
from streamvace.stage_clock import StageClock

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ChunkInput:
    """Everything that shapes one chunk, sampled at the chunk's start.

    prompt: text; unknown words come back as a note.
    seed: base seed; the chunk's noise is drawn from `seed + start frame`, so the same inputs give the same frames.
    context_scale: 0..2, the strength of the hints.
    control: uint8 `[F, H, W, 3]` control texture, F = `Generator.frames_wanted()`, or None for no control.
    mask: uint8 `[F, H, W]`, 255 = generate, 0 = keep the control picture's pixels, or None for everything generated.
        A mask without control regenerates that region of the stream's own last output.
    reset: hard cut: every state is cleared before this chunk.
    generation, captured_ns, snapshot_version: carried through to the Chunk untouched.
    """

    prompt: str
    seed: int = 42
    context_scale: float = 1.0
    control: Pixels | None = None
    mask: Pixels | None = None
    reset: bool = False
    generation: int = 0
    captured_ns: int = 0
    snapshot_version: int = 0


@dataclass(frozen=True)
class Chunk:
    """One chunk of finished frames and what shaped it.

    frames: uint8 `[F, H, W, 3]`, sRGB.
    index: chunk number since the last reset.
    generation, captured_ns, snapshot_version: the ChunkInput's own.
    seconds: time spent a stage (`text`, `encode`, `context`, `denoise`, `cache`, `decode`) and `total`.
    notes: one-line remarks for the user (an unknown word in the prompt, say).
    """

    frames: Pixels
    index: int
    generation: int
    captured_ns: int
    snapshot_version: int
    seconds: dict[str, float]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Networks:
    """The loaded parts of a pipeline, on one device."""

    wan: CausalWan
    branch: ContextBranch
    codec: Autoencoder
    text: TextEncoder


@dataclass
class StreamState:
    """All that a stream remembers. position: latent frames generated since the last reset."""

    cache: KVCache
    position: int = 0
    chunks: int = 0
    prompt: str | None = None
    text: list[TextKV] = field(default_factory=list)
    context_text: list[TextKV] = field(default_factory=list)
    context: ContextState = field(default_factory=ContextState)
    decoder: CodecState | None = None
    clean: Tensor | None = None
    last_frames: Pixels | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the K/V buffers, the largest part by far."""
        return self.cache.nbytes

    def reset(self) -> None:
        """Hard cut: forget every frame; the text K/V stay, they do not depend on the stream."""
        self.cache.reset()
        self.position = self.chunks = 0
        self.context = ContextState()
        self.decoder = self.clean = self.last_frames = None


class Generator:
    """A causal, controlled video stream."""

    def __init__(
        self, spec: PipelineSpec, networks: Networks, size: tuple[int, int], device: torch.device, dtype: torch.dtype
    ) -> None:
        """size: (width, height) in pixels. Raises UserError when the pipeline cannot make that size."""
        width, height = size
        cell = networks.codec.spatial_stride * spec.size.patch[1]
        if min(size) < cell or width % cell or height % cell:
            raise UserError(f"size {width}x{height}: {spec.name} needs both sides to be multiples of {cell}")
        self.spec, self.networks, self.size = spec, networks, size
        self.device, self.dtype = device, dtype
        self.kernel_name, kernel = choose_kernel(device, dtype, spec.size.head_dim)
        self._schedule = pipeline_schedule(spec)
        self._latent = (height // networks.codec.spatial_stride, width // networks.codec.spatial_stride)
        rows, columns = height // cell, width // cell
        self._branch_memory = Bidirectional(rotary_table(range(spec.chunk), rows, columns, spec.size.head_dim, device))
        self._noise = torch.Generator(device)
        self.state = StreamState(
            KVCache(spec.size, spec.cache, rows, columns, device=device, dtype=dtype, kernel=kernel)
        )

    @classmethod
    def load(
        cls, pipeline: str, size: tuple[int, int] | None = None, device: str = "cpu", threads: int | None = None
    ) -> Generator:
        """A generator with the weights that are installed for `pipeline`; see `streamvace.loading`."""
        from streamvace.loading import load_generator

        return load_generator(pipeline, size, device, threads)

    def frames_wanted(self) -> int:
        """Control frames the next step takes, and pixel frames it will give: 1 + 4 (f - 1) first, then 4 f."""
        stride = self.networks.codec.temporal_stride
        return stride * self.spec.chunk if self.state.position else 1 + stride * (self.spec.chunk - 1)

    def reset(self) -> None:
        """Hard cut."""
        self.state.reset()

    @torch.inference_mode()
    def step(self, given: ChunkInput) -> Chunk:
        """Generate the next chunk.

        Raises ValueError when control or mask have the wrong shape, FloatingPointError when the result is not finite
        (the stream is reset then).
        """
        if given.reset:
            self.reset()
        spec, state, codec = self.spec, self.state, self.networks.codec
        clock = StageClock(self.device)

        notes = self._switch_prompt(given.prompt)
        clock.mark("text")
        context = self._encode_context(given)
        clock.mark("encode")

        self._noise.manual_seed(given.seed + state.position)
        noise = draw_noise((1, spec.size.in_dim, spec.chunk, *self._latent), self._noise, self.dtype)
        memory = state.cache.chunk(state.position, spec.chunk)
        x0 = denoise(
            noise,
            self._schedule,
            lambda x, t, sigma: self._predict_x0(x, t, sigma, memory, context, given.context_scale, clock),
            self._noise,
        )
        # The pass that leaves clean K/V behind; hint-free, as the history was trained.
        self._forward(x0, spec.context_timestep, memory)
        clock.mark("cache")

        pixels, state.decoder = codec.decode(x0, state.decoder)
        frames = self._to_uint8(pixels)
        clock.mark("decode")
        self._advance(x0, frames)
        return Chunk(
            frames=frames,
            index=state.chunks - 1,
            generation=given.generation,
            captured_ns=given.captured_ns,
            snapshot_version=given.snapshot_version,
            seconds=clock.seconds(),
            notes=notes,
        )

    def warm_up(self, progress: Callable[[float], None] | None = None) -> None:
        """Run every path a show can take up to the steady state, so nothing compiles or allocates later."""
        width, height = self.size
        steady = -(-self.spec.cache.window // self.spec.chunk) + 1
        plan = [("control", "warm up")] * steady + [("mask", "warm up"), ("none", "warm up"), ("none", "switch")]
        for done, (mode, prompt) in enumerate(plan):
            count = self.frames_wanted()
            control = None if mode == "none" else np.zeros((count, height, width, 3), np.uint8)
            mask = np.zeros((count, height, width), np.uint8) if mode == "mask" else None
            self.step(ChunkInput(prompt, control=control, mask=mask))
            if progress is not None:
                progress((done + 1) / len(plan))
        self.reset()

    # -- the parts of a step ----------------------------------------------------------------------------------------

    def _switch_prompt(self, prompt: str) -> tuple[str, ...]:
        """New text K/V; with the `recache` rule the last window of clean latents is replayed under them."""
        state, parts = self.state, self.networks
        if prompt == state.prompt:
            return ()
        embedded = parts.wan.embed_text(parts.text.encode([prompt]).to(self.device, self.dtype))
        state.text, state.context_text = parts.wan.text_kv(embedded), parts.branch.text_kv(embedded)
        state.prompt = prompt
        if state.clean is not None:
            frames = state.clean.shape[2]
            self._forward(
                state.clean,
                self.spec.context_timestep,
                state.cache.replay(state.position - frames, frames),
            )
        unknown = parts.text.unknown_words(prompt)
        return (f"words the model does not know: {', '.join(unknown)}",) if unknown else ()

    def _encode_context(self, given: ChunkInput) -> Tensor | None:
        """The VACE context that the inputs ask for: control, mask, both or (None) neither."""
        state = self.state
        control, mask = given.control, given.mask
        if control is None and mask is not None:
            control = self._own_output(len(mask))
        if control is None or given.context_scale == 0:
            # The encoder streams are interrupted; they start afresh when control returns.
            state.context = ContextState()
            return None
        self._check(control, (3,), "control")
        if mask is not None:
            self._check(mask, (), "mask")
            mask = None if mask.min() > 127 else mask
        first = state.position == 0
        context, state.context = encode_context(
            self.networks.codec,
            state.context,
            self._to_pixels(control),
            None if mask is None else self._to_mask(mask),
            first,
        )
        return context

    def _predict_x0(
        self,
        x: Tensor,
        t: float,
        sigma: float,
        memory: ChunkPass,
        context: Tensor | None,
        scale: float,
        clock: StageClock,
    ) -> Tensor:
        output = self._forward(x, t, memory, context, scale, clock)
        clock.mark("denoise")
        return output if self.spec.prediction == "x0" else flow_to_x0(output, x, sigma)

    def _forward(
        self,
        x: Tensor,
        t: float,
        memory: ChunkPass,
        context: Tensor | None = None,
        scale: float = 1.0,
        clock: StageClock | None = None,
    ) -> Tensor:
        """One pass of the networks over latents `[1, C, T, h, w]` at timestep t."""
        wan, state = self.networks.wan, self.state
        tokens, grid = wan.embed(x)
        time = wan.embed_time(torch.full((1, x.shape[2]), t, device=self.device))
        hints: list[Tensor] = []
        if context is not None and clock is not None:
            clock.mark("denoise")
            hints = self.networks.branch(tokens, context, time, state.context_text, self._branch_memory)
            clock.mark("context")
        return wan.run(tokens, grid, time, state.text, memory, hints, scale)

    def _advance(self, x0: Tensor, frames: Pixels) -> None:
        state, spec = self.state, self.spec
        state.position += spec.chunk
        state.chunks += 1
        state.last_frames = frames
        if spec.on_prompt_switch == "recache":
            history = x0 if state.clean is None else torch.cat((state.clean, x0), dim=2)
            state.clean = history[:, :, -spec.cache.window :]

    # -- pixels -----------------------------------------------------------------------------------------------------

    def _own_output(self, count: int) -> Pixels:
        """The stream's last frames as control, `[count, H, W, 3]`; mid grey before there are any."""
        width, height = self.size
        last = self.state.last_frames
        if last is None:
            return np.full((count, height, width, 3), 128, np.uint8)
        return last[np.clip(np.arange(len(last) - count, len(last)), 0, None)]

    def _check(self, frames: Pixels, channels: tuple[int, ...], name: str) -> None:
        width, height = self.size
        wanted = (self.frames_wanted(), height, width, *channels)
        if frames.shape != wanted or frames.dtype != np.uint8:
            raise ValueError(f"{name} is {frames.dtype} {list(frames.shape)}, this chunk takes uint8 {list(wanted)}")

    def _to_pixels(self, frames: Pixels) -> Tensor:
        """uint8 `[F, H, W, 3]` -> `[1, 3, F, H, W]` in -1..1."""
        tensor = torch.from_numpy(np.ascontiguousarray(frames)).to(self.device)
        return tensor.permute(3, 0, 1, 2).unsqueeze(0).to(self.dtype) / 127.5 - 1

    def _to_mask(self, mask: Pixels) -> Tensor:
        """uint8 `[F, H, W]` -> `[1, 1, F, H, W]` in 0..1."""
        return torch.from_numpy(np.ascontiguousarray(mask)).to(self.device)[None, None].to(self.dtype) / 255

    def _to_uint8(self, pixels: Tensor) -> Pixels:
        """`[1, 3, F, H, W]` in -1..1 -> uint8 `[F, H, W, 3]`; the one transfer (and synchronisation) of a step."""
        finite = torch.isfinite(pixels).all()
        scaled = pixels[0].float().add(1).mul(127.5).round_().clamp_(0, 255).to(torch.uint8)
        frames: Pixels = scaled.permute(1, 2, 3, 0).contiguous().cpu().numpy()
        if not finite:
            self.reset()
            raise FloatingPointError("the chunk is not finite (NaN or infinity); the stream was reset")
        return frames
