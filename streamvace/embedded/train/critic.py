"""The decoder's critic: it learns to tell decoded pictures from true ones, and so teaches the decoder to be crisp.

The codec keeps one number of a hundred. Of all pictures that fit the rest, the one with the least error is a blurred
one; a critic asks for a likely one instead (Goodfellow et al. 2014, Isola et al. 2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from streamvace.embedded.train import team

GROUP = 4
"""Frames that are judged together: what a latent frame holds. Judged alone, they would be free to flicker."""
RATE = 4e-4
"""Learning rate. The critic must stay a little ahead of the decoder, whose rate is lower after the same updates."""


class Critic(nn.Module):
    """Judges patches of 46 pixels in four successive frames: positive for true ones."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        w = width
        self.layers = nn.ModuleList(
            (
                nn.Conv2d(4 * 3 * GROUP, w, 3, padding=1),
                spectral_norm(nn.Conv2d(w, 2 * w, 4, 2, 1)),
                spectral_norm(nn.Conv2d(2 * w, 3 * w, 4, 2, 1)),
                spectral_norm(nn.Conv2d(3 * w, 3 * w, 3, padding=1)),
            )
        )
        self.verdict = nn.Conv2d(3 * w, 1, 3, padding=1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.AdamW(self.parameters(), lr=RATE, betas=(0.5, 0.95), weight_decay=0.0)

    def get_extra_state(self) -> dict[str, Any]:
        """The optimiser's state, so that a resumed critic goes on as it was."""
        return self.optimiser.state_dict()

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """See get_extra_state."""
        self.optimiser.load_state_dict(state)

    def forward(self, pixels: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Pixels `[B, 3, T, H, W]`, T a multiple of 4 -> verdicts `[N, 1, h, w]`, and the features of every layer."""
        groups = pixels.unflatten(2, (-1, GROUP)).transpose(1, 2).flatten(0, 1)
        # The changes are small beside the pictures, but they are what flickers.
        moves = 2 * groups.diff(dim=2)
        x = F.pixel_unshuffle(torch.cat((groups[:, :, :1], moves), 2).flatten(1, 2), 2)
        x = x.contiguous(memory_format=torch.channels_last)
        features: list[Tensor] = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.verdict(x), features

    def pull(self, made: Tensor, true: Tensor, bfloat16: bool) -> Sequence[Tensor]:
        """Two gradients at the made pixels: towards a better verdict, and towards the features of the true ones."""
        self.requires_grad_(False)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            verdict, found = self(made)
            with torch.no_grad():
                _, wanted = self(true)
        worse = -verdict.float().mean()
        apart = torch.stack([_distance(a, b) for a, b in zip(found, wanted, strict=True)]).mean()
        (towards_true,) = torch.autograd.grad(worse, made, retain_graph=True)
        (towards_features,) = torch.autograd.grad(apart, made)
        self.requires_grad_(True)
        return towards_true, towards_features

    def learn(self, made: Tensor, true: Tensor, bfloat16: bool) -> None:
        """One step of the critic itself, with the hinge loss."""
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            real, _ = self(true)
            fake, _ = self(made.detach())
        loss = F.relu(1 - real.float()).mean() + F.relu(1 + fake.float()).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        team.average_gradients(list(self.parameters()), 0.0)
        self.optimiser.step()


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    wanted = wanted.float()
    return (found.float() - wanted).abs().mean() / wanted.abs().mean().clamp_min(1e-3)
