"""`python -m streamvace`, and the `streamvace` command."""

import sys


def main() -> int:
    """Run the command line. Ctrl-C while it is being loaded ends it without a traceback."""
    try:
        from streamvace.cli import main as run
    except KeyboardInterrupt:
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
