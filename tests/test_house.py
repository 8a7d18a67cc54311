"""Promises about the house itself: who may know whom, and what no file may do. Read from the source, nothing is run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "streamvace"

LONGEST_FILE = 450

CUDA_ONLY = {"sageattention", "flash_attn", "flash_attn_interface", "triton", "xformers", "cupy", "pynvml", "tensorrt"}

HOST = {"td"}
"""What TouchDesigner provides to what runs inside it."""

FORBIDDEN: dict[str, tuple[str, ...]] = {
    "model": ("live", "video", "osc", "web", "cli"),
    "conditioning": ("live", "video", "osc", "web", "cli"),
    "embedded": ("live", "video", "osc", "web", "cli"),
    "video": ("model", "conditioning", "generator", "live", "osc", "web", "cli"),
    "osc": ("model", "conditioning", "generator", "video", "web", "cli"),
    "web": ("model", "conditioning", "generator", "live", "cli"),
}
"""Room -> rooms it must not import from."""

ALLOWED = {("video", "streamvace.world.pattern_stream")}
"""video knows nothing of the model, but the built-in control pattern is drawn by the embedded model's world."""


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(node: ast.AST, *, anywhere: bool) -> Iterator[str]:
    """Absolute dotted names imported at module level, or anywhere. Type-checking blocks do not count: nothing runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            # with the imported name: `from streamvace import model` imports streamvace.model
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        elif anywhere or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from imports(child, anywhere=anywhere)


def within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_knows_only_the_rooms_it_may(room: str) -> None:
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(PACKAGE / room)
        for name in imports(parse(path), anywhere=True)
        for other in FORBIDDEN[room]
        if within(name, f"streamvace.{other}") and not any(room == r and within(name, m) for r, m in ALLOWED)
    ]
    assert broken == []


def test_video_osc_and_web_take_only_the_pattern_from_the_embedded_model() -> None:
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for room in ("video", "osc", "web")
        for path in python_files(PACKAGE / room)
        for name in imports(parse(path), anywhere=True)
        if within(name, "streamvace.embedded") and not any(room == r and within(name, m) for r, m in ALLOWED)
    ]
    assert broken == []


@pytest.mark.parametrize("folder", ["plugin", "osc_schema"])
def test_what_runs_without_an_installation_needs_only_the_standard_library(folder: str) -> None:
    files = python_files(ROOT / folder)
    # a package among them counts by its folder; the component reads the address space, which obeys the same rule
    own = {path.stem for path in files} | {path.parent.name for path in files} | {"__future__", "osc_schema"}
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imports(parse(path), anywhere=True)
        if name.partition(".")[0] not in own | HOST | sys.stdlib_module_names
    ]
    assert broken == []


def test_no_module_needs_a_cuda_package_to_be_imported() -> None:
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in python_files(PACKAGE)
        for name in imports(parse(path), anywhere=False)
        if name.partition(".")[0] in CUDA_ONLY
    ]
    assert broken == []


def test_no_import_is_relative() -> None:
    broken = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files(PACKAGE)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert broken == []


def test_no_file_is_long() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in python_files(PACKAGE)}
    assert {str(path.relative_to(ROOT)): lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_weights_are_never_unpickled() -> None:
    """safetensors only: torch.load and pickle run what a downloaded file tells them to. The training program may read
    its own checkpoints back and `models convert` other people's, both only with weights_only=True."""
    readers = (PACKAGE / "embedded" / "train", PACKAGE / "models" / "convert.py")
    broken = []
    for path in python_files(PACKAGE):
        reader = any(allowed in (path, *path.parents) for allowed in readers)
        for node in ast.walk(parse(path)):
            where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "pickle.load", "pickle.loads"):
                safe = any(word.arg == "weights_only" and ast.unparse(word.value) == "True" for word in node.keywords)
                broken += [] if reader and safe else [where]
            if isinstance(node, ast.ImportFrom) and node.module in ("pickle", "torch"):
                broken += [where for alias in node.names if "load" in alias.name]
    assert broken == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for folder in (PACKAGE, ROOT / "plugin", ROOT / "osc_schema")
        for path in python_files(folder)
        if path.read_text("utf-8").strip() and ast.get_docstring(parse(path)) is None
    ]
    assert silent == []
