"""plugin/ is no package of ours but a folder on TouchDesigner's path; here too."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(folder) for folder in (ROOT / "plugin", ROOT) if str(folder) not in sys.path]
