"""What the director promises: one snapshot a chunk, the newest control frames, and no chunk earlier than needed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.control.fades import Fade
from streamvace.control.parameters import Change, Parameters
from streamvace.live.director.director import Director
from streamvace.live.director.look_ahead import LookAhead
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.inputs.pictures import Wish
from streamvace.live.output.presenter import Presenter, Show
from streamvace.live.output.sinks import Sinks
from streamvace.live.worker.pace import PaceMeter
from streamvace.records.chunk import PromptMix
from streamvace.records.frame import Frame
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Telemetry
from tests.live.director.test_frame_sampling import centre, disc
from tests.live.show import SECOND, SIZE, frame


class Rings:
    """The inputs of a desk."""

    def __init__(self, desk: ControlSurfaces) -> None:
        self._desk = desk

    def ring(self, role: str) -> FrameRing:
        return self._desk.others.get(role, self._desk.ring)


class Shelf:
    """Has the pictures that the test puts there."""

    def __init__(self) -> None:
        self.settled = True
        self.pictures: dict[Wish, NDArray[np.uint8]] = {}

    def take(self, wish: Wish) -> NDArray[np.uint8] | None:
        return self.pictures.get(wish)


class ControlSurfaces:
    """A director with everything it reads from; the clock stands at 10 s until it is moved. `others`: rings of roles
    with an input of their own."""

    def __init__(self, **values: bool | float | str | tuple[str, ...]) -> None:
        self.now_ns = 10 * SECOND
        overrides = {f"/streamvace/{name}": value for name, value in values.items()}
        self.parameters = Parameters(overrides, clock=lambda: self.now_ns)
        self.ring = FrameRing()
        self.others: dict[str, FrameRing] = {}
        self.blocks = 4
        self.lines: list[str] = []
        reporter = Reporter(self.lines.append)
        self.presenter = Presenter(
            size=SIZE,
            content_rate=24,
            control=self.ring.newest,
            show=Show,
            sinks=Sinks([], reporter),
            telemetry=Telemetry(),
            reporter=reporter,
        )
        self.shelf = Shelf()
        self.director = Director(
            size=SIZE,
            blocks=lambda: self.blocks,
            inputs=Rings(self),
            parameters=self.parameters,
            backlog=self.presenter.backlog,
            deliver=self.presenter.offer,
            look_ahead=LookAhead(),
            shelf=self.shelf,
            reporter=reporter,
            clock=lambda: self.now_ns,
        )

    def capture(self, count: int, first_ns: int = 10 * SECOND - SECOND // 2) -> None:
        for i in range(count):
            self.ring.push(frame(first_ns + i * 1_000_000, value=i + 1, sequence=i))

    def set(self, name: str, *arguments: object) -> None:
        self.now_ns += 1
        assert self.parameters.set(f"/streamvace/{name}", arguments, "test").status == "set"


def test_the_chunk_carries_what_the_parameters_say() -> None:
    desk = ControlSurfaces(
        prompt="a blue cube", seed=7, context_scale=0.5, lora_strength=0.3, lora_region="outside", past_bias=0.5
    )
    inputs = desk.director.build(9, 9)
    assert (inputs.prompt, inputs.seed, inputs.context_scale) == ("a blue cube", 7, 0.5)
    assert (inputs.lora_strength, inputs.lora_region, inputs.past_bias) == (0.3, "outside", 0.5)
    assert inputs.snapshot_version == desk.parameters.snapshot().version


def test_control_frames_end_with_the_newest_and_the_chunk_knows_when_it_was_captured() -> None:
    desk = ControlSurfaces()
    desk.capture(20)
    inputs = desk.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.control.shape == (9, SIZE[1], SIZE[0], 3)
    assert inputs.control[-1, 0, 0, 0] == 20
    newest = desk.ring.newest()
    assert newest is not None
    assert inputs.captured_ns == newest.captured_ns


def test_the_next_chunk_takes_only_frames_captured_since() -> None:
    desk = ControlSurfaces()
    desk.capture(12)
    desk.director.build(9, 9)
    desk.capture(12, first_ns=10 * SECOND)
    inputs = desk.director.build(12, 9)
    assert inputs.control is not None
    assert inputs.control[:, 0, 0, 0].tolist() == list(range(1, 13))


def test_frames_of_any_size_are_brought_to_the_shows_size() -> None:
    desk = ControlSurfaces()
    desk.ring.push(frame(10 * SECOND, value=9, size=(200, 90)))
    inputs = desk.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.control.shape == (9, SIZE[1], SIZE[0], 3)


def test_no_source_yet_and_control_off_both_mean_no_control() -> None:
    assert ControlSurfaces().director.build(9, 9).control is None
    desk = ControlSurfaces(control=False)
    desk.capture(9)
    inputs = desk.director.build(9, 9)
    assert (inputs.control, inputs.mask, inputs.captured_ns) == (None, None, 0)


def test_a_mask_without_control_is_used_and_leads() -> None:
    desk = ControlSurfaces(control=False, mask_source="alpha")
    desk.capture(9)
    inputs = desk.director.build(9, 9)
    assert inputs.control is None
    assert inputs.mask is not None
    assert inputs.mask[-1, 0, 0] == 9
    assert inputs.captured_ns > 0


def test_alpha_becomes_the_mask_when_asked_for_opaque_is_generated() -> None:
    desk = ControlSurfaces(mask_source="alpha")
    pixels = np.zeros((SIZE[1], SIZE[0], 4), dtype=np.uint8)
    pixels[:, :32, 3] = 255
    desk.ring.push(Frame(pixels, 10 * SECOND, "test", 0))
    mask = desk.director.build(9, 9).mask
    assert mask is not None
    assert mask.shape == (9, SIZE[1], SIZE[0])
    assert (mask[:, :, :32] == 255).all()
    assert (mask[:, :, 32:] == 0).all()


def test_a_reset_is_told_once_and_asks_for_the_frames_of_a_first_chunk() -> None:
    desk = ControlSurfaces()
    desk.capture(30)
    assert not desk.director.build(9, 9).reset
    desk.set("reset")
    cut = desk.director.build(12, 9)
    assert cut.reset
    assert cut.generation == 1
    assert cut.control is not None
    assert len(cut.control) == 9
    assert not desk.director.build(12, 9).reset


def test_a_pause_withholds_chunks_until_it_ends() -> None:
    desk = ControlSurfaces(pause=True)
    assert desk.director.wait_s(PaceMeter().pace()) > 0
    desk.set("pause", False)
    assert desk.director.wait_s(PaceMeter().pace()) == 0


def test_a_deep_backlog_withholds_the_next_chunk_and_a_reset_does_not_wait() -> None:
    desk = ControlSurfaces()
    pace = PaceMeter().record(12, 0.05)
    inputs = desk.director.build(9, 9)
    assert desk.director.wait_s(pace) == 0
    from tests.live.output.test_presenter import chunk

    for _ in range(4):
        desk.director.accept(chunk(1, generation=inputs.generation), pace)
    assert desk.director.wait_s(pace) > 0
    desk.set("reset")
    assert desk.director.wait_s(pace) == 0


def test_video_to_video_hands_the_picture_itself_over_with_control_or_without() -> None:
    for control in (True, False):
        desk = ControlSurfaces(video_to_video=True, control=control, noise_scale=0.4)
        desk.capture(9)
        inputs = desk.director.build(9, 9)
        assert inputs.source is not None
        assert (inputs.control is not None) is control
        assert inputs.noise_scale == pytest.approx(0.4)


def test_following_the_motion_leaves_the_noise_scale_open() -> None:
    desk = ControlSurfaces(video_to_video=True, follow_motion=True, noise_scale=0.4)
    desk.capture(9)
    assert desk.director.build(9, 9).noise_scale is None


def test_without_control_and_video_to_video_the_prompt_is_alone() -> None:
    desk = ControlSurfaces(control=False)
    desk.capture(9)
    inputs = desk.director.build(9, 9)
    assert (inputs.control, inputs.source, inputs.mask) == (None, None, None)


def test_mask_and_source_come_from_inputs_of_their_own_at_the_moments_of_the_control() -> None:
    desk = ControlSurfaces(mask_source="alpha", video_to_video=True)
    desk.capture(9)
    start_ns = 10 * SECOND - SECOND // 2
    desk.others = {"mask": FrameRing(), "source": FrameRing()}
    for i in range(4):  # slower than the control: every third of its moments
        matte = np.full((SIZE[1], SIZE[0], 4), 100, np.uint8)
        matte[..., 3] = 200 + 10 * i
        desk.others["mask"].push(Frame(matte, start_ns + 3 * i * 1_000_000, "matte", i))
        desk.others["source"].push(frame(start_ns + 3 * i * 1_000_000, value=200 + i))
    inputs = desk.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.mask is not None
    assert inputs.source is not None
    assert inputs.control[:, 0, 0, 0].tolist() == list(range(1, 10))
    assert inputs.mask[:, 0, 0].tolist() == [200, 200, 210, 210, 210, 220, 220, 220, 230]
    assert inputs.source[:, 0, 0, 0].tolist() == [200, 200, 201, 201, 201, 202, 202, 202, 203]


def test_without_control_the_source_leads() -> None:
    desk = ControlSurfaces(control=False, video_to_video=True)
    desk.capture(9)
    desk.others = {"source": FrameRing()}
    desk.others["source"].push(frame(10 * SECOND, value=77))
    inputs = desk.director.build(9, 9)
    assert inputs.source is not None
    assert inputs.source[:, 0, 0, 0].tolist() == [77] * 9
    assert inputs.captured_ns == 10 * SECOND


def test_a_mask_input_without_a_picture_masks_nothing() -> None:
    desk = ControlSurfaces(mask_source="alpha")
    desk.capture(9)
    desk.others = {"mask": FrameRing()}
    inputs = desk.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.mask is None


def test_the_chunk_knows_each_control_frames_time_and_when_it_was_sampled() -> None:
    desk = ControlSurfaces()
    desk.capture(12)
    inputs = desk.director.build(9, 9)
    trace = inputs.trace
    assert len(trace.captured_ns) == 9
    assert list(trace.captured_ns) == sorted(trace.captured_ns)
    assert trace.captured_ns[-1] == inputs.captured_ns
    assert trace.sampled_ns == 10 * SECOND


def test_a_parameter_change_is_traced_by_the_one_chunk_that_shows_it_first() -> None:
    desk = ControlSurfaces()
    assert desk.director.build(9, 9).trace.received_ns == 0, "what held at the start was never received"
    desk.set("context_scale", 0.4)
    changed = desk.parameters.snapshot().changed_ns["/streamvace/context_scale"]
    assert desk.director.build(12, 9).trace.received_ns == changed
    assert desk.director.build(12, 9).trace.received_ns == 0


def test_a_change_that_no_chunk_shows_is_not_traced() -> None:
    desk = ControlSurfaces()
    desk.director.build(9, 9)
    desk.set("hold_mode", "pingpong")
    assert desk.director.build(12, 9).trace.received_ns == 0


def test_references_ride_with_every_chunk_while_they_are_listed_and_never_hold_one_up() -> None:
    desk = ControlSurfaces(references=("cat.png", "hat.png"), reference_mode="memory")
    assert desk.director.build(9, 9).references is None  # not read yet: the chunk does not wait
    desk.shelf.pictures[Wish("hat.png", "reference")] = np.full((SIZE[1], SIZE[0], 3), 7, np.uint8)
    inputs = desk.director.build(12, 9)
    assert inputs.references is not None
    assert inputs.references.shape == (1, SIZE[1], SIZE[0], 3)
    assert inputs.reference_mode == "memory"
    desk.set("references", "")
    assert desk.director.build(12, 9).references is None


def test_a_prompt_crosses_over_in_steps_of_a_chunk_and_a_reset_cuts() -> None:
    from tests.live.output.test_presenter import chunk

    desk = ControlSurfaces(prompt="red", prompt_transition=2.0, prompt_transition_unit="chunks")
    assert desk.director.build(9, 9).prompt == "red"
    desk.set("prompt", "blue")
    assert desk.director.build(12, 9).prompt == PromptMix((("red", 0.5), ("blue", 0.5)))
    assert desk.director.stats()["mix"] == ""
    desk.director.accept(chunk(1), PaceMeter().pace())
    assert desk.director.stats()["mix"] == "red 50 % + blue 50 %"
    desk.director.accept(replace(chunk(1), prompt="red"), PaceMeter().pace())
    assert desk.director.stats()["mix"] == "red", "blue is not encoded yet"
    assert desk.director.build(12, 9).prompt == "blue"
    desk.parameters.apply_bundle(
        [
            Change(desk.parameters.check("/streamvace/prompt", ("glass",)), "test"),
            Change(desk.parameters.check("/streamvace/reset", ()), "test"),
        ]
    )
    assert desk.director.build(12, 9).prompt == "glass"


def test_a_fade_is_where_the_clock_says_at_each_chunk_and_a_pause_does_not_hold_it_up() -> None:
    desk = ControlSurfaces(context_scale=1.0)
    desk.director.build(9, 9)
    fade = Fade(4.0)
    desk.parameters.apply_bundle([Change(desk.parameters.check("/streamvace/context_scale", (0.0,)), "test", fade)])
    desk.now_ns += SECOND
    inputs = desk.director.build(12, 9)
    assert (inputs.context_scale, inputs.snapshot_version) == (0.75, desk.parameters.snapshot().version)
    desk.set("pause", True)
    desk.parameters.apply_bundle(
        [Change(desk.parameters.check("/streamvace/pause", (False,)), "test", Fade(1.0, switch=1.0))]
    )
    assert desk.director.wait_s(PaceMeter().pace()) > 0
    desk.now_ns += SECOND
    desk.director.wait_s(PaceMeter().pace())
    assert desk.director.wait_s(PaceMeter().pace()) == 0, "a cue that ends the pause is obeyed while it is paused"
    assert desk.director.build(12, 9).context_scale == pytest.approx(0.5)


def test_instant_control_is_the_newest_frame_held_and_the_trace_says_so() -> None:
    desk = ControlSurfaces(control_timing="instant")
    desk.capture(12)
    inputs = desk.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.control[:, 0, 0, 0].tolist() == [12] * 9
    assert set(inputs.trace.captured_ns) == {inputs.captured_ns}


def test_control_ahead_is_the_newest_frame_moved_on_at_the_play_rate() -> None:
    desk = ControlSurfaces(control_timing="ahead")
    for i in range(12):
        desk.ring.push(Frame(disc(40 + i / 2, 60), 10 * SECOND + i * 10_000_000, "test", i))
    control = desk.director.build(9, 9).control
    assert control is not None
    across = [centre(picture)[0] for picture in control]
    assert across[0] == pytest.approx(22.7, abs=0.5)
    assert across[8] - across[0] == pytest.approx(8 * 25 / 24, rel=0.25), "25 pixels a second at 24 frames a second"


def test_the_stream_begins_with_the_first_frame_and_again_after_a_reset_and_on_a_cue() -> None:
    desk = ControlSurfaces(first_frame="a.png")
    anchor = np.full((SIZE[1], SIZE[0], 3), 7, np.uint8)
    desk.shelf.pictures[Wish("a.png", "frame")] = anchor
    assert desk.director.build(9, 9).first_frame is anchor
    assert desk.director.build(12, 9).first_frame is None
    desk.set("anchor/now")
    assert desk.director.build(12, 9).first_frame is anchor
    assert desk.director.build(12, 9).first_frame is None
    desk.set("reset")
    assert desk.director.build(12, 9).first_frame is anchor
    assert desk.director.build(9, 9).first_frame is anchor, "a worker that was started again begins anew"


def test_the_finished_chunk_keeps_the_source_of_its_own_frames_outside_the_mask() -> None:
    from tests.live.output.test_presenter import chunk

    desk = ControlSurfaces(mask_source="alpha", composite=True, output_alpha="mask", composite_feather=0.0)
    pixels = np.random.default_rng(1).integers(0, 256, (SIZE[1], SIZE[0], 4), np.uint8)
    pixels[..., 3] = 0
    pixels[:, :32, 3] = 255
    desk.ring.push(Frame(pixels, 10 * SECOND, "test", 0))
    desk.director.build(12, 9)
    desk.director.accept(chunk(77), PaceMeter().pace())
    shown = desk.presenter._playhead._queue[0].pixels
    assert (shown[:, 32:, :3] == pixels[:, 32:, :3]).all()
    assert (shown[:, :32, :3] == 77).all()
    assert (shown[:, :32, 3] == 255).all()
    assert (shown[:, 32:, 3] == 0).all()


def test_a_re_anchor_gives_the_next_chunk_the_streams_own_picture_once() -> None:
    from tests.live.output.test_presenter import chunk

    desk = ControlSurfaces()
    desk.set("re_anchor")
    assert desk.director.build(9, 9).first_frame is None
    assert any("no picture yet" in line for line in desk.lines)
    desk.director.accept(chunk(77), PaceMeter().pace())
    desk.set("re_anchor")
    anchored = desk.director.build(12, 9)
    assert anchored.first_frame is not None
    assert (anchored.first_frame == 77).all()
    assert desk.director.build(12, 9).first_frame is None
    assert desk.director.stats()["re_anchors"] == 1


def test_the_block_curve_gives_every_context_block_its_factor() -> None:
    desk = ControlSurfaces(block_curve="early", block_contrast=0.5)
    assert desk.director.build(9, 9).block_scales == pytest.approx((1, 5 / 6, 2 / 3, 0.5))
    desk.blocks = 2
    assert desk.director.build(12, 9).block_scales == pytest.approx((1, 0.5)), "another pipeline was loaded"
    desk.set("block_curve", "flat")
    assert desk.director.build(12, 9).block_scales == ()
