"""Text keys and values of a stream, updated when the prompt or the LoRAs change."""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.model.blocks import TextKV
from streamvace.model.device import to_device
from streamvace.model.fixed import FixedBuffers
from streamvace.model.text_blend import blend_linear, blend_slerp
from streamvace.records.chunk import PromptMix
from streamvace.stream.link import Link
from streamvace.stream.prompt_encoder import EncodedText, PromptEncoder
from streamvace.stream.stream_state import Networks, StreamState

HISTORY_STEP = 0.5
"""Share of the prompt that may change before the history must follow it; see `history_is_stale`."""


def take_prompt(
    state: StreamState,
    parts: Networks,
    encoder: PromptEncoder,
    prompt: PromptMix,
    device: torch.device,
    dtype: torch.dtype,
    control: bool,
    link: Link,
) -> tuple[str, ...]:
    """Update the text K/V to a prompt and the LoRAs. While the prompt is being encoded, the old one stays in use.

    prompt: as `PromptMix.of` makes it. control: the chunk also needs the text K/V of the context branch. They are made
    only then, as the branch may be in main memory. link: to the device of the branch. Returns remarks for the user.
    """
    before = state.prompt
    notes: tuple[str, ...] = ()
    if prompt == before:
        encoder.drop()
    else:
        texts = encoder.take(prompt.texts, needed=before is None)
        notes = encoder.remarks()
        if texts is None:
            assert before is not None
            prompt = before
        else:
            state.encoded = _blended(prompt, [to_device(text.embedding, device) for text in texts]).to(dtype)
            notes += _remarks(prompt, before, texts)
    stale = prompt != before or state.text_version != parts.loras.version
    if stale or (control and not state.context_text):
        assert state.encoded is not None
        # A LoRA may change the embedding as well as the blocks' projections.
        embedded = parts.wan.embed_text(state.encoded)
        if stale:
            state.text, state.context_text = _held(state.fixed, "text", parts.wan.text_kv(embedded)), []
            state.prompt, state.text_version = prompt, parts.loras.version
        if control:
            state.context_text = _held(state.fixed, "context text", parts.branch.text_kv(link.there(embedded)))
    return notes


def _held(fixed: FixedBuffers, use: str, made: list[TextKV]) -> list[TextKV]:
    """The keys and values in their fixed buffers."""
    return [(fixed.put(f"{use} k {layer}", k), fixed.put(f"{use} v {layer}", v)) for layer, (k, v) in enumerate(made)]


def history_is_stale(state: StreamState, before: PromptMix | None) -> bool:
    """Whether the K/V of past frames must now follow the prompt. Returns True once per change.

    Recomputing the history costs about a chunk, and in a pipeline that forgets it the picture jumps. So a transition,
    which changes the mix in every chunk, returns True when half of the prompt has changed and again when it has ended
    (the mix did not change for a chunk). A prompt switch returns True at once.
    before: the prompt of the previous chunk.
    """
    prompt = state.prompt
    assert prompt is not None
    if state.position == 0:
        state.history_prompt = prompt  # there is no history yet
        return False
    assert state.history_prompt is not None
    moved = prompt.distance(state.history_prompt)
    blended = prompt.blend != state.history_prompt.blend
    arrived = prompt == before and (moved > 0 or blended)
    if moved < HISTORY_STEP and not arrived:
        return False
    state.history_prompt = prompt
    return True


def _blended(prompt: PromptMix, embeddings: list[Tensor]) -> Tensor:
    """The prompt's embedding `[1, L, text_dim]`."""
    if len(embeddings) == 1:
        return embeddings[0]
    blend = blend_slerp if prompt.blend == "slerp" else blend_linear
    return blend(embeddings, [weight for _, weight in prompt.parts])


PROMPT = "/streamvace/prompt"
"""A remark begins with the parameter that it is about."""

_WHERE_INSTEAD = "/streamvace/prompts sets weights, --lora adds LoRAs"


def _remarks(prompt: PromptMix, before: PromptMix | None, texts: list[EncodedText]) -> tuple[str, ...]:
    """Remarks about unknown words and ignored syntax in the texts that are new since the previous prompt."""
    known = () if before is None else before.texts
    fresh = [each for text, each in zip(prompt.texts, texts, strict=True) if text not in known]
    unknown = dict.fromkeys(word for each in fresh for word in each.unknown)
    syntax = dict.fromkeys(part for each in fresh for part in each.syntax)
    notes: tuple[str, ...] = ()
    if unknown:
        notes += (f"{PROMPT}: words the model does not know: {', '.join(unknown)}",)
    if syntax:
        notes += (f"{PROMPT}: without effect: {', '.join(syntax)}; {_WHERE_INSTEAD}",)
    return notes
