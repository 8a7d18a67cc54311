"""Rules of the source tree: which room imports which, and what no file may do. Reads the source, runs nothing."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "streamvace"

LONGEST_FILE = 450

CUDA_ONLY = {"sageattention", "flash_attn", "flash_attn_interface", "triton", "xformers", "cupy", "pynvml", "tensorrt"}

HOST = {"td"}
"""Modules that TouchDesigner provides to scripts inside it."""

ROOMS: dict[str, tuple[str, ...]] = {
    "system": (),
    "records": (),
    "telemetry": ("records", "system"),
    "control": ("osc_schema", "records", "system", "telemetry"),
    "osc": ("osc_schema", "control", "system"),
    "midi": ("osc_schema", "control", "system"),
    "dmx": ("osc_schema", "midi", "system"),
    "modulators": ("osc_schema", "control", "system"),
    "sound": ("system",),
    "web": ("osc_schema", "records", "system"),
    "layouts": ("osc_schema", "system"),
    "model.autoencoder": (),
    "model": ("system",),
    "conditioning.controls": ("system",),
    "conditioning.masks": ("conditioning.controls", "system"),
    "conditioning": ("conditioning.controls", "conditioning.masks", "model", "model.autoencoder", "records"),
    "world": (),
    "models": ("conditioning.controls", "model", "model.autoencoder", "system"),
    "costs": ("model", "model.autoencoder"),
    "stream": ("conditioning", "world", "model", "model.autoencoder", "models", "records", "system"),
    "parity": ("conditioning", "model", "model.autoencoder", "records", "stream", "system"),
    "video.core": ("records", "system"),
    "effects": ("video.core",),
    "embedded.train": ("conditioning", "world", "model", "model.autoencoder", "stream", "system"),
    "embedded.evaluation": (
        *("conditioning", "effects", "embedded.train", "world", "model", "model.autoencoder", "records", "stream"),
        *("system", "telemetry", "video.core"),
    ),
    "embedded": ("embedded.evaluation", "embedded.train", "world"),
    "video.film": ("records", "system", "video.core"),
    "video.ndi": ("records", "system", "video.core"),
    "video.spout": ("records", "system", "video.core"),
    "video.syphon": ("records", "system", "video.core"),
    "video.window": ("records", "system", "video.core"),
    "video": (
        *("world", "records", "system", "video.core", "video.film", "video.ndi", "video.spout"),
        *("video.syphon", "video.window"),
    ),
    "live.inputs": ("osc_schema", "control", "records", "system", "telemetry", "video", "video.film"),
    "live.worker": ("control", "records", "stream", "system", "telemetry"),
    "live.output": (
        *("control", "effects", "live.worker", "records", "system", "telemetry", "video", "video.core"),
        *("video.film", "video.window"),
    ),
    "live.signals": (
        *("conditioning", "conditioning.controls", "conditioning.masks", "control", "live.inputs", "live.output"),
        *("records", "system", "telemetry", "video", "video.core"),
    ),
    "live.director": (
        *("osc_schema", "conditioning", "conditioning.masks", "control", "live.inputs", "live.signals"),
        *("live.worker", "records", "system", "telemetry", "video.core"),
    ),
    "live.show_log": ("control", "live.director", "live.worker", "records", "system"),
    "live.surfaces": ("osc_schema", "control", "live.worker", "osc", "system", "telemetry"),
    "live": (
        *("osc_schema", "conditioning.controls", "control", "dmx", "effects", "live.director", "live.inputs"),
        *("live.output", "live.show_log", "live.signals", "live.surfaces", "live.worker", "midi", "model", "models"),
        *("modulators", "osc", "records", "sound", "system", "telemetry", "video", "video.core", "video.film"),
        *("video.syphon", "web"),
    ),
    "live.offline": (
        *("osc_schema", "conditioning", "conditioning.controls", "conditioning.masks", "control", "effects", "live"),
        *("live.director", "live.inputs", "live.show_log", "live.signals", "live.worker", "models", "modulators"),
        *("records", "system", "telemetry", "video.core", "video.film"),
    ),
    "doctor": (
        *("conditioning.controls", "costs", "live", "model", "models", "records", "sound", "stream", "system", "video"),
        *("video.ndi", "video.window"),
    ),
    "bench": (
        *("conditioning.controls", "costs", "doctor", "embedded.evaluation", "model", "model.autoencoder", "models"),
        *("parity", "records", "stream", "system", "world"),
    ),
}
"""Room -> the rooms that its modules may import. A room is a folder of the package without its subfolders. In order:
every room comes after those that it imports."""

ON_TOP = {"__init__", "__main__", "brief_help", "cli", "shared_options"}
"""Modules outside the rooms: they start everything and may import all rooms."""


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(node: ast.AST, *, anywhere: bool) -> Iterator[str]:
    """Absolute dotted names imported at module level, or anywhere. Type-checking blocks never run and do not count."""
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


def folder_of(room: str) -> Path:
    return PACKAGE.joinpath(*room.split("."))


def room_of(name: str) -> str | None:
    """The room of an imported name; None outside the package, and for the package itself."""
    if within(name, "osc_schema"):
        return "osc_schema"
    package, _, inside = name.partition(".")
    parts = inside.split(".") if package == PACKAGE.name else []
    while parts and not PACKAGE.joinpath(*parts).is_dir():
        parts.pop()
    return ".".join(parts) or None


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_it_may(room: str) -> None:
    may = {room, *ROOMS[room]}
    broken = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted(folder_of(room).glob("*.py"))
        for name in imports(parse(path), anywhere=True)
        if (found := room_of(name)) is not None and found not in may
    ]
    assert broken == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_every_room_that_it_may(room: str) -> None:
    """An unused permission would hide the first use of it."""
    used = {room_of(name) for path in folder_of(room).glob("*.py") for name in imports(parse(path), anywhere=True)}
    assert set(ROOMS[room]) - used == set()


def test_every_folder_is_a_room_and_every_room_a_folder() -> None:
    folders = {path.parent for path in python_files(PACKAGE)} - {PACKAGE}
    assert {".".join(folder.relative_to(PACKAGE).parts) for folder in folders} == set(ROOMS)


def test_no_module_is_outside_the_rooms() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == ON_TOP


def test_no_room_imports_a_room_that_comes_after_it() -> None:
    order = ["osc_schema", *ROOMS]
    up = [
        f"{room} imports {other}"
        for room, below in ROOMS.items()
        for other in below
        if order.index(other) >= order.index(room)
    ]
    assert up == []


def test_the_documentation_lists_the_same_rooms() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| `(?:streamvace/)?([\w/]+)/` \|[^|]*\| ([^|]*) \|$", text, re.MULTILINE)
    listed = {
        room.replace("/", "."): {word.replace("/", ".") for word in re.findall(r"[\w/]+", may)} for room, may in rows
    }
    assert listed == {room: set(may) for room, may in ROOMS.items()}


@pytest.mark.parametrize("folder", ["plugin", "osc_schema"])
def test_what_runs_without_an_installation_needs_only_the_standard_library(folder: str) -> None:
    files = python_files(ROOT / folder)
    # a package counts by its folder; the component also reads osc_schema, which obeys the same rule
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


def test_a_finished_file_gets_its_name_with_patience() -> None:
    """A scanner holds a new file for a moment on Windows: os.replace fails then, and the work is lost. The cache of
    prompts can do without one."""
    patient = {Path("system/files.py"), Path("model/prompt_cache.py")}
    calls = {
        path.relative_to(PACKAGE)
        for path in python_files(PACKAGE)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and _renames(node)
    }
    assert calls == patient


def _renames(call: ast.Call) -> bool:
    """Whether it is os.replace, os.rename, Path.replace or Path.rename. A text is replaced by a second one, and
    dataclasses.replace names its values."""
    name = ast.unparse(call.func)
    one = len(call.args) == 1 and not call.keywords and isinstance(call.func, ast.Attribute)
    return name in ("os.replace", "os.rename") or (one and name.endswith((".replace", ".rename")))


def test_weights_are_never_unpickled() -> None:
    """safetensors only: torch.load and pickle can run code from a downloaded file. The training program may read its
    own checkpoints and `models convert` those of others, both only with weights_only=True."""
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
