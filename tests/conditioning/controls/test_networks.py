"""Networks that controls and masks load: missing and broken files are reported in one line, with the fix."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from safetensors.torch import save_file

from streamvace.conditioning.controls import CONTROLS, CUDA_CONTEXT, DEPTH_FOLDER, RAFT_FILE, card_bytes
from streamvace.conditioning.controls.base import ControlSettings
from streamvace.conditioning.controls.contour import FILE, contour_network
from streamvace.conditioning.controls.networks import VISION, LiteNetwork, Networks
from streamvace.conditioning.masks import MASKS
from streamvace.conditioning.masks import person as person_module
from streamvace.conditioning.masks.base import MaskSettings
from streamvace.conditioning.masks.person import Person
from streamvace.system.errors import UserError
from tests.conditioning.footage import Pixels, film, iou, plain_scene


def scene() -> Pixels:
    return film(plain_scene(), 1)[0].picture


def test_a_card_keeps_room_for_the_networks_that_are_installed_and_for_their_process(tmp_path: Path) -> None:
    networks = Networks(tmp_path)
    assert card_bytes(networks) == 0
    folder = networks.place(DEPTH_FOLDER)
    folder.mkdir(parents=True)
    assert card_bytes(networks) == 0
    (folder / "config.json").write_bytes(b" " * 5000)
    (folder / "model.safetensors").write_bytes(b" " * 3000)
    networks.place(RAFT_FILE).write_bytes(b" " * 200)
    assert card_bytes(networks) == CUDA_CONTEXT + 2 * 3200


def test_a_library_that_windows_cannot_load_is_not_to_be_installed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "interpreter.py").write_text("raise ImportError('DLL load failed')")
    package = ModuleType("ai_edge_litert")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, "ai_edge_litert", package)
    monkeypatch.delitem(sys.modules, "ai_edge_litert.interpreter", raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(UserError, match=r"does not load \(DLL load failed\); install the newest Visual C\+\+ Redist"):
        LiteNetwork(tmp_path / "pose.tflite")
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(UserError, match=r"needs LiteRT \(.*vision"):
        LiteNetwork(tmp_path / "pose.tflite")


def test_a_file_that_is_no_network_is_refused_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(b"no network at all" * 9)
    with pytest.raises(UserError, match=r"bad\.tflite does not load") as refused:
        LiteNetwork(bad)
    assert "\n" not in str(refused.value)


def test_without_its_files_a_person_mask_says_where_they_come_from(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="models pull vision"):
        MASKS["person"](Networks(tmp_path))


@pytest.mark.parametrize("size", [(320, 184), (184, 184), (120, 240)])
def test_a_person_mask_lies_where_the_network_sees_one(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    class Bright:
        """A network that takes what is bright for a person."""

        def __init__(self, path: Path) -> None:
            self.width, self.height = (256, 144) if "landscape" in path.name else (256, 256)

        def __call__(self, picture: np.ndarray) -> list[np.ndarray]:  # type: ignore[type-arg]
            assert picture.max() <= 1
            return [(picture.mean(-1) > 0.5).astype(np.float32)[None, ..., None]]

    monkeypatch.setattr(person_module, "LiteNetwork", Bright)
    monkeypatch.setattr(Networks, "find", lambda self, name, what: Path(name))
    picture = np.full((size[1], size[0], 3), 30, np.uint8)
    truth = np.zeros(picture.shape[:2], bool)
    truth[40:120, 50:100] = True
    picture[truth] = 230
    mask = Person(Networks(Path()))
    for k in range(6):
        found = mask.update(picture, k / 24, MaskSettings())
    assert iou(found, truth) > 0.93


def test_vaces_contour_network_is_used_when_its_weights_are_there(tmp_path: Path) -> None:
    import torch

    assert CONTROLS["scribble"](Networks(tmp_path)).backend == "stylised OpenCV edges"
    torch.manual_seed(0)
    (tmp_path / VISION).mkdir()
    save_file(contour_network().state_dict(), str(tmp_path / VISION / FILE))
    scribble = CONTROLS["scribble"](Networks(tmp_path))
    assert "contour" in scribble.backend
    drawn = scribble.update(scene(), 0.0, ControlSettings())
    assert drawn.shape == (184, 320, 3)
    assert drawn.std() > 0


def test_the_contour_network_has_the_checkpoints_names_and_shapes() -> None:
    shapes = {name: tuple(value.shape) for name, value in contour_network().state_dict().items()}
    assert shapes["model0.1.weight"] == (64, 3, 7, 7)
    assert shapes["model1.3.weight"] == (256, 128, 3, 3)
    assert shapes["model2.2.conv_block.5.weight"] == (256, 256, 3, 3)
    assert shapes["model3.0.weight"] == (256, 128, 3, 3)
    assert shapes["model4.1.weight"] == (1, 64, 7, 7)
    assert len(shapes) == 2 * (1 + 2 + 6 + 2 + 1)


def test_contour_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    import torch

    (tmp_path / VISION).mkdir()
    save_file({"other": torch.zeros(2)}, str(tmp_path / VISION / FILE))
    with pytest.raises(UserError, match="not VACE's contour network"):
        CONTROLS["scribble"](Networks(tmp_path))


def test_a_depth_network_is_used_when_it_is_there_and_keeps_its_range(tmp_path: Path) -> None:
    import torch
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    assert "guess" in CONTROLS["depth"](Networks(tmp_path)).backend
    torch.manual_seed(0)
    small = Dinov2Config(
        hidden_size=24, num_hidden_layers=4, num_attention_heads=2, image_size=70, out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=small, reassemble_hidden_size=24, neck_hidden_sizes=[4, 6, 8, 8], fusion_hidden_size=8,
        head_hidden_size=4,
    )  # fmt: skip
    folder = tmp_path / VISION / DEPTH_FOLDER
    DepthAnythingForDepthEstimation(config).save_pretrained(folder, safe_serialization=True)
    depth = CONTROLS["depth"](Networks(tmp_path))
    assert depth.backend == "Depth Anything V2"
    drawn = [depth.update(scene(), k / 24, ControlSettings()) for k in range(3)]
    assert drawn[0].shape == (184, 320, 3)
    assert all(np.array_equal(drawn[0], later) for later in drawn[1:]), "the same picture is the same depth"


def test_the_published_depth_file_is_byte_for_byte_as_long_as_what_this_transformers_reads(tmp_path: Path) -> None:
    """model.safetensors of depth-anything/Depth-Anything-V2-Small-hf has 99,173,660 bytes: names, shapes and kinds."""
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    backbone = Dinov2Config(
        hidden_size=384, num_attention_heads=6, image_size=518, patch_size=14, out_indices=[3, 6, 9, 12],
        reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=384, neck_hidden_sizes=[48, 96, 192, 384],
        fusion_hidden_size=64, head_hidden_size=32,
    )  # fmt: skip
    folder = tmp_path / VISION / DEPTH_FOLDER
    DepthAnythingForDepthEstimation(config).save_pretrained(folder, safe_serialization=True)
    assert (folder / "model.safetensors").stat().st_size == 99_173_660
    drawn = CONTROLS["depth"](Networks(tmp_path)).update(scene(), 0.0, ControlSettings())
    assert drawn.shape == (184, 320, 3)


def test_a_folder_that_holds_no_depth_network_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = tmp_path / VISION / DEPTH_FOLDER
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(UserError, match="does not load") as refused:
        CONTROLS["depth"](Networks(tmp_path))
    assert "\n" not in str(refused.value)
