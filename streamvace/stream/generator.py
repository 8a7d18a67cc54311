"""One stream: the chunk loop. `Generator.step(ChunkInput) -> Chunk` lives here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from streamvace.conditioning.pixels import Canvas, to_frames, to_mask, to_pixels
from streamvace.conditioning.region import token_mask
from streamvace.conditioning.video_to_video import STILL_SCALE, follow_motion, noisy_start
from streamvace.model.attention import AttentionShape, choose_kernel
from streamvace.model.autoencoder.stats import denormalised
from streamvace.model.cache import ChunkPass, KVCache
from streamvace.model.reference_keys import ReferenceKeys
from streamvace.model.sampler import Schedule, StreamNoise, denoise, flow_to_x0, pipeline_schedule, thinned
from streamvace.model.specs import PipelineSpec
from streamvace.model.transformer import TimeEmbedding
from streamvace.records.chunk import Chunk, ChunkInput, Pixels, PromptMix
from streamvace.stream.chunk_check import check_chunk, remarks
from streamvace.stream.hints import ChunkHints, HintBuilder, MakeHints, wants_hints
from streamvace.stream.offload import Offload
from streamvace.stream.prompt_encoder import PromptEncoder
from streamvace.stream.rehearsal import SWITCH, rehearsal, rehearsal_input
from streamvace.stream.seams import ease_chunk
from streamvace.stream.stage_clock import StageClock
from streamvace.stream.stream_state import Networks, StreamState
from streamvace.stream.text_state import history_is_stale, take_prompt
from streamvace.system.errors import UserError

__all__ = ["Chunk", "ChunkInput", "Generator"]


class Generator:
    """A causal, controlled video stream."""

    def __init__(
        self,
        spec: PipelineSpec,
        networks: Networks,
        size: tuple[int, int],
        device: torch.device,
        dtype: torch.dtype,
        attention: str = "auto",
        offload: str = "none",
        prompts: str = "wait",
    ) -> None:
        """size: (width, height) in pixels. attention: see `choose_kernel`. offload: see `Offload`. prompts: see
        `PromptEncoder`.

        Raises UserError when the pipeline cannot make that size, the kernel cannot be had or the offload is unknown.
        """
        width, height = size
        cell = networks.codec.spatial_stride * spec.size.patch[1]
        if min(size) < cell or width % cell or height % cell:
            raise UserError(f"size {width}x{height}: {spec.name} needs both sides to be multiples of {cell}")
        self.spec, self.networks, self.size = spec, networks, size
        self.device, self.dtype = device, dtype
        self._schedule = pipeline_schedule(spec)
        self._latent = (height // networks.codec.spatial_stride, width // networks.codec.spatial_stride)
        rows, columns = height // cell, width // cell
        self._grid = (rows, columns)
        tokens = rows * columns
        shape = AttentionShape(spec.chunk * tokens, spec.cache.window * tokens, spec.size.num_heads, spec.size.head_dim)
        chosen = choose_kernel(device, dtype, shape, attention)
        self._canvas = Canvas(width, height, rows, columns, device, dtype)
        self._hints = HintBuilder(self._canvas, max(spec.chunk, spec.first_chunk), spec.size.head_dim)
        self.about = {
            "device": str(device),
            "precision": str(dtype).removeprefix("torch."),
            "attention": str(chosen),
            "codec": type(networks.codec).__name__,
            "offload": offload,
        }
        self._noise = StreamNoise(device, spec.shared_noise)
        self._desk = PromptEncoder(networks.text, prompts)
        self._offload = Offload(networks.branch, device, offload)
        self.state = StreamState(
            KVCache(spec.size, spec.cache, rows, columns, device=device, dtype=dtype, kernel=chosen.kernel)
        )

    def frames_wanted(self) -> int:
        """Control frames the next step takes, and pixel frames it will give: 1 + 4 (f - 1) first, then 4 f."""
        stride = self.networks.codec.temporal_stride
        return stride * self.spec.chunk if self.state.position else 1 + stride * (self.spec.first_chunk - 1)

    def reset(self) -> None:
        """Hard cut."""
        self.state.reset()

    @torch.inference_mode()
    def step(self, given: ChunkInput) -> Chunk:
        """Generate the next chunk.

        Raises ValueError when an input has the wrong shape or range (nothing has changed then but a reset),
        FloatingPointError when the result is not finite (the stream is reset then).
        """
        if given.reset:
            self.reset()
        check_chunk(given, self.frames_wanted(), self.size, len(self.spec.size.vace_layers))
        spec, state, networks, codec = self.spec, self.state, self.networks, self.networks.codec
        clock = StageClock(self.device)
        if given.reference_mode == "auto":
            given = replace(given, reference_mode="joint" if spec.learned_references else "memory")

        # Between two chunks: everything that moves or changes networks.
        notes = networks.loras.begin_chunk(given.lora_strength, given.lora_region, at_once=state.position == 0)
        if not self._offload.begin_chunk(wants_hints(given)):
            given = replace(given, context_scale=0.0)
            notes += (f"no control: {self._offload.nbytes / 1e9:.1f} GB for the context branch are not free",)
        notes += self._switch_prompt(PromptMix.of(given.prompt), wants_hints(given))
        notes += remarks(given, spec)
        clock.mark("text")
        frames = spec.chunk if state.position else spec.first_chunk
        state.references.take(codec, given.references, self._canvas)
        hints = self._hints.open(given, state, networks, frames, self.frames_wanted())
        clock.mark("encode")

        self._noise.begin_chunk(given.seed, state.position)
        noise = self._noise.draw((1, spec.size.in_dim, frames, *self._latent), self.dtype)
        memory = self._open_chunk(frames, self._reference_keys(given), given.past_bias if spec.score_bias else 1.0)
        start, schedule = self._start(given, noise)
        regions = self._style_regions(given, frames)
        networks.loras.limit(regions)
        x0 = denoise(
            start,
            schedule,
            lambda x, t, sigma: self._predict_x0(x, t, sigma, memory, hints, clock),
            self._noise.draw,
        )
        if spec.history == "clean_pass":
            # Leaves clean K/V behind; hint-free unless asked for, as the history was trained.
            make = partial(hints.make, sigma=0.0) if hints is not None and given.history_hints else None
            self._forward(x0, spec.context_timestep, memory, make)
        clock.mark("cache")

        if state.decoder is None and state.position:
            # A cut within the stream: the decoder blends each frame with the one before, so it gets the first twice.
            _, state.decoder = codec.decode(x0[:, :, :1], None)
        pixels, state.decoder = codec.decode(x0, state.decoder)
        if spec.ease_seams:
            before = None if state.last_pixels is None else state.last_pixels[:, :, -1]
            pixels = ease_chunk(pixels, before, spec.ease_seams, spec.ease_latents)
        try:
            picture = to_frames(pixels)
        except FloatingPointError:
            self.reset()
            raise
        clock.mark("decode")
        self._advance(x0, pixels, picture)
        state.regions = [*state.regions, *regions][-spec.cache.window :]
        return Chunk(
            frames=picture,
            index=state.chunks - 1,
            generation=given.generation,
            captured_ns=given.captured_ns,
            snapshot_version=given.snapshot_version,
            seconds=clock.seconds(),
            notes=notes,
            seed=given.seed,
            prompt=state.prompt,
        )

    def warm_up(self, progress: Callable[[float], None] | None = None) -> None:
        """Run every path a show can take up to the steady state, so nothing compiles or allocates later."""
        self._desk.take(SWITCH.texts, needed=True)
        regional = self.networks.loras.has_side
        plan = list(rehearsal(self.spec, regional))
        for done, (names, others) in enumerate(plan):
            self.step(rehearsal_input(names, others, self.frames_wanted(), self.size, regional))
            if progress is not None:
                progress((done + 1) / len(plan))
        self.reset()
        self.state.prompt = None  # so that the show's first picture waits for its own words

    # -- the parts of a step ----------------------------------------------------------------------------------------

    def _switch_prompt(self, prompt: PromptMix, control: bool) -> tuple[str, ...]:
        """New text K/V, and what the pipeline's rule does to the history that was made under the old ones."""
        state, parts, before = self.state, self.networks, self.state.prompt
        notes = take_prompt(state, parts, self._desk, prompt, self.device, self.dtype, control)
        if history_is_stale(state, before):
            if state.clean is not None and self.spec.on_prompt_switch == "recache":
                state.cache.bank.consolidate(self._text_keys())
                frames = state.clean.shape[2]
                memory = state.cache.replay(state.position - frames, frames)
                parts.loras.limit(state.regions[-frames:])
                self._forward(state.clean, self.spec.context_timestep, memory)
            elif self.spec.on_prompt_switch == "forget":
                state.cache.reset()
                state.decoder = None
        return notes

    def _reference_keys(self, given: ChunkInput) -> ReferenceKeys | None:
        """What the base attention sees of the references: nothing but in `memory` mode."""
        if given.reference_mode != "memory":
            return None
        state, spec, loras = self.state, self.spec, self.networks.loras
        loras.limit([None])
        # They follow the words when the history does: a transition does not make them anew with every chunk.
        words = (state.history_prompt, state.text_version)
        return state.references.base_keys(self.networks.wan, state.text, words, spec.context_timestep)

    def _open_chunk(self, frames: int, references: ReferenceKeys | None, past_bias: float) -> ChunkPass:
        """The cache's pass for the next chunk, with the history as this pipeline keeps it."""
        state, cache = self.state, self.state.cache
        if self.spec.history == "recompute" and state.position:
            context = self._recompute_context()
            cache.reset()
            self.networks.loras.limit(state.regions[-context.shape[2] :])
            self._forward(context, self.spec.context_timestep, cache.chunk(0, context.shape[2]))
            return cache.chunk(context.shape[2], frames, past_bias, references)
        cache.bank.consolidate(self._text_keys())
        return cache.chunk(state.position, frames, past_bias, references)

    def _recompute_context(self) -> Tensor:
        """The latents a `recompute` cache is built from: an anchor and the newest ones, one chunk in all.

        The anchor is the stream's first latent in chunk 1; later the picture just before the newest latents, encoded
        again on its own, so that the context looks like the start of a clip (Krea Realtime).
        """
        state, chunk, codec = self.state, self.spec.chunk, self.networks.codec
        assert state.clean is not None
        assert state.first_latent is not None
        assert state.last_pixels is not None
        if state.position <= chunk:
            anchor = state.first_latent
        else:
            oldest = -1 - codec.temporal_stride * (chunk - 1)
            anchor, _ = codec.encode(state.last_pixels[:, :, oldest].unsqueeze(2), None)
        return torch.cat((anchor, state.clean[:, :, 1 - chunk :]), dim=2)

    def _start(self, given: ChunkInput, noise: Tensor) -> tuple[Tensor, Schedule]:
        """What denoising starts from and the steps to do: pure noise, or the noised source."""
        state, spec = self.state, self.spec
        schedule = thinned(self._schedule, given.denoise_steps)
        if given.source is None:
            state.source = state.noise_scale = None
            return noise, schedule
        scale = given.noise_scale
        if scale is None:
            before = STILL_SCALE if state.noise_scale is None else state.noise_scale
            scale = follow_motion(given.source, noise.shape[2], before)
        pixels = to_pixels(given.source, self.device, self.dtype)
        encoder = state.source
        if encoder is None and state.position:
            encoder = self.networks.codec.blank_state(pixels)
        latents, state.source = self.networks.codec.encode(pixels, encoder)
        state.noise_scale = scale
        latents = denormalised(latents) if spec.raw_source else latents
        return noisy_start(latents, noise, scale, schedule, spec.source_step_offset)

    def _style_regions(self, given: ChunkInput, frames: int) -> list[Tensor | None]:
        """Where side LoRAs apply in each latent frame: `[1, tokens, 1]`, or None: everywhere."""
        outside = given.lora_region == "outside"
        if not self.networks.loras.regional or (given.mask is None and not outside):
            return [None] * frames
        mask = given.mask
        if mask is None:
            mask = np.full((self.frames_wanted(), self.size[1], self.size[0]), 255, np.uint8)
        region = token_mask(to_mask(mask, self.device, self.dtype), frames, *self._grid)
        return list((1 - region if outside else region).chunk(frames, dim=1))

    def _text_keys(self) -> list[Tensor]:
        return [keys for keys, _ in self.state.text]

    def _predict_x0(
        self, x: Tensor, t: float, sigma: float, memory: ChunkPass, hints: ChunkHints | None, clock: StageClock
    ) -> Tensor:
        make = None
        if hints is not None:

            def make(tokens: Tensor, time: TimeEmbedding) -> list[Tensor]:
                clock.mark("denoise")
                made = hints.step(tokens, time, sigma)
                clock.mark("context")
                return made

        output = self._forward(x, t, memory, make)
        x0 = output if self.spec.prediction == "x0" else flow_to_x0(output, x, sigma)
        if hints is not None:
            hints.watch(x0)
        clock.mark("denoise")
        return x0

    def _forward(self, x: Tensor, t: float, memory: ChunkPass, make_hints: MakeHints | None = None) -> Tensor:
        """One pass of the networks over latents `[1, C, T, h, w]` at timestep t."""
        wan = self.networks.wan
        tokens, grid = wan.embed(x)
        time = wan.embed_time(torch.full((1, x.shape[2]), t, device=self.device))
        hints = () if make_hints is None else make_hints(tokens, time)
        return wan.run(tokens, grid, time, self.state.text, memory, hints)

    def _advance(self, x0: Tensor, pixels: Tensor, picture: Pixels) -> None:
        """Remember what later chunks will need of this one."""
        state, spec = self.state, self.spec
        if spec.cache.bank and state.chunks % spec.cache.record_every == 0:
            state.cache.record(state.position)
        if spec.on_prompt_switch == "recache" or spec.history == "recompute":
            history = x0 if state.clean is None else torch.cat((state.clean, x0), dim=2)
            state.clean = history[:, :, -spec.cache.window :]
        if spec.history == "recompute":
            state.first_latent = x0[:, :, :1] if state.first_latent is None else state.first_latent
        state.position += x0.shape[2]
        state.chunks += 1
        state.last_pixels, state.last_frames = pixels, picture
