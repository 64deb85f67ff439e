"""Printing to a terminal: other people's text without control characters, faults as sentences, silence if nobody reads."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator

# Control characters but tab and newline (ESC begins a terminal's commands, C1 has them in one character), characters that turn
# the direction of writing or break a line unseen, zero-width and tag characters, unpaired surrogates. The joiners
# U+200C and U+200D stay: Persian, the scripts of India and emoji are written with them.
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
READER_GONE = 141  # a shell's exit status for a command that a closed pipe has ended: 128 + SIGPIPE


def shown(text: str) -> str:
    r"""Returns `text` with each character that a terminal would obey, or hide, as its code: `\x1b`, `\u202e`."""
    return OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def say(*lines: object, end: str = "\n") -> None:
    """Prints each of `lines` on its own, as `shown` has it. All text that may quote a file is printed by this."""
    print(*(shown(str(line)) for line in lines), sep="\n", end=end, flush=True)


@contextlib.contextmanager
def door(prefix: str) -> Iterator[None]:
    """Ends the process with a sentence, not a traceback, where the body raises a ValueError or a RuntimeError.

    A closed pipe, as `head -1` leaves after a line, is no fault and ends the process silently.

    Args:
      prefix: begins the sentence.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="backslashreplace")  # a terminal that has no such character shows its code
    try:
        try:
            yield
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except (ValueError, RuntimeError) as error:
        sys.exit(shown(f"{prefix}{error}"))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the text that Python still writes as it exits
        sys.exit(READER_GONE)
