"""Which content a published file must have: by the manifest where it is known, else by the first download.

A first download records commit and SHA-256 in `models.lock.json` beside the models. Later downloads ask for that commit
and must have that content. A file that its publisher replaced is therefore noticed, and nothing changes by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from streamvace.models.manifest import pins
from streamvace.system.errors import UserError
from streamvace.system.files import new_file, replace_file

LOCK = "models.lock.json"
"""In the models folder."""
NEWEST = "main"
"""The revision of a file that is not pinned yet."""

_PART = 1 << 20
"""Bytes read at once."""


class Pin(BaseModel):
    """commit: of the repository. sha256: of the file as published, in hexadecimal digits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commit: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,100}$")]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


_PINS = TypeAdapter(dict[str, Pin])


def pin_of(folder: Path, file: str) -> Pin | None:
    """The pin of `OWNER/REPOSITORY/PATH`, or None before its first download. Raises UserError for a damaged lock."""
    return _known().get(file) or _locked(folder).get(file)


def check_pin(folder: Path, file: str, commit: str, download: Path) -> None:
    """Compare a download with its pin; the first one is recorded.

    Raises UserError with both values if it is another file; the download is deleted then.
    """
    found = _sha256(download)
    pin = pin_of(folder, file)
    if pin is None:
        _record(folder, file, Pin(commit=commit, sha256=found))
        return
    if pin.sha256 == found:
        return
    download.unlink()
    if file in _known():
        raise UserError(
            f"{file} has sha256 {found[:12]}..., this version of streamvace expects {pin.sha256[:12]}...; "
            "run the same command again, or update streamvace if the publisher has replaced the file"
        )
    raise UserError(
        f"{file} has sha256 {found[:12]}..., the first download had {pin.sha256[:12]}...; run the same command again, "
        f"or remove its entry from {folder / LOCK} if you trust the new file"
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART):
            digest.update(part)
    return digest.hexdigest()


def _known() -> Mapping[str, Pin]:
    return _PINS.validate_python(pins())


def _locked(folder: Path) -> dict[str, Pin]:
    try:
        return _PINS.validate_json((folder / LOCK).read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        first = str(error).partition("\n")[0]
        raise UserError(
            f"{folder / LOCK} cannot be read ({first}); delete it, and the next pull records anew"
        ) from None


def _record(folder: Path, file: str, pin: Pin) -> None:
    content = _PINS.dump_json(_locked(folder) | {file: pin}, indent=1)
    part = folder / f"{LOCK}.part"
    try:
        with new_file(part) as written:
            written.write(content + b"\n")
        replace_file(part, folder / LOCK)
    except OSError as error:
        raise UserError(f"{folder / LOCK} cannot be written ({error}); make the folder writable") from error
