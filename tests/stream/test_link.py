"""A stream on two devices is the stream of one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from streamvace.records.model_options import ModelOptions
from streamvace.stream import loading
from streamvace.stream.generator import Generator
from streamvace.stream.link import Copies, OneDevice, link_between
from streamvace.system.errors import UserError
from tests.networks import small_generator
from tests.stream.ranks import NAMES, SIZE, show, small

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_on_two_devices_is_that_of_one(name: str) -> None:
    """With control, mask, two controls, scale map, source, references in both modes, first frame, a prompt switch."""
    one = small_generator(small(name), SIZE)
    other = small_generator(small(name), SIZE)
    apart = Generator(other.spec, other.networks, SIZE, CPU, torch.float32, link=Copies(CPU, CPU))
    for given in show(one):
        assert np.array_equal(one.step(given).frames, apart.step(given).frames)


def test_equal_devices_need_no_copies() -> None:
    assert isinstance(link_between(CPU, CPU), OneDevice)
    assert isinstance(link_between(CPU, torch.device("cuda:1")), Copies)


@pytest.mark.parametrize(("device", "context"), [("cuda", "cuda:0"), ("auto", "cuda:0"), ("cuda:1", "cuda:1")])
def test_the_device_of_the_passes_is_no_second_device(
    device: str, context: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    options = ModelOptions(device, context_device=context)
    with pytest.raises(UserError, match=f"context device '{context}' is the device of the passes too"):
        loading.resolve_devices(options)
    with pytest.raises(UserError, match="but there are 2 CUDA cards"):
        loading.resolve_devices(replace(options, context_device="cuda:2"))
