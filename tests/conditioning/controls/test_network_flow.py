"""RAFT as the flow control: when it is used, that it is torchvision's network, that its motion is drawn as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from streamvace.conditioning.controls import CONTROLS, RAFT_FILE
from streamvace.conditioning.controls.base import ControlSettings
from streamvace.conditioning.controls.flow import Flow, flow_colours
from streamvace.conditioning.controls.network_flow import RaftSearch
from streamvace.conditioning.controls.networks import VISION, Networks
from streamvace.conditioning.controls.raft import RaftSmall, Seen, load_raft
from streamvace.system.errors import UserError
from tests.conditioning.footage import FPS, HOSTILE, SIZE, noisy, texture, travelling

SETTINGS = ControlSettings()


def weights() -> dict[str, Tensor]:
    """Untrained, the same on every machine: NumPy promises this generator's numbers."""
    rng = np.random.RandomState(7)
    drawn = {}
    for name, value in RaftSmall().state_dict().items():
        fan = max(1, int(np.prod(value.shape[1:])))
        drawn[name] = torch.from_numpy((rng.standard_normal(tuple(value.shape)) / fan**0.5).astype(np.float32))
    return drawn


@pytest.fixture
def networks(tmp_path: Path) -> Networks:
    (tmp_path / VISION).mkdir()
    save_file(weights(), str(tmp_path / VISION / RAFT_FILE))
    return Networks(tmp_path, device="meta")  # any device that is no processor


class Exact(RaftSmall):
    """Knows how far the picture really moved, in parts of its width and height; keeps what it was shown."""

    def __init__(self, moved: tuple[float, float]) -> None:
        super().__init__()
        self.moved = moved
        self.shown: list[tuple[int, ...]] = []

    def encode(self, picture: Tensor) -> Seen:
        assert picture.min() >= -1
        assert picture.max() <= 1
        self.shown.append(tuple(picture.shape))
        return Seen(picture, picture)

    def flow(self, first: Seen, second: Seen, steps: int) -> Tensor:
        height, width = first.features.shape[-2:]
        moved = torch.tensor([self.moved[0] * width, self.moved[1] * height])
        return moved[None, :, None, None].expand(1, 2, height, width)


def test_it_answers_what_torchvisions_network_answers_with_the_same_weights() -> None:
    """The figures are torchvision 0.28.0's `raft_small`, four updates, for these weights and pictures."""
    network = RaftSmall().eval()
    network.load_state_dict(weights())
    y, x = np.mgrid[0:136, 0:200]

    def picture(moved: int) -> Tensor:
        waves = [np.sin((x + moved) / 9 + c) * np.cos((y - moved) / (7 + c)) for c in range(3)]
        return torch.from_numpy(np.stack(waves).astype(np.float32))[None]

    with torch.inference_mode():
        flow = network.flow(network.encode(picture(0)), network.encode(picture(3)), 4)[0].numpy()
    assert flow.shape == (2, 136, 200)
    assert flow.mean((1, 2)) == pytest.approx([-0.787, 15.194], abs=0.01)
    expected = np.array(TORCHVISION.split(), float).reshape(2, -1)
    assert np.abs(flow[:, ::45, ::66].reshape(2, -1) - expected).max() < 0.02


TORCHVISION = """
-0.773 -3.374 6.074 9.531 -0.691 -11.429 8.91 -0.754 0.613 2.44 19.221 -3.946 -6.269 -6.427 2.483 10.153
3.775 -9.739 -8.177 -19.897 39.307 19.093 12.28 -11.734 37.342 16.075 15.757 -13.732 22.209 15.98 9.571 -6.538
"""


def test_its_weights_have_torchvisions_names_and_shapes() -> None:
    shapes = {name: tuple(value.shape) for name, value in RaftSmall().state_dict().items()}
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 990_162
    assert shapes["feature_encoder.convnormrelu.0.weight"] == (32, 3, 7, 7)
    assert shapes["context_encoder.layer3.0.downsample.0.weight"] == (96, 64, 1, 1)
    assert shapes["update_block.motion_encoder.convcorr1.0.weight"] == (96, 196, 1, 1)
    assert shapes["update_block.recurrent_block.convgru1.convq.weight"] == (96, 242, 3, 3)
    assert shapes["update_block.flow_head.conv2.bias"] == (2,)


def test_it_is_used_when_its_weights_and_a_card_are_there_and_says_so(networks: Networks, tmp_path: Path) -> None:
    assert CONTROLS["flow"](networks).backend == "RAFT"
    for device in ("cpu",) if torch.cuda.is_available() else ("cpu", "auto"):
        assert CONTROLS["flow"](replace(networks, device=device)).backend == "OpenCV DIS"
    (tmp_path / VISION / RAFT_FILE).unlink()
    assert CONTROLS["flow"](networks).backend == "OpenCV DIS"


