"""Replays the goldens of TAEHV, the sampler and the VACE encoding."""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.conditioning.context import ContextState, encode_context, pack_mask
from streamvace.model.autoencoder.base import CodecState
from streamvace.model.autoencoder.taehv import TAEHV
from streamvace.model.sampler import add_noise, flow_to_x0, sigma_of, sigma_table, warp_steps, x0_to_flow
from streamvace.model.transformer import sinusoid
from streamvace.parity.loop import LinearCodec
from streamvace.parity.networks import placed
from streamvace.parity.report import Report, Sidecar, Tensors

CODEC_TOLERANCE = 5e-6
"""Parallel and sequential TAEHV differ by 3e-7."""
ENCODING_TOLERANCE = 1e-6
"""A linear codec and copies: only the order of summation differs."""


def _taehv(meta: Sidecar, tensors: Tensors, raw: bool) -> TAEHV:
    d0, d1, d2, d3 = meta["dec_widths"]
    codec = TAEHV("raw" if raw else "normalised", meta["enc_width"], (d0, d1, d2, d3))
    codec.load_state_dict(
        {
            key.removeprefix("sdq."): value.float() * tensors["sds." + key.removeprefix("sdq.")]
            for key, value in tensors.items()
            if key.startswith("sdq.")
        }
    )
    place = placed(tensors)
    return codec.to(place.device, place.dtype)


def replay_taehv(name: str, meta: Sidecar, tensors: Tensors) -> Report:
    """Replay batch and streamed calls, two separate encoder streams, and the raw-latent variant."""
    report = Report(name)
    codec = _taehv(meta, tensors, raw=False)
    latents = tensors["lat"].transpose(1, 2)

    def check(key: str, ours: Tensor) -> None:
        if key not in tensors:
            return  # a compact golden keeps fewer outputs
        report.calls += 1
        report.compare(key.split(".")[0].rstrip("0123456789_"), ours.transpose(1, 2), tensors[key], CODEC_TOLERANCE)

    def grouped(pixels: Tensor) -> Tensor:
        """Pad at the end as upstream does; for whole clips only."""
        return torch.cat((pixels, pixels[:, :, -1:].expand(-1, -1, -pixels.shape[2] % 4, -1, -1)), dim=2)

    for key, clip in (("enc_batch12", "pixA"), ("enc_batch13", "pix13"), ("enc_batch1", "pix1")):
        if clip in tensors:
            check(key, codec.encode_groups(grouped(tensors[clip]), None)[0])
    check("dec_batch5", codec.decode(latents[:, :, :5], None)[0])
    state: CodecState | None = None
    for index in range(3):
        frames, state = codec.decode(latents[:, :, 3 * index : 3 * index + 3], state)
        check(f"dec_stream{index}", frames)
    first, state = codec.decode(latents[:, :, :1], None)
    check("dec_stream_first1", first)
    check("dec_stream_then2", codec.decode(latents[:, :, 1:3], state)[0])
    inactive: CodecState | None = None
    reactive: CodecState | None = None
    for index, clip in enumerate(clip for clip in ("pixA", "pixB") if clip in tensors):
        z, inactive = codec.encode_groups(torch.zeros_like(tensors[clip]), inactive)
        check(f"enc_stream.inactive{index}", z)
        z, reactive = codec.encode_groups(tensors[clip], reactive)
        check(f"enc_stream.reactive{index}", z)
    light = _taehv(meta, tensors, raw=True)
    check("light.enc_batch12", light.encode_groups(tensors["pixA"], None)[0])
    check("light.dec_batch5", light.decode(latents[:, :, :5], None)[0])
    frames, state = light.decode(latents[:, :, :3], None)
    check("light.dec_stream0", frames)
    check("light.dec_stream1", light.decode(latents[:, :, 3:6], state)[0])
    return report


