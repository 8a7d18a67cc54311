"""Safetensors on disk, one file or shards, memory-mapped: names and shapes at once, values one by one."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command

Shape = tuple[int, ...]
INDEX_SUFFIX = ".safetensors.index.json"
PICKLES = (".pt", ".pth", ".ckpt", ".bin")


class StoredTensors:
    """An open checkpoint; a context manager.

    path: a `.safetensors` file, a `.safetensors.index.json` of shards, or a folder with exactly one of either.
    shapes: the shape of every stored tensor by name. name: the file's name, for messages.
    Raises UserError for a missing, damaged or pickled file, and if an index and its shards disagree.
    """

    def __init__(self, path: Path, device: torch.device | str = "cpu") -> None:
        """device: of the tensors that `get` returns."""
        path = _resolve(path)
        self.name = path.name
        self._stack = ExitStack()
        self._home: dict[str, Any] = {}
        try:
            if path.name.endswith(INDEX_SUFFIX):
                self._open_shards(path, str(device))
            else:
                self._open(path, str(device))
        except BaseException:
            self._stack.close()
            raise
        self.shapes: Mapping[str, Shape] = {
            name: tuple(home.get_slice(name).get_shape()) for name, home in self._home.items()
        }

    def get(self, name: str) -> Tensor:
        """One tensor. On the CPU it is mapped from the file: pages are read on access and can be evicted."""
        tensor: Tensor = self._home[name].get_tensor(name)
        return tensor

    def metadata(self) -> dict[str, str]:
        """The metadata of the file, or of its first shard."""
        first = next(iter(self._home.values()), None)
        return dict(first.metadata() or {}) if first is not None else {}

    def __enter__(self) -> StoredTensors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _open(self, path: Path, device: str) -> set[str]:
        try:
            file = self._stack.enter_context(safe_open(path, "pt", device=device))
        except FileNotFoundError:
            raise UserError(f"no weights at {path}; see `{command('doctor')}`") from None
        except (SafetensorError, OSError) as error:
            raise UserError(f"cannot read weights {path}: {error}; the file is damaged, download it again") from error
        names = set(file.keys())
        if twice := names & self._home.keys():
            raise UserError(f"{path.name} repeats {describe(twice)} tensors of another shard; download it again")
        self._home.update(dict.fromkeys(names, file))
        return names

    def _open_shards(self, index: Path, device: str) -> None:
        # Checkpoints in one file need no pydantic, which takes a sixth of the embedded model's time to load.
        from streamvace.model.shard_index import shard_of_each

        listed = shard_of_each(index)
        for shard in sorted(set(listed.values())):
            if Path(shard).name != shard:
                raise UserError(f"{index.name} names a shard outside its folder: {shard!r}")
            found = self._open(index.parent / shard, device)
            promised = {name for name, home in listed.items() if home == shard}
            if found != promised:
                raise UserError(f"{shard} and {index.name} disagree about {describe(found ^ promised)} tensors")


def describe(names: set[str]) -> str:
    """A count and the first names, for a message of one line."""
    first = ", ".join(name if name.isprintable() else repr(name) for name in sorted(names)[:3])
    return f"{len(names)} ({first}{', ...' if len(names) > 3 else ''})"


def _resolve(path: Path) -> Path:
    if path.suffix in PICKLES:
        raise UserError(
            f"{path.name} is a pickle, which can run code; only safetensors are loaded; "
            f"`{command(f'models convert {path}')}` converts it"
        )
    if not path.is_dir():
        return path
    found = sorted(path.glob(f"*{INDEX_SUFFIX}")) or sorted(path.glob("*.safetensors"))
    if len(found) != 1:
        raise UserError(f"{path} contains {len(found)} checkpoints instead of one; name the file itself")
    return found[0]
