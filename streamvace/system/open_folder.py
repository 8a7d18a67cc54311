"""Shows a folder in the system's file manager."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from streamvace.system.errors import UserError

_OPENERS = {"darwin": "open", "linux": "xdg-open"}


def open_folder(folder: Path) -> None:
    """Open the folder in a window of its own; does not wait for it. Raises UserError where there is no file manager."""
    if sys.platform == "win32":
        os.startfile(folder)
        return
    opener = shutil.which(_OPENERS.get(sys.platform, "xdg-open"))
    if opener is None:
        raise UserError(f"no file manager was found on this machine; the folder is {folder}")
    subprocess.Popen(
        [opener, str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
