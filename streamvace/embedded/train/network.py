"""The three networks that are trained together, their initialisation, and one training pass over one or two chunks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamvace.embedded.train.data import Batch
from streamvace.model.autoencoder.tiny import LinearBlocks
from streamvace.model.blocks import Bidirectional, TextKV
from streamvace.model.context import ContextBranch
from streamvace.model.rope import rotary_table
from streamvace.model.specs import EMBEDDED, WanSize
from streamvace.model.transformer import CausalWan, TimeEmbedding
from streamvace.world.text import TextEncoder

CHUNK = 3
"""Latent frames of a chunk."""


class Network(nn.Module):
    """Transformer, context branch and text encoder. Predicts x0."""

    def __init__(self, size: WanSize = EMBEDDED) -> None:
        super().__init__()
        self.transformer = CausalWan(size)
        self.context = ContextBranch(size)
        self.text_encoder = TextEncoder(size.text_dim)

    def forward(
        self,
        noisy: Tensor,
        t: Tensor,
        tokens: Tensor,
        context: Tensor | None,
        hint_scale: Tensor | None,
        span: int,
    ) -> Tensor:
        """x0 of one pass over whole chunks of `span` latent frames, causal between chunks.

        noisy: `[B, 32, T, h, w]`, T a multiple of span. t: `[B, T]` in 0..1. tokens: `[B, 24]`.
        context: `[B, 128, T, h, w]` or None. hint_scale: `[B, T]`, 0 = no hints for this frame; None: 1 everywhere.
        """
        net = self.transformer
        x, grid = net.embed(noisy)
        time = net.embed_time(t * 1000)
        text = net.embed_text(self.text_encoder(tokens))
        chunks = grid.frames // span
        head_dim = net.size.head_dim
        mask = None
        if chunks > 1:
            order = torch.arange(grid.frames * grid.frame_tokens) // (span * grid.frame_tokens)
            mask = order[:, None] >= order[None, :]
        hints: list[Tensor] = []
        if context is not None:
            hints = self._hints(x, time, text, context, chunks, span)
            if hint_scale is not None:
                scale = hint_scale.repeat_interleave(grid.frame_tokens, 1).unsqueeze(-1)
                hints = [hint * scale for hint in hints]
        memory = Bidirectional(rotary_table(range(grid.frames), grid.height, grid.width, head_dim, x.device), mask)
        return net.run(x, grid, time, net.text_kv(text), memory, hints)

    def _hints(
        self, x: Tensor, time: TimeEmbedding, text: Tensor, context: Tensor, chunks: int, span: int
    ) -> list[Tensor]:
        """The hints of every chunk by itself: chunks are folded into the batch."""
        batch = x.shape[0]
        height, width = context.shape[-2] // 2, context.shape[-1] // 2
        folded = context.unflatten(2, (chunks, span)).transpose(1, 2).flatten(0, 1)
        e = time.e.unflatten(1, (chunks, span)).flatten(0, 1)
        e0 = time.e0.unflatten(1, (chunks, span)).flatten(0, 1)
        kv: list[TextKV] = [
            (k.repeat_interleave(chunks, 0), v.repeat_interleave(chunks, 0)) for k, v in self.context.text_kv(text)
        ]
        rotary = rotary_table(range(span), height, width, self.transformer.size.head_dim, x.device)
        hints = self.context(
            x.unflatten(1, (chunks, -1)).flatten(0, 1), folded, TimeEmbedding(e, e0), kv, Bidirectional(rotary)
        )
        return [hint.unflatten(0, (batch, chunks)).flatten(1, 2) for hint in hints]

    @torch.no_grad()
    def initialise(self, contexts: Tensor, seed: int) -> None:
        """Initialise the weights. contexts: a few hundred VACE contexts `[N, 128, 1, h, w]` of training samples."""
        generator = torch.Generator().manual_seed(seed)
        for block in (*self.transformer.blocks, *self.context.vace_blocks):
            block.modulation[:, (2, 5)] += 0.5  # the gates
        for index, block in enumerate(self.context.vace_blocks):
            if index == 0:
                noise = torch.randn(block.before_proj.weight.shape, generator=generator)
                block.before_proj.weight.copy_(torch.eye(noise.shape[0]) + 0.02 * noise)
                block.before_proj.bias.zero_()
            block.after_proj.weight.normal_(0, 0.03, generator=generator)
            block.after_proj.bias.zero_()
        self.transformer.patch_embedding.weight.mul_(0.35)
        projection = self.transformer.time_projection[1]
        assert isinstance(projection, nn.Linear)
        projection.weight.mul_(0.3)
        self.transformer.head.head.weight.normal_(0, 0.02, generator=generator)
        self.transformer.head.head.bias.zero_()
        self._listen(contexts, generator)

    def _listen(self, contexts: Tensor, generator: torch.Generator) -> None:
        """Data-dependent initialisation of the context patch embedding.

        The raw context is nearly constant (grey latents, ones), and without scaling its variation would be lost. So the
        embedding centres it, projects it onto principal directions, amplifies the weak ones, and spreads them over the
        width at unit deviation.
        """
        conv = self.context.vace_patch_embedding
        patches = F.unfold(contexts.squeeze(2), kernel_size=2, stride=2)  # [N, 128 * 4, cells], channel-major
        rows = patches.transpose(1, 2).reshape(-1, patches.shape[1]).double()
        mean = rows.mean(0)
        values, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
        order = values.argsort(descending=True)[:128]
        deviation = values[order].clamp_min(0).sqrt()
        wide = conv.weight.shape[0]
        turn, _ = torch.linalg.qr(torch.randn(wide, 128, generator=generator, dtype=torch.float64))
        weight = turn @ torch.diag((deviation + 0.03) ** -0.6) @ vectors[:, order].T
        weight /= ((rows - mean) @ weight.T).std()
        conv.weight.copy_(weight.float().view(wide, -1, 1, 2, 2))
        if conv.bias is not None:
            conv.bias.copy_(-(weight @ mean).float())


@dataclass(frozen=True)
class Encoded:
    """A batch in latents: x0 `[B, 32, T, 16, 16]`, context `[B, 128, T, 16, 16]`, tokens, hinted `[B]`.

    objects: the objects' coverage of each cell, `[B, T, 16, 16]` in 0..1. reference: the clip's middle picture,
    `[B, 32, 1, 16, 16]`, for stages that learn references. places: of the materials, int64 `[B, 2]`, cells down, right.
    """

    x0: Tensor
    context: Tensor
    tokens: Tensor
    hinted: Tensor
    objects: Tensor
    reference: Tensor
    places: Tensor


def pixels(clip: Tensor) -> Tensor:
    """uint8 `[B, T, H, W, 3]` -> float32 `[B, 3, T, H, W]` in -1..1."""
    return clip.permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def vace_context(blocks: LinearBlocks, control: Tensor, mask: Tensor) -> Tensor:
    """Half-size control `[B, 3, T, H, W]` in -1..1 and mask `[B, T, H, W]` in 0..1 -> `[B, 128, T / 4, h, w]`."""
    binary = (mask > 0.5).float().unsqueeze(1)
    # The third of every four mask frames represents the latent frame: nearest-exact resampling in time.
    picked = F.pixel_unshuffle(mask[:, 2::4], 8)
    b, _, h, w = picked.shape
    bits = picked.view(b, -1, 64, h, w).transpose(1, 2)
    return torch.cat((blocks(control * (1 - binary)), blocks(control * binary), bits), dim=1)


@torch.no_grad()
def encode(blocks: LinearBlocks, batch: Batch) -> Encoded:
    """Pixels to latents; the encoder is frozen."""
    mask = torch.from_numpy(batch.mask).float() / 255
    control = torch.from_numpy(batch.control)
    # 128 means exact mid grey, as in the live path's empty control.
    grey = (control == 128).all(-1, keepdim=True).permute(0, 4, 1, 2, 3)
    control_pixels = pixels(control).masked_fill(grey, 0.0)
    video = torch.from_numpy(batch.video)
    middle = video.shape[1] // 2
    return Encoded(
        blocks(pixels(video)),
        vace_context(blocks, control_pixels, mask),
        torch.from_numpy(batch.tokens),
        torch.from_numpy(batch.hinted),
        F.avg_pool3d(torch.from_numpy(batch.objects).float() / 255, (4, 8, 8)),
        blocks(pixels(video[:, middle : middle + 1].expand(-1, 4, -1, -1, -1))),
        torch.from_numpy(batch.places),
    )
