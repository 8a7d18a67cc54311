"""Prompt embeddings on disk, keyed by content: known prompts need no text encoder in memory."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

SAMPLES = 16
SAMPLE_BYTES = 64 * 1024


def content_key(*parts: str) -> str:
    """A hash of all parts, for use as a file name."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()


def fingerprint(path: Path) -> str:
    """A hash of a file, or of a folder's files, from sizes and samples.

    Reading 11 GB would take longer than encoding a prompt. Of a large file, only 16 evenly spaced blocks of 64 KiB are
    read, which differ between weights of the same shape.
    """
    digest = hashlib.sha256()
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    for file in files:
        size = file.stat().st_size
        digest.update(f"{file.relative_to(path) if file != path else ''}:{size}:".encode())
        with file.open("rb") as stream:
            if size <= SAMPLES * SAMPLE_BYTES:
                digest.update(stream.read())
                continue
            for index in range(SAMPLES):
                stream.seek(index * (size - SAMPLE_BYTES) // (SAMPLES - 1))
                digest.update(stream.read(SAMPLE_BYTES))
    return digest.hexdigest()


@dataclass(frozen=True)
class KeptPrompt:
    """A cached prompt. rows: its embedding `[n, dim]`. unknown: its words that the encoder does not know."""

    rows: Tensor
    unknown: tuple[str, ...] = ()


class PromptCache:
    """A folder of embeddings with a size limit; the least recently used are deleted first. Processes may share it."""

    def __init__(self, folder: Path, limit_bytes: int = 256 * 1024 * 1024) -> None:
        """folder: created with the first embedding. limit_bytes: a prompt of 50 words takes about half a MB."""
        self._folder, self._limit = folder, limit_bytes

    def get(self, key: str) -> KeptPrompt | None:
        """The prompt stored under `key`, or None. A damaged file is deleted."""
        path = self._path(key)
        try:
            stored = safetensors.torch.load(path.read_bytes())
            words = stored["unknown"].numpy().tobytes().decode()
            kept = KeptPrompt(stored["rows"], tuple(words.split("\n")) if words else ())
        except OSError:  # not there, or on Windows held by a scanner
            return None
        except (SafetensorError, KeyError, UnicodeDecodeError):
            _remove(path)
            return None
        with suppress(OSError):  # deleted meanwhile, or held
            os.utime(path)
        return kept

    def put(self, key: str, prompt: KeptPrompt) -> None:
        """Store a prompt under `key`, then enforce the limit. A full or read-only disk is ignored."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                words = torch.tensor(list("\n".join(prompt.unknown).encode()), dtype=torch.uint8)
                file.write(safetensors.torch.save({"rows": prompt.rows.cpu().contiguous(), "unknown": words}))
            os.replace(name, self._path(key))  # atomic for readers; not worth a wait for a scanner
        except OSError:
            _remove(Path(name))
        self._make_room()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"

    def _make_room(self) -> None:
        kept: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*.safetensors"):
            try:
                found = path.stat()
            except OSError:
                continue  # another process has deleted it
            kept.append((found.st_mtime, found.st_size, path))
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= self._limit:
                return
            if _remove(path):
                total -= size


def _remove(path: Path) -> bool:
    """Remove a file; whether it is gone. Windows removes none that is open, here or in another process."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True
