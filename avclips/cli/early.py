"""Ctrl-C before a command listens to signals itself: while Python imports what the command needs.

Written so that old Pythons can read it too. It imports next to nothing: what it waits for would not be covered.
"""

import os
import signal


def leave_quietly():  # type: () -> None
    """Until a command takes signals itself, Ctrl-C ends this program with a line in place of a traceback.

    For programs, not for libraries: of a program that has a handler of its own, that one stays.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def _leave(number, frame):  # type: (int, object) -> None
    try:
        os.write(2, b"Stopped by SIGINT; nothing was begun.\n")
    finally:
        # Not by an exception: modules that are half imported would make others of it.
        os._exit(128 + number)
