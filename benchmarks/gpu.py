"""Everything that a CUDA card can tell: `python benchmarks/gpu.py OUT [--device auto] [--chunks N] [--only PART]`.

Parts run in processes of their own, the most valuable first, each with a limit: versions, recorded tensors in fp32 and
bf16, synchronisations, every attention backend, LongLive at 640x368 with its stages, peaks and profile, the paper's
configurations and its figures of fidelity, the same without graphs, compiled, in int8 and fp8, the Wan VAE, one stream
instead of two, hint reuse, offload, the other pipelines, and Krea Realtime 14B. Weights that are not installed are
random ones of the real shape, made on the card.

OUT gets results.json, report.md and log.txt. The same command goes on where it stopped; failed parts run again. On a
processor the embedded model takes LongLive's place, and parts that need a card say so.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common import arguments

from streamvace.bench.command import run_all
from streamvace.bench.parts import PARTS
from streamvace.system.errors import UserError

GOLDENS = Path(__file__).resolve().parents[1] / "tests" / "goldens"


def main() -> int:
    parser: argparse.ArgumentParser = arguments(__doc__)
    parser.add_argument("folder", type=Path, metavar="OUT")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--chunks", type=int, help="steady chunks per figure")
    parser.add_argument("--goldens", type=Path, default=GOLDENS, help="folder of recorded tensors")
    parser.add_argument("--only", action="append", default=[], choices=[part.name for part in PARTS])
    given = parser.parse_args()
    try:
        return run_all(given.folder, given.device, given.chunks, given.goldens, given.only)
    except UserError as error:
        print(f"gpu.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
