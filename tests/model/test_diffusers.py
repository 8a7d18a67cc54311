"""Batch VACE as diffusers has it: the same weights give the same flow."""

from __future__ import annotations

import pytest
import torch

from streamvace.model.blocks import Bidirectional
from streamvace.model.context import ContextBranch
from streamvace.model.rope import rotary_table
from streamvace.model.specs import WanSize
from streamvace.model.transformer import CausalWan
from tests.real_parts import require_package

SIZE = WanSize(dim=48, ffn_dim=80, num_layers=4, num_heads=2, vace_layers=(0, 2), text_len=12, text_dim=20, freq_dim=32)

RENAMED = (
    ("text_embedding.0", "condition_embedder.text_embedder.linear_1"),
    ("text_embedding.2", "condition_embedder.text_embedder.linear_2"),
    ("time_embedding.0", "condition_embedder.time_embedder.linear_1"),
    ("time_embedding.2", "condition_embedder.time_embedder.linear_2"),
    ("time_projection.1", "condition_embedder.time_proj"),
    ("head.modulation", "scale_shift_table"),
    ("head.head", "proj_out"),
    ("modulation", "scale_shift_table"),
    ("self_attn.", "attn1."),
    ("cross_attn.", "attn2."),
    (".q.", ".to_q."),
    (".k.", ".to_k."),
    (".v.", ".to_v."),
    (".o.", ".to_out.0."),
    ("norm3", "norm2"),
    ("ffn.0", "ffn.net.0.proj"),
    ("ffn.2", "ffn.net.2"),
    ("before_proj", "proj_in"),
    ("after_proj", "proj_out"),
)


def renamed(key: str) -> str:
    for ours, theirs in RENAMED:
        key = key.replace(ours, theirs)
    return key


@pytest.mark.slow
@pytest.mark.parametrize("references", [0, 2])
@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_batch_vace_is_the_library_s_batch_vace(references: int, scale: float) -> None:
    """Over a clip, and over [references | clip] as VACE lays them out."""
    require_package("diffusers", "pip install --no-deps diffusers")
    from diffusers import WanVACETransformer3DModel

    torch.manual_seed(0)
    wan, branch = CausalWan(SIZE).eval(), ContextBranch(SIZE).eval()
    theirs = WanVACETransformer3DModel(
        num_attention_heads=SIZE.num_heads,
        attention_head_dim=SIZE.head_dim,
        text_dim=SIZE.text_dim,
        freq_dim=SIZE.freq_dim,
        ffn_dim=SIZE.ffn_dim,
        num_layers=SIZE.num_layers,
        vace_layers=list(SIZE.vace_layers),
    ).eval()
    theirs.load_state_dict({renamed(k): v for k, v in (wan.state_dict() | branch.state_dict()).items()})

    frames = references + 3
    x, context = torch.randn(1, 16, frames, 8, 12), torch.randn(1, 96, frames, 8, 12)
    context[:, 16:, :references] = 0
    text = torch.randn(1, SIZE.text_len, SIZE.text_dim)
    with torch.inference_mode():
        expected = theirs(
            hidden_states=x,
            timestep=torch.tensor([640]),
            encoder_hidden_states=text,
            control_hidden_states=context,
            control_hidden_states_scale=torch.full((2,), scale),
            return_dict=False,
        )[0]
        tokens, grid = wan.embed(x)
        time = wan.embed_time(torch.full((1, frames), 640.0))
        embedded = wan.embed_text(text)
        memory = Bidirectional(rotary_table(range(frames), grid.height, grid.width, SIZE.head_dim, "cpu"))
        hints = branch(tokens, context, time, branch.text_kv(embedded), memory)
        ours = wan.run(tokens, grid, time, wan.text_kv(embedded), memory, hints, scale)
    torch.testing.assert_close(ours, expected, atol=2e-5, rtol=0)
