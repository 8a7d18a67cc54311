"""Make the compact goldens of this folder from a full set: `python tests/goldens/compact.py FULL_FOLDER`.

Weights follow the seeded rule (docs/parity.md) and inputs follow from seeds, so only outputs and drawn contexts stay.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from safetensors.torch import load_file, save_file

STREAMS = r"context\d|vace_context\d|call000\.(x|flow)|call\d+\.x0|final_kv\.3\.k"
KEEP = {
    "longlive": STREAMS,
    "longlive_odd": STREAMS,
    "longlive_nosink": STREAMS,
    "longlive_vace_nopadkeys": STREAMS,
    "streamdiffusionv2": STREAMS,
    "streamdiffusionv2_noise": STREAMS,
    "memflow_bank": STREAMS + r"|final_bank\.0\.k",
    "krea_realtime_video": STREAMS + r"|fakevae\..*",
    "reward_forcing": STREAMS,
    "wan_batch_vace": r"(?!sd\.).*",
    "taehv_narrow": r"sd[qs]\..*|lat|pixA|enc_batch12|dec_stream[01]|enc_stream\.reactive0"
    r"|light\.(enc_batch12|dec_stream0)",
    "scheduler": r".*",
    "vace_encoding": r"fakevae\.enc|frames0|mask0|mask_soft|img\..*|unit\.prepared\.img[AB]|unit\.encode_masks\..*"
    r"|(depth|inpaint|inpaint_soft|ext_first_inpaint)\.chunk0\.vace_context",
}


def main(full: Path) -> None:
    """Write NAME.json and NAME.safetensors for every name of KEEP."""
    here = Path(__file__).parent
    for name, pattern in KEEP.items():
        tensors = load_file(full / f"{name}.safetensors")
        kept = {key: value for key, value in tensors.items() if re.fullmatch(pattern, key)}
        save_file(kept, here / f"{name}.safetensors")
        meta = json.loads((full / f"{name}.json").read_text(encoding="utf-8"))
        (here / f"{name}.json").write_text(json.dumps(meta, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
