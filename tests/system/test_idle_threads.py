"""Helper threads are told to sleep, and a user's own word counts for more."""

from __future__ import annotations

import os

import pytest

from streamvace.system.idle_threads import SETTINGS, sleep_when_idle


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_WAIT_POLICY", *SETTINGS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_short_spinning_is_the_default_for_every_openmp() -> None:
    sleep_when_idle()
    assert {name: os.environ[name] for name in SETTINGS} == SETTINGS


def test_a_user_s_own_setting_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    sleep_when_idle()
    assert os.environ["GOMP_SPINCOUNT"] == "7"


def test_a_wait_policy_of_the_user_s_is_not_mixed_with_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    sleep_when_idle()
    assert not set(SETTINGS) & set(os.environ)
