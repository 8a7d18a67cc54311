"""plugin/ is not a package: it runs before anything is installed. Running a script there puts it on the path; so does
this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugin"))
