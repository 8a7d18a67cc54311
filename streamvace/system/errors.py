"""The one error that is meant for the user."""

from __future__ import annotations

import errno


class UserError(Exception):
    """Something the user can fix.

    The message is one line that names what was asked for, what was found, and the fix. The command line prints it
    without a traceback and exits with code 2; a running show reports it over OSC and continues.
    """

    def __init__(self, line: str, fix: str = "") -> None:
        """fix: the command of the line that fixes it, for surfaces where it can be copied."""
        super().__init__(line)
        self.fix = fix


def line_for_user(error: Exception) -> str:
    """A UserError's line, or one about a limit on threads and processes, which any part can meet; empty for a fault."""
    if isinstance(error, UserError):
        return str(error)
    if str(error) == "can't start new thread" or getattr(error, "errno", None) == errno.EAGAIN:
        return f"the system allows no further thread or process ({error}); end other programs, or raise its limit"
    return ""
