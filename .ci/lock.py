"""Writes requirements.lock: every library of every extra, with exact versions and hashes, for all systems and Pythons.

    python .ci/lock.py               follow a change of pyproject.toml, and keep the other versions
    python .ci/lock.py --upgrade     take the newest versions that the ranges allow

It needs uv (`pip install uv`). PyTorch and its CUDA libraries are not in the lock: `plugin/torch_build.py` chooses
them. Every library has a line with the extras that need it, so that the bootstrap installs only those.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "plugin"))

from install_plan import BASE, LOCK, OLDEST_PYTHON
from torch_build import TORCH

CHOSEN_ELSEWHERE = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
"""PyTorch, and what only its CUDA builds for Linux need."""

BUILDING = "hatchling>=1.24,<2\neditables"
"""What builds streamvace's own package. pip would fetch it without hashes."""

HELD_BACK = "backports-strenum<1.3"
"""1.3 refuses Python 3.11 and newer, which ai-edge-litert asks for it all the same. uv takes no notice of the newest
Python that a library allows, so it would choose 1.3 for every Python, and no newer Python could install the lock."""

HEADER = f"""\
# Made by `python .ci/lock.py`; do not edit. What `plugin/bootstrap.py` installs beside PyTorch, and what the tests ran
# on. Before each library: the extras that need it; `{BASE}` is every installation.
"""


def extras_of(project: str) -> list[str]:
    """Names of the optional dependencies in the text of pyproject.toml."""
    table = project.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    return re.findall(r"^([a-z0-9]+) = \[", table, re.MULTILINE)


def compiled(*options: str, also: str = "") -> str:
    """What uv resolves for pyproject.toml with these options, as a requirements file. also: one more requirement."""
    common = ("--universal", "--python-version", ".".join(map(str, OLDEST_PYTHON)), "--no-annotate", "--no-header")
    command = ["uv", "pip", "compile", "pyproject.toml", "-", *common, "--quiet", *options]
    given = f"{BUILDING}\n{also}\ntorch=={TORCH}\n"
    return subprocess.run(command, cwd=ROOT, input=given, text=True, check=True, stdout=subprocess.PIPE).stdout


def names(requirements: str) -> set[str]:
    """Names of the libraries in a requirements file."""
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", requirements, re.MULTILINE))


def with_extras(requirements: str, needed: dict[str, set[str]]) -> str:
    """The lock's text. requirements: all of them, with hashes. needed: libraries of each extra and of BASE."""
    blocks = re.split(r"^(?=\S)", requirements, flags=re.MULTILINE)
    rows = [HEADER]
    for block in filter(None, blocks):
        name = block.partition("==")[0]
        if CHOSEN_ELSEWHERE.fullmatch(name) is None:
            users = [BASE] if name in needed[BASE] else sorted(extra for extra in needed if name in needed[extra])
            rows.append(f"# {', '.join(users)}\n{block}")
    return "".join(rows)


def main(arguments: list[str]) -> int:
    # It reads the file that it writes, and so keeps its versions.
    compiled("--all-extras", "--generate-hashes", "--output-file", LOCK, *arguments, also=HELD_BACK)
    every = (ROOT / LOCK).read_text("utf-8")
    extras = extras_of((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = {extra: names(compiled("--constraint", LOCK, "--extra", extra)) for extra in extras}
    needed[BASE] = names(compiled("--constraint", LOCK))
    (ROOT / LOCK).write_text(with_extras(every, needed), "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
