"""Downloading published models: with progress, resumed after an interruption, converted and checked before use."""

from __future__ import annotations

import errno
import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamvace.models.manifest import FOLDER_VARIABLE, ModelFile
from streamvace.models.pins import NEWEST, check_pin, pin_of
from streamvace.system.errors import UserError
from streamvace.system.files import replace_file
from streamvace.system.fix_hints import install_command

DOWNLOADS = ".downloads"
"""Inside the models folder: unfinished downloads. Nothing loads from it."""
GB = 1e9


def pull(entry: ModelFile, folder: Path, say: Callable[[str], None]) -> Path:
    """Download one model, check it and move it to its path in `folder`, which is returned.

    Raises UserError without huggingface_hub, network or disk space, or if the file is not what it should be.
    """
    from streamvace.models.check import check_file
    from streamvace.models.convert import convert

    place = entry.place(folder)
    fetched = [_fetch(entry, path, folder, say) for path in entry.paths]
    if entry.kind == "tokenizer":
        place.mkdir(parents=True, exist_ok=True)
        for file in fetched:
            _put(file, place / file.name)
        return place
    (source,) = fetched
    ready = source.with_suffix(".safetensors")
    if source != ready:
        say(f"{entry.id}: converting {source.name}")
        done = convert(source, ready, entry.parts, overwrite=True)
        if done.dropped:
            say(f"{entry.id}: skipped what is no tensor: {', '.join(done.dropped[:5])}")
    check_file(entry, ready)
    _put(ready, place)
    source.unlink(missing_ok=True)
    return place


def _put(file: Path, place: Path) -> None:
    """Move a finished file to its place, over an older one. Raises UserError; the file then stays where it is."""
    try:
        replace_file(file, place)
    except OSError as error:
        if error.errno == errno.EXDEV:  # a link in the models folder leads to another disk
            shutil.move(file, place)
            return
        raise UserError(
            f"{place} cannot be replaced ({error.strerror}); end the show that uses it, and run the same command again"
        ) from error


def fetch_file(
    name: str, repository: str, path: str, licence: str, folder: Path, say: Callable[[str], None], copies: int = 1
) -> Path:
    """Download one file of a repository to the downloads folder; huggingface_hub shows the progress and resumes. Its
    commit and content must be those of its pin; see `pins`.

    name: of the model, for `say`. copies: how many of it exist on the disk at once, at most. Raises UserError.
    """
    hub = _hub()
    file = f"{repository}/{path}"
    pin = pin_of(folder, file)
    revision = NEWEST if pin is None else pin.commit
    local = folder / DOWNLOADS / repository.replace("/", "--")
    try:
        about = hub.get_hf_file_metadata(hub.hf_hub_url(repository, path, revision=revision))
        commit = about.commit_hash or revision
        if about.size:
            _check_space(name, copies * about.size, folder)
            say(f"{name}: {file} at {commit[:12]}, {about.size / GB:.2f} GB, licence: {licence}")
        found = Path(hub.hf_hub_download(repo_id=repository, filename=path, revision=commit, local_dir=str(local)))
    except _network_errors(hub) as error:
        if _OFFLINE & {each.__name__ for each in type(error).__mro__}:
            raise UserError("No connection to the model hub; run the command again to resume.") from error
        first = str(error).partition("\n")[0][:200]
        raise UserError(
            f"cannot download {file} at {revision[:12]}: {first}; run the same command again to resume"
        ) from error
    check_pin(folder, file, commit, found)
    return found


def _fetch(entry: ModelFile, path: str, folder: Path, say: Callable[[str], None]) -> Path:
    # A pickle and its conversion exist at the same time.
    copies = 1 if path.endswith(".safetensors") else 2
    return fetch_file(entry.id, entry.repository, path, entry.licence, folder, say, copies)


def _check_space(name: str, need: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < need:
        fix = f"make room, or set {FOLDER_VARIABLE} to another folder"
        raise UserError(f"{name} needs {need / GB:.1f} GB in {folder}, {free / GB:.1f} GB are free; {fix}")


_OFFLINE = {"ConnectionError", "ConnectError", "ConnectTimeout", "TimeoutError", "LocalEntryNotFoundError"}
"""Classes of errors without an answer of the server, in the HTTP libraries that huggingface_hub has used."""


def _network_errors(hub: Any) -> tuple[type[BaseException], ...]:
    """Everything that a failed download raises.

    A broken connection raises an error of the HTTP library below huggingface_hub, which has changed before (requests,
    httpx); the hub's own error derives from it.
    """
    refused: type[BaseException] = hub.errors.HfHubHTTPError
    http = [each for each in refused.__mro__ if each.__name__ in ("HfHubHTTPError", "HTTPError")]
    return (OSError, ValueError, *http)


def _hub() -> Any:
    try:
        hub = importlib.import_module("huggingface_hub")
        importlib.import_module("huggingface_hub.errors")
    except ImportError as error:
        raise UserError(f"downloading models needs huggingface_hub ({error}); run: {install_command('wan')}") from None
    return hub
