"""Small published networks for controls and masks: where their files are, and one runner per file format.

The runtimes are optional and imported on use. A missing runtime or file raises UserError with the fix.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command, install_command

Floats = NDArray[np.float32]

VISION = "vision"
"""The subfolder of these files in the models folder."""

_THREADS = 1
"""A control runs beside the model: a second thread would save little and cost the model a core."""


@dataclass(frozen=True)
class Networks:
    """Where to load networks from.

    folder: the models folder. device: the torch device of the networks that run in torch; auto: a GPU if there is one.
    detector: a detector's .onnx file, or None. say: receives one line about an optional network that is missing; called
    from any thread.
    """

    folder: Path
    device: str = "cpu"
    detector: Path | None = None
    say: Callable[[str], None] = lambda line: None

    def place(self, name: str) -> Path:
        """The path of a file or folder of this name; it may not exist."""
        return self.folder / VISION / name

    def find(self, name: str, what: str) -> Path:
        """The path of an existing file. what: what needs it, for the message. Raises UserError if it is missing."""
        path = self.place(name)
        if not path.exists():
            fix = command("models pull vision")
            raise UserError(f"{what} needs {name}, which is not in {path.parent}; `{fix}`", fix)
        return path

    def lack(self, what: str, names: Iterable[str]) -> UserError | None:
        """Why LiteRT could not run these files for `what`, as loading them would say it; None if it could. Loads
        nothing."""
        try:
            for name in names:
                self.find(name, what)
        except UserError as error:
            return error
        return None if find_spec(_LITE_RUNTIME) else _not_installed(what, "LiteRT", f"no module {_LITE_RUNTIME}")


def torch_device(device: str) -> str:
    """The name of a torch device, with `auto` resolved."""
    import torch

    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


_LITE_RUNTIME = "ai_edge_litert"


_REDISTRIBUTABLE = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
"""Microsoft's page for it. LiteRT needs a part of it that is newer than those which other programs bring along."""


def _not_installed(what: str, library: str, why: str) -> UserError:
    fix = install_command("vision")
    return UserError(f"{what} needs {library} ({why}); `{fix}`", fix)


def _does_not_load(what: str, library: str, error: ImportError) -> UserError:
    """Why a library cannot be imported, and the fix."""
    if sys.platform == "win32" and not isinstance(error, ModuleNotFoundError):
        return UserError(
            f"{what} needs {library}, which is installed and does not load ({error}); install the newest Visual C++ "
            f"Redistributable: {_REDISTRIBUTABLE}"
        )
    return _not_installed(what, library, str(error))


class LiteNetwork:
    """A .tflite file run by LiteRT (the `vision` extra). Raises UserError if LiteRT is missing or the file is bad."""

    def __init__(self, path: Path) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise _does_not_load(path.name, "LiteRT", error) from None
        try:
            self._run: Any = Interpreter(model_path=str(path), num_threads=_THREADS)
            self._run.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            first = str(error).partition("\n")[0][:200]
            raise UserError(f"{path} does not load: {first}; `{command('models pull vision --again')}`") from error
        (inputs,) = self._run.get_input_details()
        self._input = inputs["index"]
        self._outputs = [each["index"] for each in self._run.get_output_details()]
        self.height, self.width = int(inputs["shape"][1]), int(inputs["shape"][2])

    def __call__(self, picture: Floats) -> list[Floats]:
        """Run on float32 `[height, width, 3]`, scaled as the network expects; returns copies of all outputs."""
        self._run.set_tensor(self._input, picture[None])
        self._run.invoke()
        return [np.array(self._run.get_tensor(index), dtype=np.float32) for index in self._outputs]


class OnnxNetwork:
    """An .onnx file with one picture as input, run by ONNX Runtime (the `vision` extra).

    size: (width, height) of the input, 0 if dynamic. names: the class names in the file's metadata, as text.
    Raises UserError if ONNX Runtime is missing or the file is invalid.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise _does_not_load(path.name, "ONNX Runtime", error) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = _THREADS
        options.log_severity_level = _ERRORS_ONLY
        here = [name for name in _PROVIDERS if name in onnxruntime.get_available_providers()]
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=here)
        except Exception as error:
            first = " ".join(str(error).split())[:200]
            raise UserError(f"detector {path.name} does not load: {first}; export it as ONNX again") from error
        (self._input, *_) = self._session.get_inputs()
        shape = [side if isinstance(side, int) else 0 for side in self._input.shape]
        if len(shape) != 4:
            raise UserError(f"{path.name} takes an input of shape {self._input.shape}, not a picture [1, 3, H, W]")
        self.size = shape[3], shape[2]
        self.names: str = self._session.get_modelmeta().custom_metadata_map.get("names", "")

    def __call__(self, blob: Floats) -> list[Floats]:
        """Run on float32 `[1, 3, H, W]`; returns all outputs."""
        return [np.asarray(each, dtype=np.float32) for each in self._session.run(None, {self._input.name: blob})]


_ERRORS_ONLY = 3
"""ONNX Runtime's log level; its warnings concern only the exporter's choices."""

_PROVIDERS = ("CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider", "CPUExecutionProvider")
"""Execution providers, fastest first; a plain installation has only the last one."""
