"""The one error that is meant for the user."""


class UserError(Exception):
    """Something the user can fix.

    The message is one line that names what was asked for, what was found, and the fix. The command line prints it
    without a traceback and exits with code 2; a running show reports it over OSC and continues.
    """
