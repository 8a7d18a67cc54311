"""One stream: `Generator.step(ChunkInput) -> Chunk`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor

from streamvace.conditioning.pixels import Canvas, to_mask
from streamvace.conditioning.region import token_mask
from streamvace.conditioning.video_to_video import STILL_SCALE, follow_motion, noisy_start
from streamvace.model.attention import AttentionShape, choose_kernel, given_up, sdpa
from streamvace.model.cache import KVCache
from streamvace.model.captured import PreparedPasses, run_eagerly
from streamvace.model.noise import StreamNoise
from streamvace.model.quantize import dtype_name
from streamvace.model.reference_keys import ReferenceKeys
from streamvace.model.sampler import Schedule, pipeline_schedule, thinned
from streamvace.model.specs import PipelineSpec
from streamvace.records.chunk import Chunk, ChunkInput, PromptMix
from streamvace.stream.chunk_check import check_chunk, remarks, settled
from streamvace.stream.chunk_contexts import ChunkContexts, chunk_contexts
from streamvace.stream.chunk_loop import ChunkLoop, ChunkPlan
from streamvace.stream.hints import HintBuilder, wants_hints
from streamvace.stream.kernel_trial import fault_in_network
from streamvace.stream.lane import Lane, lane_of
from streamvace.stream.link import Link, OneDevice
from streamvace.stream.offload import Offload
from streamvace.stream.picture_work import PictureWork, Shown
from streamvace.stream.processor_threads import ProcessorThreads
from streamvace.stream.prompt_encoder import PromptEncoder
from streamvace.stream.rehearsal import SWITCH, rehearsal, rehearsal_input
from streamvace.stream.stage_clock import StageClock
from streamvace.stream.stream_state import Networks, StreamState
from streamvace.stream.text_state import history_is_stale, take_prompt
from streamvace.system.errors import UserError

log = logging.getLogger(__name__)

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
        contexts: ChunkContexts = chunk_contexts,
        graphs: PreparedPasses | None = None,
        lane: Lane | None = None,
        link: Link | None = None,
    ) -> None:
        """size: (width, height) in pixels. attention: see `choose_kernel`. offload: see `Offload`. prompts: see
        `PromptEncoder`. contexts: makes the VACE contexts of a chunk's pictures. graphs: captures or compiles the
        passes of a steady stream in the warm-up; None: all passes run eagerly. lane: where pictures are encoded and
        decoded; None: the device's. link: to a second device, which has the codec and the context branch; None: there
        is one.

        Raises UserError for a size that the pipeline cannot generate, an unavailable kernel or an unknown offload.
        """
        width, height = size
        cell = networks.codec.spatial_stride * spec.size.patch[1]
        if min(size) < cell or width % cell or height % cell:
            raise UserError(f"size {width}x{height}: {spec.name} needs both sides to be multiples of {cell}")
        self.spec, self.networks, self.size = spec, networks, size
        self.device, self.dtype = device, dtype
        self.precision = dtype_name(dtype)
        """The value of `--precision` that computes the same. With 8-bit blocks, `load_generator` sets it."""
        self.warms_up = device.type != "cpu"
        """Whether the first use of a path takes longer than later ones. A processor runs every operation as it comes:
        there the first use of each path of the embedded model takes as long as the third. With `--compile`,
        `load_generator` sets it."""
        self.threads: ProcessorThreads | None = None
        """Threads of networks and decoder on a processor, set by `load_generator`; None: PyTorch's own number."""
        self._schedule = pipeline_schedule(spec)
        self._latent = (height // networks.codec.spatial_stride, width // networks.codec.spatial_stride)
        rows, columns = height // cell, width // cell
        self._grid = (rows, columns)
        tokens = rows * columns
        heads = networks.wan.exchange.own_heads(spec.size).num_heads
        shape = AttentionShape(spec.chunk * tokens, spec.cache.window * tokens, heads, spec.size.head_dim)
        chosen = self._attention = choose_kernel(device, dtype, shape, attention)
        self._link = link = link or OneDevice(device)
        self._canvas = Canvas(width, height, rows, columns, link.other, dtype)
        self._hints = HintBuilder(
            self._canvas, max(spec.chunk, spec.first_chunk), len(spec.steps), spec.size.head_dim, device, link
        )
        self._graphs = graphs
        self._clock = StageClock(device)
        lane = lane or lane_of(link.other)
        self._pictures = PictureWork(spec, networks.codec, self._canvas, contexts, lane, link, self._clock)
        self.about = {
            "device": str(device),
            "precision": str(dtype).removeprefix("torch."),
            "attention": str(chosen),
            "codec": type(networks.codec).__name__,
            "offload": offload,
        }
        self._noise = StreamNoise(device, spec.shared_noise, spec.noise_tile)
        self.prompts = PromptEncoder(networks.text, prompts)
        """Encodes the texts. In a group of processes, `Part` replaces it."""
        self._offload = Offload(networks.branch, link.other, offload)
        self.state = StreamState(
            KVCache(
                spec.size,
                spec.cache,
                rows,
                columns,
                device=device,
                dtype=dtype,
                kernel=chosen.kernel,
                exchange=networks.wan.exchange,
            )
        )

    def frames_wanted(self) -> int:
        """Control frames that the next step takes and pixel frames that it returns: 1 + 4 (f - 1) first, then 4 f."""
        stride = self.networks.codec.temporal_stride
        return stride * self._frames if self.state.position else 1 + stride * (self._frames - 1)

    @property
    def _frames(self) -> int:
        """Latent frames of the next chunk."""
        return self.spec.chunk if self.state.position else self.spec.first_chunk

    def reset(self) -> None:
        """Hard cut."""
        self.state.reset()

    @torch.inference_mode()
    def step(self, given: ChunkInput) -> Chunk:
        """Generate the next chunk.

        Raises ValueError when an input has the wrong shape or range; nothing changes then, except by `reset`. Raises
        FloatingPointError when the result is not finite; the stream is reset then.
        """
        if given.begins:
            self.reset()
        check_chunk(given, self.frames_wanted(), self.size, len(self.spec.size.vace_layers))
        if given.cut == "soft":
            self.state.cut_at = self.state.position
        given = settled(given, self.spec)
        clock = self._clock
        clock.begin()
        run = self._graphs or run_eagerly
        loop = ChunkLoop(self.spec, self.networks.wan, self.state, self.networks.loras, clock.mark, run)

        heard, notes = self._move_networks(given)
        notes += self._take_prompt(PromptMix.of(given.prompt), loop, heard)
        notes += remarks(given, self.spec)
        clock.mark("text")
        plan = self._plan(given, heard)
        shown: list[Shown] = []

        def show(x0: Tensor) -> None:
            with nullcontext() if self.threads is None else self.threads.decoding():
                shown.append(self._pictures.show(x0, self.state))

        loop.generate(plan, ready=show)
        try:
            picture = self._pictures.wait(shown[0], self.state)
        except FloatingPointError:
            self.reset()
            raise
        return Chunk(
            frames=picture,
            index=self.state.chunks - 1,
            generation=given.generation,
            captured_ns=given.captured_ns,
            snapshot_version=given.snapshot_version,
            seconds=clock.seconds(),
            notes=notes,
            seed=given.seed,
            prompt=self.state.prompt,
            precision=self.precision,
        )

    def warm_up(self, progress: Callable[[float], None] | None = None) -> None:
        """Run every path of a show up to the steady state, so that nothing compiles or allocates later."""
        self.prompts.take(SWITCH.texts, needed=True)
        regional = self.networks.loras.has_side
        plan = list(rehearsal(self.spec, regional, captured=self._graphs is not None))
        if self._graphs is not None:
            self._graphs.capturing = True
        self.state.cache.kernel = sdpa  # until the chosen one is tried, before passes are captured with it
        for done, (names, others) in enumerate(plan):
            self.step(rehearsal_input(names, others, self.frames_wanted(), self.size, regional))
            if not done:
                self._try_kernel()
            if progress is not None:
                progress((done + 1) / len(plan))
        if self._graphs is not None:
            self._graphs.capturing = False
            self.about |= self._graphs.about
        self.reset()
        self.state.prompt = None  # the first picture must wait for its own prompt

    def _try_kernel(self) -> None:
        """Use the chosen attention kernel from now on, unless it is wrong in the whole network."""
        chosen = self._attention.kernel
        fault = fault_in_network(chosen, self.spec, self.networks.wan, self.state, self._latent)
        self.state.cache.kernel = sdpa if fault else chosen
        if fault:
            log.warning("attention: %s %s; the show runs with SDPA", self._attention.name, fault)
            self._attention = given_up(self._attention, fault, self.device, self.dtype, self.spec.size.head_dim)
            self.about["attention"] = str(self._attention)

    # -- the parts of a step ----------------------------------------------------------------------------------------

    def _move_networks(self, given: ChunkInput) -> tuple[bool, tuple[str, ...]]:
        """Change LoRA strengths and move the context branch. Returns whether control applies, and remarks."""
        notes = self.networks.loras.begin_chunk(
            given.lora_strength, given.lora_region, at_once=self.state.position == 0
        )
        wanted = wants_hints(given)
        if self._offload.begin_chunk(wanted):
            return wanted, notes
        lacking = f"no control: the context branch needs {self._offload.nbytes / 1e9:.1f} GB of free device memory"
        return False, (*notes, lacking)

    def _take_prompt(self, prompt: PromptMix, loop: ChunkLoop, heard: bool) -> tuple[str, ...]:
        """Update the text K/V, and the history when it must follow them. Returns remarks for the user."""
        before = self.state.prompt
        notes = take_prompt(self.state, self.networks, self.prompts, prompt, self.device, self.dtype, heard, self._link)
        if history_is_stale(self.state, before):
            loop.follow_text()
        return notes

    def _plan(self, given: ChunkInput, heard: bool) -> ChunkPlan:
        spec, frames = self.spec, self._frames
        encoded = self._pictures.encode(given, self.state, heard, self.frames_wanted())
        hints = self._hints.open(given, encoded.contexts, self.state, self.networks, frames) if heard else None
        self._noise.begin_chunk(given.seed, self.state.position, given.noise_rule)
        noise = self._noise.draw((1, spec.size.in_dim, frames, *self._latent), self.dtype)
        start, schedule = self._start(given, encoded.source, noise)
        return ChunkPlan(
            start,
            schedule,
            self._noise.draw_later(noise, len(schedule.timesteps)),
            hints,
            given.history_hints,
            given.past_bias if spec.score_bias else 1.0,
            self._reference_keys(given),
            self._style_regions(given, frames),
        )

    def _reference_keys(self, given: ChunkInput) -> ReferenceKeys | None:
        """Keys of the references for the base attention; None except in `memory` mode."""
        if given.reference_mode != "memory":
            return None
        state, spec, loras = self.state, self.spec, self.networks.loras
        loras.limit([None])
        # They follow the prompt when the history does: a transition does not recompute them for every chunk.
        words = (state.history_prompt, state.text_version)
        return state.references.base_keys(self.networks.wan, state.text, words, spec.context_timestep, self._link)

    def _start(self, given: ChunkInput, source: Tensor | None, noise: Tensor) -> tuple[Tensor, Schedule]:
        """The latents that denoising starts from, pure noise or the noised source, and its schedule."""
        state, spec = self.state, self.spec
        schedule = thinned(self._schedule, given.denoise_steps)
        if given.source is None or source is None:
            state.source = state.noise_scale = None
            return noise, schedule
        scale = given.noise_scale
        if scale is None:
            before = STILL_SCALE if state.noise_scale is None else state.noise_scale
            scale = follow_motion(given.source, noise.shape[2], before)
        state.noise_scale = scale
        return noisy_start(source, noise, scale, schedule, spec.source_step_offset)

    def _style_regions(self, given: ChunkInput, frames: int) -> list[Tensor | None]:
        """Where side LoRAs apply in each latent frame, `[1, tokens, 1]`; None means everywhere."""
        outside = given.lora_region == "outside"
        if not self.networks.loras.regional or (given.mask is None and not outside):
            return [None] * frames
        mask = given.mask
        if mask is None:
            mask = np.full((self.frames_wanted(), self.size[1], self.size[0]), 255, np.uint8)
        region = token_mask(to_mask(mask, self.device, self.dtype), frames, *self._grid)
        return list((1 - region if outside else region).chunk(frames, dim=1))