def replay_scheduler(name: str, meta: Sidecar, tensors: Tensors) -> Report:
    """Replay sigmas, timesteps, noising, flow and x0, warped steps and timestep features."""
    report = Report(name)
    exact = 1e-6
    x0, noise, flow = tensors["x0"], tensors["noise"], tensors["flow"]
    for shift in (5, 8):
        table = sigma_table(float(shift))
        report.compare("sigmas", table, tensors[f"shift{shift}.sigmas"], exact)
        report.compare("timesteps", table * 1000, tensors[f"shift{shift}.timesteps"], 1e-4)
        for key in (k for k in tensors if k.startswith(f"shift{shift}.warped_")):
            steps = [float(step) for step in key.split("_")[1:]]
            report.compare("warped steps", torch.tensor(warp_steps(steps, table)), tensors[key], 1e-3)
    for case in meta["cases"]:
        shift_name, steps_name = case.split(".")
        table = sigma_table(float(shift_name.removeprefix("shift")))
        t = torch.tensor([float(step) for step in steps_name.removeprefix("t").split("_")])
        sigma = sigma_of(t, table)
        report.calls += 1
        report.compare("sigma(t)", sigma, tensors[f"{case}.sigma"], exact)
        sigma = sigma.view(-1, 1, 1, 1)
        noisy = add_noise(x0, noise, sigma)
        report.compare("add noise", noisy, tensors[f"{case}.add_noise"], exact)
        clean = flow_to_x0(flow, noisy, sigma.double())
        report.compare("flow to x0", clean, tensors[f"{case}.x0_from_flow"], 1e-5)
        if f"{case}.flow_from_x0" in tensors:
            ours = x0_to_flow(clean, noisy, sigma.double())
            report.compare("x0 to flow", ours, tensors[f"{case}.flow_from_x0"], 1e-5)
    features = sinusoid(tensors["sinusoid_t"], 256)
    report.compare("sinusoid fp64", features, tensors["sinusoid_longlive_freq256"], 1e-9)
    # The reference's VACE wrapper rounds its angles to fp32: up to 4.6e-5 at t = 1000.
    report.compare("sinusoid fp32", features.float(), tensors["sinusoid_vacewrapper_freq256"], 1e-4)
    return report


_REFERENCE_DEFECTS = ("r2v", "_ref")
"""Cases with references: the recorded program drops, stacks or mixes them (its defects B1-B3): not truth."""


def replay_vace_encoding(name: str, meta: Sidecar, tensors: Tensors) -> Report:
    """Replay channel layout and mask packing of control, inpainting and extension, in chunks of 12 frames."""
    report = Report(name)
    codec = LinearCodec(tensors["fakevae.enc"], tensors["fakevae.enc"].T)
    place = placed(tensors)
    ones = torch.ones(1, 1, 12, meta["height"], meta["width"], device=place.device, dtype=place.dtype)
    named = {
        "ones": ones,
        "mask0": tensors["mask0"].to(place.dtype),
        "mask_soft/255": (tensors["mask_soft"].float() / 255).to(place.dtype),
    }
    if "gray0" in tensors:
        named["gray0"] = tensors["gray0"].to(place.dtype).expand(-1, 3, -1, -1, -1)
    named |= {key: tensors[key].to(place.dtype) for key in ("frames0", "frames1") if key in tensors}
    named["frames0[:,:,:9]"] = named["frames0"][:, :, [*range(9), 8, 8, 8]]
    for key, drawn in (("mask0", named["mask0"]), ("ones", ones), ("soft", named["mask_soft/255"])):
        packed = pack_mask(drawn, 3, meta["height"] // 8, meta["width"] // 8)[0]
        if f"unit.encode_masks.{key}" in tensors:
            report.compare("mask packing", packed, tensors[f"unit.encode_masks.{key}"], ENCODING_TOLERANCE)
    skipped = 0
    for case in meta["cases"]:
        state = ContextState()
        for index, chunk in enumerate(case["chunks"]):
            inputs = chunk["inputs"]
            truth = tensors.get(f"{case['name']}.chunk{index}.vace_context")
            if any(mark in case["name"] for mark in _REFERENCE_DEFECTS) or truth is None:
                skipped += bool(inputs)
                continue
            control, mask = _extension_inputs(inputs, named, tensors)
            context, state = encode_context(codec, state, control, mask, first=False)
            report.calls += 1
            report.compare("context", context[0], truth, ENCODING_TOLERANCE)
    report.note = f"{skipped} chunks not compared: not recorded, or with references (the reference's defects)"
    return report


def _extension_inputs(
    inputs: dict[str, str], named: dict[str, Tensor], tensors: Tensors
) -> tuple[Tensor, Tensor | None]:
    """Control and mask of one recorded chunk. First and last images become 4 kept frames at the chunk's ends."""
    control = named.get(inputs.get("vace_input_frames", ""))
    mask = named.get(inputs.get("vace_input_masks", ""))
    anchors = (("first_frame_image", slice(0, 4)), ("last_frame_image", slice(8, 12)))
    if not any(key in inputs for key, _ in anchors):
        assert control is not None
        return control, mask
    where = mask if mask is not None else named["ones"]
    frames = (torch.zeros_like(named["frames0"]) if control is None else control).clone()
    kept = where.clone()
    for key, span in anchors:
        if key in inputs:
            image = tensors[f"unit.prepared.{inputs[key]}"].unsqueeze(0)
            frames[:, :, span] = torch.where(where[:, :, span] > 0.5, image, frames[:, :, span])
            kept[:, :, span] = 0
    return frames, kept
