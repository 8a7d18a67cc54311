"""Small published networks for controls and masks: where their files lie, and one way to run each kind of file.

Nothing here is needed to import streamvace. What is missing raises UserError with the mend, when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command, install_command

Floats = NDArray[np.float32]

VISION = "vision"
"""The folder of these files inside the models folder."""

_THREADS = 1
"""A control runs beside the show: a second thread would save it little and cost the model a core."""


@dataclass(frozen=True)
class Networks:
    """What is there to load from.

    folder: the models folder. device: torch device for the networks that run in torch; auto: a GPU where there is one.
    detector: a detector's .onnx file, or None. say: takes one line about what is missing where something
    goes on without it; from any thread.
    """

    folder: Path
    device: str = "cpu"
    detector: Path | None = None
    say: Callable[[str], None] = lambda line: None

    def place(self, name: str) -> Path:
        """Where a file or folder of that name lies, or would lie."""
        return self.folder / VISION / name

    def find(self, name: str, what: str) -> Path:
        """The same, or UserError when it isn't there. what: what needs it, for the message."""
        path = self.place(name)
        if not path.exists():
            raise UserError(f"{what} needs {name}, which is not in {path.parent}; `{command('models pull vision')}`")
        return path


def torch_device(device: str) -> str:
    """A device's name, `auto` decided."""
    import torch

    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


class LiteNetwork:
    """A .tflite file run by LiteRT (the `vision` extra). Raises UserError where that is missing or the file is bad."""

    def __init__(self, path: Path) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise UserError(f"{path.name} needs LiteRT ({error}); {install_command('vision')}") from None
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
        """float32 `[height, width, 3]`, scaled as the network wants it; every output, copied."""
        self._run.set_tensor(self._input, picture[None])
        self._run.invoke()
        return [np.array(self._run.get_tensor(index), dtype=np.float32) for index in self._outputs]


class OnnxNetwork:
    """An .onnx file with one picture in, run by ONNX Runtime (the `vision` extra). Raises UserError where that is
    missing or the file is bad.

    size: (width, height) of its input, 0 where it is free. names: the class names its maker wrote into it, as text.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError(f"{path.name} needs ONNX Runtime ({error}); {install_command('vision')}") from None
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
        """float32 `[1, 3, H, W]`; every output."""
        return [np.asarray(each, dtype=np.float32) for each in self._session.run(None, {self._input.name: blob})]


_ERRORS_ONLY = 3
"""ONNX Runtime's log level: its warnings are about the exporter's choices."""

_PROVIDERS = ("CUDAExecutionProvider", "DmlExecutionProvider", "CoreMLExecutionProvider", "CPUExecutionProvider")
"""What may run it, the fastest first; a plain installation has the last one only."""
