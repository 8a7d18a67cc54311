"""`python -m streamvace`: the same as the `streamvace` command, for environments whose scripts are not on the path."""

import sys

from streamvace.cli import main

if __name__ == "__main__":
    sys.exit(main())
