"""The one error a user is meant to read."""


class UserError(Exception):
    """Something the user can mend.

    The message is one line that names both values (what was asked, what is there) and the mend. The command line
    prints it without a traceback and exits with code 2; the live process reports it over OSC and carries on.
    """