@pytest.mark.parametrize("content", [b"no weights at all", b""])
def test_a_damaged_file_is_refused_in_one_line(networks: Networks, tmp_path: Path, content: bytes) -> None:
    (tmp_path / VISION / RAFT_FILE).write_bytes(content)
    with pytest.raises(UserError, match="not RAFT's small network") as told:
        CONTROLS["flow"](networks)
    assert "\n" not in str(told.value)


def test_another_networks_weights_are_refused_in_one_line(networks: Networks, tmp_path: Path) -> None:
    save_file({"other": torch.zeros(2)}, str(tmp_path / VISION / RAFT_FILE))
    with pytest.raises(UserError, match="models pull vision") as told:
        CONTROLS["flow"](networks)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("size", [(320, 184), (123, 77), (33, 200), (641, 35), (40, 40)])
def test_any_size_of_picture_has_a_flow(networks: Networks, tmp_path: Path, size: tuple[int, int]) -> None:
    flow = Flow(RaftSearch(load_raft(tmp_path / VISION / RAFT_FILE, "cpu"), "cpu"))
    rng = np.random.default_rng(0)
    for k in range(2):
        speed = flow.speeds(rng.integers(0, 256, (size[1], size[0], 4), np.uint8), k / FPS)
        assert speed.shape[2] == 2
        assert speed.shape[1] <= size[0]
        assert np.isfinite(speed).all()


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_frame_can_stop_it(networks: Networks, kind: str) -> None:
    control = Flow(RaftSearch.load(networks.place(RAFT_FILE), "cpu"))
    for k, frame in enumerate([HOSTILE[kind], HOSTILE[kind], HOSTILE["noise"]]):
        assert control.update(frame, k / FPS, SETTINGS).shape == (*frame.shape[:2], 3)


@pytest.mark.parametrize(("size", "shown"), [(SIZE, (184, 320)), ((200, 300), (304, 200)), ((1300, 100), (128, 320))])
def test_its_motion_comes_back_at_the_pictures_own_scale(size: tuple[int, int], shown: tuple[int, int]) -> None:
    network, picture = Exact((8 / size[0], -4 / size[1])), texture(size)
    flow = Flow(RaftSearch(network, "cpu"))
    for k in range(3):
        speed = flow.speeds(travelling(picture, 8 * k, -4 * k, size), k / FPS)
    assert set(network.shown) == {(1, 3, *shown)}
    inside = speed[8:-8, 16:-16] * size[0] / FPS
    assert np.abs(inside - (8, -4)).mean() < 0.05


def test_its_motion_has_the_same_colours_and_the_same_fixed_scale_as_without_it() -> None:
    picture = texture()
    flow = Flow(RaftSearch(Exact((6 / SIZE[0], 0.0)), "cpu"))
    without = Flow()
    for k in range(4):
        frame = travelling(picture, 6 * k, 0)
        drawn, beside = flow.update(frame, k / FPS, SETTINGS), without.update(frame, k / FPS, SETTINGS)
    inside = (slice(40, -40), slice(60, -60))
    expected = flow_colours(np.array([[[6 * FPS / SIZE[0] / SETTINGS.flow_scale, 0]]], np.float32))[0, 0]
    assert np.abs(drawn[inside].astype(int) - expected).mean() < 2
    assert np.abs(drawn[inside].astype(int).mean((0, 1)) - beside[inside].mean((0, 1))).max() < 6


def test_noise_is_no_motion_whatever_the_network_says() -> None:
    rng, still = np.random.default_rng(0), texture()[:184, :320]
    flow = Flow(RaftSearch(Exact((0.02, 0.02)), "cpu"))
    for k in range(4):
        drawn = flow.update(noisy(still, rng), k / FPS, SETTINGS)
    assert np.abs(drawn.astype(int) - 255).mean() < 2


def test_after_a_reset_nothing_is_compared_with_before() -> None:
    flow = Flow(RaftSearch(Exact((0.1, 0.0)), "cpu"))
    picture = texture()
    for k in range(2):
        flow.update(travelling(picture, 8 * k, 0), k / FPS, SETTINGS)
    flow.reset()
    assert (flow.update(travelling(picture, 16, 0), 2 / FPS, SETTINGS) == 255).all()
    assert (flow.update(travelling(picture, 24, 0), 3 / FPS, SETTINGS) != 255).any()


def test_each_picture_is_encoded_once() -> None:
    network = Exact((0.0, 0.0))
    flow = Flow(RaftSearch(network, "cpu"))
    for k in range(5):
        flow.update(texture()[:184, :320], k / FPS, SETTINGS)
    assert len(network.shown) == 5
