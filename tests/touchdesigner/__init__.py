"""plugin/ is a folder on TouchDesigner's module path, not a package; these tests put it on theirs."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(folder) for folder in (ROOT / "plugin", ROOT) if str(folder) not in sys.path]
