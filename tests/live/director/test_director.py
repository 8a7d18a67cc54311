"""The director: one snapshot per chunk, the newest control frames, and no chunk earlier than needed."""

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
from streamvace.live.worker.pace import PaceMeter
from streamvace.records.backlog import Backlog
from streamvace.records.chunk import Chunk, PromptMix
from streamvace.records.frame import Frame
from streamvace.telemetry.reporter import Reporter
from tests.live.director.test_frame_sampling import centre, disc
from tests.live.output.test_presenter import chunk
from tests.live.show import SECOND, SIZE, frame


class RigInputs:
    """The inputs of a rig."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def ring(self, role: str) -> FrameRing:
        return self._rig.others.get(role, self._rig.ring)


class Loaded:
    """The pictures that the test puts there."""

    def __init__(self) -> None:
        self.settled = True
        self.pictures: dict[Wish, NDArray[np.uint8]] = {}

    def take(self, wish: Wish) -> NDArray[np.uint8] | None:
        return self.pictures.get(wish)


class Rig:
    """A director with everything it reads from; the clock stands at 10 s until it is moved. `others`: rings of roles
    with an input of their own."""

    def __init__(self, **values: bool | float | str | tuple[str, ...]) -> None:
        self.now_ns = 10 * SECOND
        overrides = {f"/streamvace/{name}": value for name, value in values.items()}
        self.parameters = Parameters(overrides, clock=lambda: self.now_ns)
        self.ring = FrameRing()
        self.others: dict[str, FrameRing] = {}
        self.blocks = 4
        self.modulated: dict[str, float] = {}
        self.lines: list[str] = []
        self.backlog = Backlog(play_rate=24.0, rate=30.0)
        self.delivered: list[Chunk] = []
        self.loaded = Loaded()
        self.reporter = Reporter(self.lines.append)
        self.director = Director(
            size=SIZE,
            blocks=lambda: self.blocks,
            inputs=RigInputs(self),
            parameters=self.parameters,
            backlog=self.backlog,
            deliver=lambda chunk, pace: self.delivered.append(chunk),
            look_ahead=LookAhead(),
            pictures=self.loaded,
            reporter=self.reporter,
            modulated=lambda snapshot: snapshot.showing(self.modulated),
            clock=lambda: self.now_ns,
        )

    def capture(self, count: int, first_ns: int = 10 * SECOND - SECOND // 2) -> None:
        for i in range(count):
            self.ring.push(frame(first_ns + i * 1_000_000, value=i + 1, sequence=i))

    def set(self, name: str, *arguments: object) -> None:
        self.now_ns += 1
        assert self.parameters.set(f"/streamvace/{name}", arguments, "test").status == "set"


def test_the_chunk_carries_what_the_parameters_say() -> None:
    rig = Rig(prompt="a blue cube", seed=7, context_scale=0.5, lora_strength=0.3, lora_region="outside", past_bias=0.5)
    inputs = rig.director.build(9, 9)
    assert (inputs.prompt, inputs.seed, inputs.context_scale) == ("a blue cube", 7, 0.5)
    assert (inputs.lora_strength, inputs.lora_region, inputs.past_bias) == (0.3, "outside", 0.5)
    assert inputs.snapshot_version == rig.parameters.snapshot().version


def test_the_chunk_has_what_modulators_add_and_the_parameters_keep_the_base() -> None:
    rig = Rig(context_scale=0.25)
    rig.modulated = {"/streamvace/context_scale": 0.75}
    assert rig.director.build(9, 9).context_scale == 0.75
    assert rig.parameters.snapshot()["/streamvace/context_scale"] == 0.25


def test_control_frames_end_with_the_newest_and_the_chunk_knows_when_it_was_captured() -> None:
    rig = Rig()
    rig.capture(20)
    inputs = rig.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.control.shape == (9, SIZE[1], SIZE[0], 3)
    assert inputs.control[-1, 0, 0, 0] == 20
    newest = rig.ring.newest()
    assert newest is not None
    assert inputs.captured_ns == newest.captured_ns


def test_the_next_chunk_takes_only_frames_captured_since() -> None:
    rig = Rig()
    rig.capture(12)
    rig.director.build(9, 9)
    rig.capture(12, first_ns=10 * SECOND)
    inputs = rig.director.build(12, 9)
    assert inputs.control is not None
    assert inputs.control[:, 0, 0, 0].tolist() == list(range(1, 13))


def test_frames_of_any_size_are_brought_to_the_shows_size() -> None:
    rig = Rig()
    rig.ring.push(frame(10 * SECOND, value=9, size=(200, 90)))
    inputs = rig.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.control.shape == (9, SIZE[1], SIZE[0], 3)


def test_no_source_yet_and_control_off_both_mean_no_control() -> None:
    assert Rig().director.build(9, 9).control is None
    rig = Rig(control=False)
    rig.capture(9)
    inputs = rig.director.build(9, 9)
    assert (inputs.control, inputs.mask, inputs.captured_ns) == (None, None, 0)


def test_a_mask_without_control_is_used_and_leads() -> None:
    rig = Rig(control=False, mask_source="alpha")
    rig.capture(9)
    inputs = rig.director.build(9, 9)
    assert inputs.control is None
    assert inputs.mask is not None
    assert inputs.mask[-1, 0, 0] == 9
    assert inputs.captured_ns > 0


def test_alpha_becomes_the_mask_when_asked_for_opaque_is_generated() -> None:
    rig = Rig(mask_source="alpha")
    pixels = np.zeros((SIZE[1], SIZE[0], 4), dtype=np.uint8)
    pixels[:, :32, 3] = 255
    rig.ring.push(Frame(pixels, 10 * SECOND, "test", 0))
    mask = rig.director.build(9, 9).mask
    assert mask is not None
    assert mask.shape == (9, SIZE[1], SIZE[0])
    assert (mask[:, :, :32] == 255).all()
    assert (mask[:, :, 32:] == 0).all()


def test_a_reset_reaches_one_chunk_and_asks_for_the_frames_of_a_first_chunk() -> None:
    rig = Rig()
    rig.capture(30)
    assert not rig.director.build(9, 9).reset
    rig.set("reset")
    cut = rig.director.build(12, 9)
    assert cut.reset
    assert cut.generation == 1
    assert cut.control is not None
    assert len(cut.control) == 9
    assert not rig.director.build(12, 9).reset


def test_a_pause_withholds_chunks_until_it_ends() -> None:
    rig = Rig(pause=True)
    assert rig.director.wait_s(PaceMeter().pace()) > 0
    rig.set("pause", False)
    assert rig.director.wait_s(PaceMeter().pace()) == 0


def test_what_the_control_did_during_a_pause_is_not_played_afterwards() -> None:
    rig = Rig()
    rig.capture(12)
    rig.director.build(9, 9)
    rig.set("pause", True)
    for tenth in range(1, 51):
        rig.now_ns += SECOND // 10
        rig.ring.push(frame(rig.now_ns, value=tenth, sequence=tenth))
        rig.director.wait_s(PaceMeter().pace())
    rig.set("pause", False)
    control = rig.director.build(12, 9).control
    assert control is not None
    assert control[:, 0, 0, 0].min() > 40, "the last second only"


def test_a_prompt_that_is_set_during_a_pause_begins_its_transition_after_it() -> None:
    rig = Rig(prompt="red", prompt_transition=4.0)
    rig.director.build(9, 9)
    rig.set("pause", True)
    rig.set("prompt", "blue")
    rig.now_ns += 60 * SECOND
    rig.director.wait_s(PaceMeter().pace())
    rig.set("pause", False)
    rig.now_ns += SECOND
    prompt = rig.director.build(12, 9).prompt
    assert isinstance(prompt, PromptMix)
    assert dict(prompt.parts)["blue"] == pytest.approx(0.25)


def test_a_deep_backlog_withholds_the_next_chunk_and_a_reset_does_not_wait() -> None:
    rig = Rig()
    pace = PaceMeter().record(12, 0.05)
    rig.director.build(9, 9)
    assert rig.director.wait_s(pace) == 0
    rig.backlog.queued = 48  # 2 s at 24 frames a second; the step takes 0.05 s, the cushion two ticks of 1/30 s
    assert rig.director.wait_s(pace) == pytest.approx(2 - 0.05 - 2 / 30)
    rig.set("reset")
    assert rig.director.wait_s(pace) == 0


def test_frames_that_must_be_there_early_do_not_count_as_waiting() -> None:
    rig = Rig()
    rig.backlog.queued = 13
    assert rig.backlog.spare_s == rig.backlog.seconds == pytest.approx(13 / 24)
    rig.backlog.reserve = 1
    assert rig.backlog.spare_s == pytest.approx(12 / 24)
    assert rig.backlog.seconds == pytest.approx(13 / 24), "how soon a change is seen is another matter"
    rig.backlog.queued = 0
    assert rig.backlog.spare_s == 0.0


def test_video_to_video_hands_the_picture_itself_over_with_control_or_without() -> None:
    for control in (True, False):
        rig = Rig(video_to_video=True, control=control, noise_scale=0.4)
        rig.capture(9)
        inputs = rig.director.build(9, 9)
        assert inputs.source is not None
        assert (inputs.control is not None) is control
        assert inputs.noise_scale == pytest.approx(0.4)


def test_following_the_motion_leaves_the_noise_scale_open() -> None:
    rig = Rig(video_to_video=True, follow_motion=True, noise_scale=0.4)
    rig.capture(9)
    assert rig.director.build(9, 9).noise_scale is None


def test_without_control_and_video_to_video_the_prompt_is_alone() -> None:
    rig = Rig(control=False)
    rig.capture(9)
    inputs = rig.director.build(9, 9)
    assert (inputs.control, inputs.source, inputs.mask) == (None, None, None)


def test_mask_and_source_come_from_inputs_of_their_own_at_the_moments_of_the_control() -> None:
    rig = Rig(mask_source="alpha", video_to_video=True)
    rig.capture(9)
    start_ns = 10 * SECOND - SECOND // 2
    rig.others = {"mask": FrameRing(), "source": FrameRing()}
    for i in range(4):  # slower than the control: every third of its moments
        matte = np.full((SIZE[1], SIZE[0], 4), 100, np.uint8)
        matte[..., 3] = 200 + 10 * i
        rig.others["mask"].push(Frame(matte, start_ns + 3 * i * 1_000_000, "matte", i))
        rig.others["source"].push(frame(start_ns + 3 * i * 1_000_000, value=200 + i))
    inputs = rig.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.mask is not None
    assert inputs.source is not None
    assert inputs.control[:, 0, 0, 0].tolist() == list(range(1, 10))
    assert inputs.mask[:, 0, 0].tolist() == [200, 200, 210, 210, 210, 220, 220, 220, 230]
    assert inputs.source[:, 0, 0, 0].tolist() == [200, 200, 201, 201, 201, 202, 202, 202, 203]


def test_without_control_the_source_leads() -> None:
    rig = Rig(control=False, video_to_video=True)
    rig.capture(9)
    rig.others = {"source": FrameRing()}
    rig.others["source"].push(frame(10 * SECOND, value=77))
    inputs = rig.director.build(9, 9)
    assert inputs.source is not None
    assert inputs.source[:, 0, 0, 0].tolist() == [77] * 9
    assert inputs.captured_ns == 10 * SECOND


def test_a_mask_input_without_a_picture_masks_nothing() -> None:
    rig = Rig(mask_source="alpha")
    rig.capture(9)
    rig.others = {"mask": FrameRing()}
    inputs = rig.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.mask is None


def test_the_chunk_knows_each_control_frames_time_and_when_it_was_sampled() -> None:
    rig = Rig()
    rig.capture(12)
    inputs = rig.director.build(9, 9)
    trace = inputs.trace
    assert len(trace.captured_ns) == 9
    assert list(trace.captured_ns) == sorted(trace.captured_ns)
    assert trace.captured_ns[-1] == inputs.captured_ns
    assert trace.sampled_ns == 10 * SECOND


def test_a_parameter_change_is_traced_by_the_one_chunk_that_shows_it_first() -> None:
    rig = Rig()
    assert rig.director.build(9, 9).trace.received_ns == 0, "what held at the start was never received"
    rig.set("context_scale", 0.4)
    changed = rig.parameters.snapshot().changed_ns["/streamvace/context_scale"]
    assert rig.director.build(12, 9).trace.received_ns == changed
    assert rig.director.build(12, 9).trace.received_ns == 0


def test_a_change_that_no_chunk_shows_is_not_traced() -> None:
    rig = Rig()
    rig.director.build(9, 9)
    rig.set("hold_mode", "pingpong")
    assert rig.director.build(12, 9).trace.received_ns == 0


def test_references_ride_with_every_chunk_while_they_are_listed_and_never_hold_one_up() -> None:
    rig = Rig(references=("cat.png", "hat.png"), reference_mode="memory")
    assert rig.director.build(9, 9).references is None  # not read yet: the chunk does not wait
    rig.loaded.pictures[Wish("hat.png", "reference")] = np.full((SIZE[1], SIZE[0], 3), 7, np.uint8)
    inputs = rig.director.build(12, 9)
    assert inputs.references is not None
    assert inputs.references.shape == (1, SIZE[1], SIZE[0], 3)
    assert inputs.reference_mode == "memory"
    rig.set("references", "")
    assert rig.director.build(12, 9).references is None


def test_a_prompt_crosses_over_in_steps_of_a_chunk_and_a_reset_cuts() -> None:
    rig = Rig(prompt="red", prompt_transition=2.0, prompt_transition_unit="chunks")
    assert rig.director.build(9, 9).prompt == "red"
    rig.set("prompt", "blue")
    assert rig.director.build(12, 9).prompt == PromptMix((("red", 0.5), ("blue", 0.5)))
    assert rig.director.stats()["mix"] == ""
    rig.director.accept(chunk(1), PaceMeter().pace())
    assert rig.director.stats()["mix"] == "red 50 % + blue 50 %"
    rig.director.accept(replace(chunk(1), prompt="red"), PaceMeter().pace())
    assert rig.director.stats()["mix"] == "red", "blue is not encoded yet"
    assert rig.director.build(12, 9).prompt == "blue"
    check = rig.parameters.check
    rig.parameters.apply_bundle(
        [Change(check("/streamvace/prompt", ("glass",)), "test"), Change(check("/streamvace/reset", ()), "test")]
    )
    assert rig.director.build(12, 9).prompt == "glass"


def test_a_fade_is_where_the_clock_says_at_each_chunk_and_a_pause_does_not_hold_it_up() -> None:
    rig = Rig(context_scale=1.0)
    rig.director.build(9, 9)
    fade = Fade(4.0)
    rig.parameters.apply_bundle([Change(rig.parameters.check("/streamvace/context_scale", (0.0,)), "test", fade)])
    rig.now_ns += SECOND
    inputs = rig.director.build(12, 9)
    assert (inputs.context_scale, inputs.snapshot_version) == (0.75, rig.parameters.snapshot().version)
    rig.set("pause", True)
    unpause = rig.parameters.check("/streamvace/pause", (False,))
    rig.parameters.apply_bundle([Change(unpause, "test", Fade(1.0, switch=1.0))])
    assert rig.director.wait_s(PaceMeter().pace()) > 0
    rig.now_ns += SECOND
    rig.director.wait_s(PaceMeter().pace())
    assert rig.director.wait_s(PaceMeter().pace()) == 0, "a cue that ends the pause is obeyed while it is paused"
    assert rig.director.build(12, 9).context_scale == pytest.approx(0.5)


def test_instant_control_is_the_newest_frame_held_and_the_trace_says_so() -> None:
    rig = Rig(control_timing="instant")
    rig.capture(12)
    inputs = rig.director.build(9, 9)
    assert inputs.control is not None
    assert inputs.control[:, 0, 0, 0].tolist() == [12] * 9
    assert set(inputs.trace.captured_ns) == {inputs.captured_ns}


def test_control_ahead_is_the_newest_frame_extrapolated_at_the_play_rate() -> None:
    rig = Rig(control_timing="ahead")
    for i in range(12):
        rig.ring.push(Frame(disc(40 + i / 2, 60), 10 * SECOND + i * 10_000_000, "test", i))
    control = rig.director.build(9, 9).control
    assert control is not None
    across = [centre(picture)[0] for picture in control]
    assert across[0] == pytest.approx(22.7, abs=0.5)
    assert across[8] - across[0] == pytest.approx(8 * 25 / 24, rel=0.25), "25 pixels a second at 24 frames a second"


def test_the_stream_begins_with_the_first_frame_and_again_after_a_reset_and_on_a_cue() -> None:
    rig = Rig(first_frame="a.png")
    anchor = np.full((SIZE[1], SIZE[0], 3), 7, np.uint8)
    rig.loaded.pictures[Wish("a.png", "frame")] = anchor
    assert rig.director.build(9, 9).first_frame is anchor
    assert rig.director.build(12, 9).first_frame is None
    rig.set("anchor/now")
    assert rig.director.build(12, 9).first_frame is anchor
    assert rig.director.build(12, 9).first_frame is None
    rig.set("reset")
    assert rig.director.build(12, 9).first_frame is anchor
    assert rig.director.build(9, 9).first_frame is anchor, "a worker that was started again begins anew"


def test_the_finished_chunk_keeps_the_source_of_its_own_frames_outside_the_mask() -> None:
    rig = Rig(mask_source="alpha", composite=True, output_alpha="mask", composite_feather=0.0)
    pixels = np.random.default_rng(1).integers(0, 256, (SIZE[1], SIZE[0], 4), np.uint8)
    pixels[..., 3] = 0
    pixels[:, :32, 3] = 255
    rig.ring.push(Frame(pixels, 10 * SECOND, "test", 0))
    rig.director.build(12, 9)
    rig.director.accept(chunk(77), PaceMeter().pace())
    [done] = rig.delivered
    assert done.alpha is not None
    assert (done.frames[0][:, 32:] == pixels[:, 32:, :3]).all()
    assert (done.frames[0][:, :32] == 77).all()
    assert (done.alpha[0][:, :32] == 255).all()
    assert (done.alpha[0][:, 32:] == 0).all()


def test_a_re_anchor_gives_the_next_chunk_the_streams_own_picture_once() -> None:
    rig = Rig()
    rig.set("re_anchor")
    assert rig.director.build(9, 9).first_frame is None
    assert any("no picture yet" in line for line in rig.lines)
    rig.director.accept(chunk(77), PaceMeter().pace())
    rig.set("re_anchor")
    anchored = rig.director.build(12, 9)
    assert anchored.first_frame is not None
    assert (anchored.first_frame == 77).all()
    assert rig.director.build(12, 9).first_frame is None
    assert rig.director.stats()["re_anchors"] == 1


def test_the_block_curve_gives_every_context_block_its_factor() -> None:
    rig = Rig(block_curve="early", block_contrast=0.5)
    assert rig.director.build(9, 9).block_scales == pytest.approx((1, 5 / 6, 2 / 3, 0.5))
    rig.blocks = 2
    assert rig.director.build(12, 9).block_scales == pytest.approx((1, 0.5)), "another pipeline was loaded"
    rig.set("block_curve", "flat")
    assert rig.director.build(12, 9).block_scales == ()
