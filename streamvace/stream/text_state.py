"""Text keys and values of a stream: made when the prompt or the network changed, not every chunk."""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.model.text_blend import blend_linear, blend_slerp
from streamvace.records.chunk import PromptMix
from streamvace.stream.prompt_encoder import EncodedText, PromptEncoder
from streamvace.stream.stream_state import Networks, StreamState

HISTORY_STEP = 0.5
"""Share of the words that may change before the history is made anew under the new ones; see `history_is_stale`."""


def take_prompt(
    state: StreamState,
    parts: Networks,
    desk: PromptEncoder,
    prompt: PromptMix,
    device: torch.device,
    dtype: torch.dtype,
    control: bool,
) -> tuple[str, ...]:
    """Bring the text K/V up to date with a prompt and the LoRAs; a prompt that is still being encoded comes later.

    prompt: as `PromptMix.of` makes it. control: the chunk needs the context branch's text too; it waits until then, as
    the branch may be in main memory. Returns remarks for the user.
    """
    before = state.prompt
    notes: tuple[str, ...] = ()
    if prompt == before:
        desk.drop()
    else:
        texts = desk.take(prompt.texts, needed=before is None)
        notes = desk.remarks()
        if texts is None:
            assert before is not None
            prompt = before
        else:
            state.encoded = _blended(prompt, [text.embedding.to(device) for text in texts]).to(dtype)
            notes += _unknown_words(prompt, before, texts)
    stale = prompt != before or state.text_version != parts.loras.version
    if stale or (control and not state.context_text):
        assert state.encoded is not None
        # A LoRA may change the embedding as well as the blocks' projections.
        embedded = parts.wan.embed_text(state.encoded)
        if stale:
            state.text, state.context_text = parts.wan.text_kv(embedded), []
            state.prompt, state.text_version = prompt, parts.loras.version
        if control:
            state.context_text = parts.branch.text_kv(embedded)
    return notes


def history_is_stale(state: StreamState, before: PromptMix | None) -> bool:
    """Whether the K/V of past frames must now follow the prompt; the answer is yes once for each need.

    Making the history anew costs about a chunk, and a pipeline that forgets it jumps. So a transition, which changes
    the mix with every chunk, does it when half of the words have changed and again when it has arrived (the mix stood
    still for a chunk); a switch of prompts does it at once.
    before: the prompt of the chunk before.
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


def _unknown_words(prompt: PromptMix, before: PromptMix | None, texts: list[EncodedText]) -> tuple[str, ...]:
    """The remark about words of the texts that were not in the prompt before."""
    known = () if before is None else before.texts
    fresh = [each.unknown for text, each in zip(prompt.texts, texts, strict=True) if text not in known]
    unknown = dict.fromkeys(word for words in fresh for word in words)
    return (f"words the model does not know: {', '.join(unknown)}",) if unknown else ()
