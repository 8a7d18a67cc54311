"""The chunk loop, in latents: restore the history, denoise a chunk, keep what later chunks need.

There is only one such loop: the live generator, the replay of recordings and the training program all run it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from streamvace.model.cache import ChunkPass
from streamvace.model.captured import Kind, Mark, RunPass, run_eagerly
from streamvace.model.reference_keys import ReferenceKeys
from streamvace.model.sampler import Schedule, denoise, flow_to_x0
from streamvace.model.specs import PipelineSpec
from streamvace.model.transformer import CausalWan
from streamvace.stream.hints import ChunkHints
from streamvace.stream.stream_state import StreamState
from streamvace.stream.user_loras import UserLoras


@dataclass(frozen=True)
class ChunkPlan:
    """The inputs of one chunk.

    start: `[B, C, T, h, w]`, pure noise or a noised source. schedule: the denoising steps. fresh: the noise of the
    later steps, like `start`. hints: None without control. history_hints: the clean pass gets hints too. past_bias,
    references: see `KVCache.chunk`. regions: where side LoRAs apply in each latent frame, `[1, tokens, 1]`; None:
    everywhere.
    """

    start: Tensor
    schedule: Schedule
    fresh: Sequence[Tensor]
    hints: ChunkHints | None = None
    history_hints: bool = False
    past_bias: float = 1.0
    references: ReferenceKeys | None = None
    regions: Sequence[Tensor | None] = ()


def _timestep(x: Tensor, t: float) -> Tensor:
    """One timestep for all frames of `x`, `[B, 1]`."""
    return torch.full((x.shape[0], 1), t, device=x.device)


def _ignore(given: object) -> None:
    """No clock and nobody who waits for the latents."""


@dataclass(frozen=True)
class ChunkLoop:
    """Generates chunks and updates the stream's state. mark: see `StageClock.mark`. run: see `RunPass`."""

    spec: PipelineSpec
    wan: CausalWan
    state: StreamState
    loras: UserLoras = field(default_factory=UserLoras)
    mark: Mark = _ignore
    run: RunPass = run_eagerly

    def follow_text(self) -> None:
        """Apply the pipeline's rule for a prompt switch to the history. The text K/V must already be the new ones."""
        spec, state = self.spec, self.state
        state.text_is_new = True
        if spec.on_prompt_switch == "recache" and state.clean is not None:
            self._consolidate_bank()
            frames = state.clean.shape[2]
            memory = state.cache.replay(state.position - frames, frames)
            self.loras.limit(state.regions[-frames:])
            self._once(state.clean, memory)
        elif spec.on_prompt_switch == "forget":
            state.cache.reset()
            state.decoder = None

    def generate(self, plan: ChunkPlan, ready: Callable[[Tensor], None] = _ignore) -> Tensor:
        """The clean latents `[B, C, T, h, w]` of the next chunk. Advances the stream.

        ready: receives them as soon as they exist, before the pass that writes the history and before the stream
        advances.
        """
        memory = self._open(plan)
        self.loras.limit(plan.regions)
        x0 = denoise(plan.start, plan.schedule, partial(self._predict_x0, plan.hints, memory), plan.fresh)
        ready(x0)
        if self.spec.history == "clean_pass":
            # Writes clean K/V; without hints unless asked for, as in training.
            hints = plan.hints if plan.history_hints else None
            if hints is not None:
                hints.prepare_history()
            self._forward(x0, self.spec.context_timestep, memory, hints)
        self._remember(x0, plan.regions)
        self.mark("cache")
        return x0

    def _open(self, plan: ChunkPlan) -> ChunkPass:
        """The cache's pass for the next chunk, after the history is restored by the pipeline's rule."""
        state, cache, start = self.state, self.state.cache, self.state.position
        self._consolidate_bank()
        if self.spec.history == "recompute" and start:
            # An anchor and the newest latents, together one chunk, look like the start of a clip (Krea Realtime).
            assert state.anchor is not None
            assert state.clean is not None
            context = torch.cat((state.anchor, state.clean[:, :, 1 - self.spec.chunk :]), dim=2)
            start = context.shape[2]
            cache.reset()
            self.loras.limit(state.regions[-start:])
            self._once(context, cache.chunk(0, start))
        # Counted back from the present: frames have other numbers after a recomputed history.
        since_cut = self._since_cut()
        cut = None if since_cut is None else start - since_cut
        return cache.chunk(start, plan.start.shape[2], plan.past_bias, plan.references, cut)

    def _since_cut(self) -> int | None:
        """Latent frames since a soft cut; None once the window holds no others, or without a cut."""
        state = self.state
        if state.cut_at is not None and state.position - state.cut_at >= self.spec.cache.window:
            state.cut_at = None
        return None if state.cut_at is None else state.position - state.cut_at

    def _predict_x0(self, hints: ChunkHints | None, memory: ChunkPass, x: Tensor, t: float, sigma: float) -> Tensor:
        """One denoising step."""
        if hints is not None:
            hints.prepare_step(sigma)
        output = self._forward(x, t, memory, hints)
        x0 = output if self.spec.prediction == "x0" else flow_to_x0(output, x, sigma)
        if hints is not None:
            hints.watch(x0)
        self.mark("denoise")
        return x0

    def _forward(self, x: Tensor, t: float, memory: ChunkPass, hints: ChunkHints | None = None) -> Tensor:
        """One pass of the networks over latents `[B, C, T, h, w]` at timestep t, 0..1000."""
        body = partial(self._networks, memory, hints)
        return self.run(self._kind(memory, hints), body, x, _timestep(x, t), self.mark)

    def _once(self, x: Tensor, memory: ChunkPass) -> None:
        """Write clean latents to the cache again. Such passes have many lengths, so they are never captured."""
        self._networks(memory, None, x, _timestep(x, self.spec.context_timestep), self.mark)

    def _networks(self, memory: ChunkPass, hints: ChunkHints | None, x: Tensor, t: Tensor, mark: Mark) -> Tensor:
        """The part of a pass that is captured: nothing in it depends on data, and the host never waits."""
        tokens, grid = self.wan.embed(x)
        time = self.wan.embed_time(t)
        made: Sequence[Tensor] = ()
        if hints is not None:
            mark("denoise")
            made = hints.take(tokens, time)
            mark("context")
        return self.wan.run(tokens, grid, time, self.state.text, memory, made)

    def _kind(self, memory: ChunkPass, hints: ChunkHints | None) -> Kind:
        """Equal for passes that differ only in the values at the addresses they read; None: not to be captured."""
        of_hints = () if hints is None else hints.kind
        if memory.kind is None or of_hints is None:
            return None
        return (memory.kind, of_hints, self.loras.kind)

    def _consolidate_bank(self) -> None:
        state = self.state
        unseen = state.text_is_new and not self.spec.cache.bank_sees_new_text
        state.cache.bank.consolidate(None if unseen else [keys for keys, _ in state.text])

    def _remember(self, x0: Tensor, regions: Sequence[Tensor | None]) -> None:
        """Keep what later chunks need of this one."""
        state, spec = self.state, self.spec
        if spec.cache.bank and state.chunks % spec.cache.record_every == 0:
            state.cache.record(state.position)
        if spec.on_prompt_switch == "recache" or spec.history == "recompute":
            history = x0 if state.clean is None else torch.cat((state.clean, x0), dim=2)
            state.clean = history[:, :, -spec.cache.window :]
        if spec.history == "recompute" and not state.position:
            state.anchor = x0[:, :, :1]
        state.regions = [*state.regions, *regions][-spec.cache.window :]
        state.text_is_new = False
        state.position += x0.shape[2]
        state.chunks += 1
