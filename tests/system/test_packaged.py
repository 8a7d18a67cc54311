"""Installed as one zip file, the program finds its weights, looks, parameters and page."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from streamvace.system.packaged import packaged_folder

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import osc_schema, streamvace
from streamvace.records.chunk import ChunkInput
from streamvace.stream.loading import load_generator
from streamvace.control.cue_file import built_in_cues
from streamvace.models.manifest import model_files
from streamvace.web.preview import STATIC
assert ".zip" in streamvace.__file__
assert load_generator("embedded").step(ChunkInput("glossy red ball")).frames.any()
assert built_in_cues("embedded", osc_schema.by_address())
assert model_files()
assert (STATIC / "preview.html").read_text(encoding="utf-8")
"""


def test_a_zipped_install_shows_a_picture(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "all.zip", "w") as whole:
        for package in ("streamvace", "osc_schema"):
            for file in (ROOT / package).rglob("*"):
                if file.is_file() and "__pycache__" not in file.parts:
                    whole.write(file, file.relative_to(ROOT))
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'all.zip')!r})\n{PROGRAM}"
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_an_ordinary_install_is_read_where_it_lies() -> None:
    assert packaged_folder("streamvace.embedded", "weights") == ROOT / "streamvace" / "embedded" / "weights"
