"""Prompt embeddings on disk, by content: a show's prompts are there at once and the text encoder can stay unloaded."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

SAMPLES = 16
SAMPLE_BYTES = 64 * 1024


def content_key(*parts: str) -> str:
    """A file name for what depends on all of `parts` and on nothing else."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8, "little") + raw)
    return digest.hexdigest()


def fingerprint(path: Path) -> str:
    """What is in a file, or in a folder's files, from their sizes and samples.

    Reading 11 GB to name a prompt would take longer than encoding it: of a big file 16 evenly spaced blocks of 64 KiB
    are read, which other weights of the same shape do not share.
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
    """rows: a prompt's embedding `[n, dim]`. unknown: its words that the encoder does not know."""

    rows: Tensor
    unknown: tuple[str, ...] = ()


class PromptCache:
    """A folder of embeddings with a limit; the longest unused go first. Several processes may share it."""

    def __init__(self, folder: Path, limit_bytes: int = 256 * 1024 * 1024) -> None:
        """folder: made when the first embedding is kept. limit_bytes: a prompt of 50 words takes about half a MB."""
        self._folder, self._limit = folder, limit_bytes

    def get(self, key: str) -> KeptPrompt | None:
        """What is kept under `key`, or None. A file that cannot be read is thrown away."""
        path = self._path(key)
        try:
            stored = safetensors.torch.load(path.read_bytes())
            words = stored["unknown"].numpy().tobytes().decode()
            kept = KeptPrompt(stored["rows"], tuple(words.split("\n")) if words else ())
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, KeyError, UnicodeDecodeError):
            path.unlink(missing_ok=True)
            return None
        return kept

    def put(self, key: str, prompt: KeptPrompt) -> None:
        """Keep a prompt under `key`, then make room. A disk that is full or read-only only costs the cache."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                words = torch.tensor(list("\n".join(prompt.unknown).encode()), dtype=torch.uint8)
                file.write(safetensors.torch.save({"rows": prompt.rows.cpu().contiguous(), "unknown": words}))
            os.replace(name, self._path(key))  # whole or not at all, whoever is reading
        except OSError:
            Path(name).unlink(missing_ok=True)
        self._make_room()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.safetensors"

    def _make_room(self) -> None:
        kept: list[tuple[float, int, Path]] = []
        for path in self._folder.glob("*.safetensors"):
            try:
                found = path.stat()
            except OSError:
                continue  # another process made room first
            kept.append((found.st_mtime, found.st_size, path))
        total = sum(size for _, size, _ in kept)
        for _, size, path in sorted(kept):
            if total <= self._limit:
                return
            path.unlink(missing_ok=True)
            total -= size
