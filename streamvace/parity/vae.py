"""Replays the goldens of the Wan2.1 VAE, full and light."""

from __future__ import annotations

from streamvace.model.autoencoder.base import CodecState
from streamvace.model.autoencoder.wan_vae import WanVAE
from streamvace.parity.networks import placed
from streamvace.parity.report import Report, Sidecar, Tensors

VAE_TOLERANCE = 1e-5
"""Streamed and whole clips differ by 2.6e-6 in the decoder and 6e-7 in the encoder."""


def is_wan_vae(meta: Sidecar) -> bool:
    """Whether a sidecar describes a recording of the Wan VAE."""
    return "temperal_downsample" in meta.get("cfg", {})


def replay_wan_vae(name: str, meta: Sidecar, tensors: Tensors) -> Report:
    """Replay whole clips, single frames and single streams. The recorded dual streams share a cache: not truth."""
    report = Report(name, note="dual streams share a cache: not truth")
    config = meta["cfg"]
    codec = WanVAE(round(config["dim"] * (1 - config["pruning_rate"])))
    codec.load_state_dict({key.removeprefix("sd."): value for key, value in tensors.items() if key.startswith("sd.")})
    place = placed(tensors)
    codec.to(place.device, place.dtype)
    latents = tensors["lat5"].transpose(1, 2)

    def encode(key: str, clip: str, frames: int) -> None:
        z, _ = codec.encode(tensors[clip][:, :, :frames], None)
        report.calls += 1
        report.compare("encode", z.transpose(1, 2), tensors[key], VAE_TOLERANCE)

    def decode(key: str, first: int, last: int, state: CodecState | None) -> CodecState:
        frames, after = codec.decode(latents[:, :, first:last], state)
        report.calls += 1
        report.compare("decode", frames.transpose(1, 2), tensors[key], VAE_TOLERANCE)
        return after

    encode("enc_whole13", "pix13", 13)
    # At a stream's start, the first nine of twelve frames fill three latents; the rest is dropped.
    encode("enc_nocache12", "pix12a", 9)
    encode("enc_nocache1", "pix1", 1)
    # The recorded stream kept those three frames in its caches, so it is replayed pass by pass, as recorded.
    state: CodecState | None = None
    for key, clip in (("s1.enc_a", "pix12a"), ("s1.enc_b", "pix12b")):
        z, state = codec.encode_pass(tensors[clip], state)
        report.calls += 1
        report.compare("encode stream", z.transpose(1, 2), tensors[key], VAE_TOLERANCE)

    decode("dec_whole5", 0, 5, None)
    decode("s1.dec_b", 2, 5, decode("s1.dec_a", 0, 3, None))
    decode("s3.dec_1", 2, 3, decode("s3.dec_2", 0, 2, None))
    return report
