"""PyTorch's memory on a card, as the environment tells it."""

from __future__ import annotations

import os

import pytest

from streamvace.system import cuda_memory
from streamvace.system.cuda_memory import VARIABLES, grow_segments


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.delenv(name)


def test_segments_grow_on_linux_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_memory.sys, "platform", "win32")
    grow_segments()
    assert not any(name in os.environ for name in VARIABLES)
    monkeypatch.setattr(cuda_memory.sys, "platform", "linux")
    grow_segments()
    assert os.environ["PYTORCH_CUDA_ALLOC_CONF"] == "expandable_segments:True"


@pytest.mark.parametrize("name", VARIABLES)
def test_the_user_s_own_setting_wins(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_memory.sys, "platform", "linux")
    monkeypatch.setenv(name, "max_split_size_mb:64")
    grow_segments()
    assert {each: os.environ[each] for each in VARIABLES if each in os.environ} == {name: "max_split_size_mb:64"}
