"""Cuts the small pictures of the looks that ship, for the tiles of the page, out of the sheet of gallery.py:

    python benchmarks/gallery.py OUT --seconds 4 --sheet docs/looks.jpg
    python benchmarks/look_pictures.py docs/looks.jpg

Each look gets its last moment on the sheet. Pictures of looks that are no more are deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from common import arguments
from gallery import COLUMNS, MOMENTS, SIZE
from numpy.typing import NDArray

import osc_schema
from streamvace.control.cue_file import built_in_cues
from streamvace.control.cues import Cue
from streamvace.control.look_pictures import FOLDER, name_of

SIDE = SIZE[0] // 2
"""Pixels of a picture on the sheet, which is half as large as the films; a tile of the page is about 130 wide."""
QUALITY = 85
EMPTY = 8.0
"""Brightness of a cell without a look."""

Picture = NDArray[np.uint8]


def cells(sheet: Picture) -> Iterator[Picture]:
    """The last moment of each look on a sheet `[H, W, 3]`, in the order of the looks; black cells are left out."""
    width = SIDE * len(MOMENTS[1])
    rows = len(sheet) // (SIDE + 14)
    for number in range(rows * COLUMNS):
        top, left = number // COLUMNS * (SIDE + 14), number % COLUMNS * width
        cell = sheet[top : top + SIDE, left : left + width]
        if cell.mean() > EMPTY:
            yield cell[:, -SIDE:]


def write(pictures: list[Picture], looks: tuple[Cue, ...]) -> None:
    """Write the picture of each look."""
    if len(pictures) != len(looks):
        raise SystemExit(f"the sheet has {len(pictures)} looks, and {len(looks)} ship: make the sheet again")
    folder = Path(str(FOLDER))
    folder.mkdir(exist_ok=True)
    for picture, look in zip(pictures, looks, strict=True):
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        (folder / f"{name_of(look)}.jpg").write_bytes(jpeg.tobytes())


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("sheet", type=Path)
    sheet = cv2.imread(str(parser.parse_args().sheet), cv2.IMREAD_COLOR)
    if sheet is None:
        raise SystemExit("the sheet cannot be read")
    looks = built_in_cues("embedded", osc_schema.by_address())
    write(list(cells(np.asarray(sheet, np.uint8))), looks)
    known = {name_of(look) for look in looks}
    for path in Path(str(FOLDER)).glob("*.jpg"):
        if path.stem not in known:
            path.unlink()
    total = sum(path.stat().st_size for path in Path(str(FOLDER)).glob("*.jpg"))
    print(f"{len(looks)} pictures, {total / 1000:.0f} kB")


if __name__ == "__main__":
    main()
