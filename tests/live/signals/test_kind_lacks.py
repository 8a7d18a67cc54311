"""Kinds that cannot run are known before somebody asks for them, by the words of their refusal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streamvace.conditioning import controls, masks
from streamvace.conditioning.controls.networks import Networks
from streamvace.live.signals import kind_lacks
from streamvace.live.signals.kind_lacks import KindLacks, lacking
from streamvace.models.vision import missing
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder

KIND, SOURCE = "/streamvace/control_kind", "/streamvace/mask_source"


@pytest.fixture
def networks(tmp_path: Path) -> Networks:
    return Networks(tmp_path)


def test_a_kind_is_missing_exactly_if_making_it_is_refused_and_in_the_same_words(networks: Networks) -> None:
    found = lacking(networks)
    assert found["/streamvace/second_control/kind"] == found[KIND]
    assert found["/streamvace/mask/second"] == found[SOURCE]
    for table, rows in ((controls.CONTROLS, found[KIND]), (masks.MASKS, found[SOURCE])):
        for kind in table.keys() - {"detector"}:
            if kind not in rows:
                table[kind](networks)
                continue
            with pytest.raises(UserError) as refused:
                table[kind](networks)
            assert rows[kind] == {"why": str(refused.value), "fix": refused.value.fix}
            assert rows[kind]["fix"].endswith("models pull vision")


def test_every_file_that_a_kind_needs_is_one_that_doctor_looks_for(networks: Networks) -> None:
    needed = {name for table in (controls.NEEDED, masks.NEEDED) for _, names in table.values() for name in names}
    used = {name for names in controls.USED.values() for name in names}
    assert needed | used == set(missing(networks.folder))


def test_without_its_library_a_kind_is_missing_too(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    _download(networks)
    monkeypatch.setattr("streamvace.conditioning.controls.networks.find_spec", lambda name: None)
    assert "LiteRT" in lacking(networks)[KIND]["pose"]["why"]


def test_a_download_is_noticed_while_the_show_runs(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kind_lacks, "LOOK_S", 0.01)
    lacks = KindLacks(networks)
    lacks.start()
    try:
        _until(lambda: "pose" in lacks.rows.get(KIND, {}))
        _download(networks)
        _until(lambda: not lacks.rows[KIND] and not lacks.rows[SOURCE])
        assert lacks.files("depth") == lacks.files("raw") == frozenset()
        networks.place(controls.DEPTH_FOLDER).mkdir()
        _until(lambda: lacks.files("depth") == {controls.DEPTH_FOLDER})
    finally:
        lacks.stop()


def test_the_file_of_a_detector_is_noticed_when_it_comes_and_when_it_is_another(
    networks: Networks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind_lacks, "LOOK_S", 0.01)
    media = MediaFolder(tmp_path / "media")
    media.root.mkdir()
    lacks = KindLacks(networks, media.find)
    key = "detector dogs.onnx"
    assert lacks.mask_files("person") == lacks.mask_files("detector") == lacks.mask_files(key) == frozenset()
    lacks.start()
    try:
        (media.root / "dogs.onnx").write_bytes(b"half")
        _until(lambda: lacks.mask_files(key))
        half = lacks.mask_files(key)
        (media.root / "dogs.onnx").write_bytes(b"half and half")
        _until(lambda: lacks.mask_files(key) - half)
        (media.root / "dogs.onnx").unlink()
        _until(lambda: not lacks.mask_files(key))
        (media.root / "cats.onnx").touch()
        assert lacks.mask_files("detector cats.onnx"), "a name that is new is looked for at once"
        assert lacks.mask_files("detector ../outside.onnx") == frozenset()
    finally:
        lacks.stop()


def _download(networks: Networks) -> None:
    for table in (controls.NEEDED, masks.NEEDED):
        for _, names in table.values():
            for name in names:
                networks.place(name).parent.mkdir(exist_ok=True)
                networks.place(name).touch()


def _until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.005)
