"""`python venv_stand_in.py FOLDER`: an environment as `python -m venv` makes it on Windows, for a Python without venv.

The embeddable Python has no venv. Like Windows' own: Scripts instead of bin, names with .exe, files instead of links.
Unlike it, the interpreter is copied with its libraries instead of started by a small program, and the packages are
those of the Python that runs this, so that an installation into it needs no network.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path


def main(folder: Path) -> None:
    base = Path(sys.base_prefix)
    scripts, packages = folder / "Scripts", folder / "Lib" / "site-packages"
    for made in (scripts, packages):
        made.mkdir(parents=True)
    for file in base.iterdir():
        if file.suffix in (".exe", ".dll"):
            shutil.copy(file, scripts)
    version = ".".join(map(str, sys.version_info[:3]))
    (folder / "pyvenv.cfg").write_text(
        f"home = {base}\ninclude-system-site-packages = false\nversion = {version}\n", "utf-8"
    )
    (packages / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
