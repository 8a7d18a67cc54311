"""plugin/ is no package: it is what runs before anything is installed. Its tests put it on the path as Python does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugin"))
