"""The index of a checkpoint in shards."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from streamvace.system.errors import UserError


class _Index(BaseModel):
    """weight_map: file name of the shard of each tensor."""

    weight_map: dict[str, str]


def shard_of_each(index: Path) -> dict[str, str]:
    """The file name of each tensor's shard, as the index says. Raises UserError for an unreadable or damaged index."""
    try:
        return _Index.model_validate_json(index.read_bytes()).weight_map
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"{'.'.join(map(str, first['loc']))}: {first['msg']}".removeprefix(": ")
        raise UserError(f"cannot read the index {index}: {what}; it is damaged, download it again") from error
    except OSError as error:
        raise UserError(f"cannot read the index {index}: {error}; check the path") from error
