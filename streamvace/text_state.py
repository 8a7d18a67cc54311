"""Text keys and values of a stream: made when the prompt or the network changed, not every chunk."""

from __future__ import annotations

import torch

from streamvace.stream_state import Networks, StreamState


def take_prompt(
    state: StreamState, parts: Networks, prompt: str, device: torch.device, dtype: torch.dtype, control: bool
) -> bool:
    """Bring the text K/V up to date with a prompt and the LoRAs; whether the prompt is a new one.

    control: the chunk needs the context branch's too. They wait until then, as the branch may be in main memory.
    """
    switched = prompt != state.prompt
    if switched:
        state.encoded = parts.text.encode([prompt]).to(device, dtype)
    stale = switched or state.text_version != parts.loras.version
    if not stale and (state.context_text or not control):
        return False
    assert state.encoded is not None
    # A LoRA may change the embedding as well as the blocks' projections.
    embedded = parts.wan.embed_text(state.encoded)
    if stale:
        state.text, state.context_text = parts.wan.text_kv(embedded), []
        state.prompt, state.text_version = prompt, parts.loras.version
    if control and not state.context_text:
        state.context_text = parts.branch.text_kv(embedded)
    return switched
