"""Words for a person: coloured and with a moving status line on a terminal, plain when piped."""

import os
import shutil
import sys
from collections.abc import Callable
from typing import NoReturn
from unicodedata import category

INTERRUPTED = 130
"""What a shell reports of a program that Ctrl-C ended."""

_READER_GONE = 141
_CODES = {"bold": "1", "dim": "2", "green": "32", "red": "31"}


def is_terminal() -> bool:
    """Tell whether a person is watching."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def styled(text: str, style: str) -> str:
    """Colour a text on a terminal that wants colours."""
    if not is_terminal() or "NO_COLOR" in os.environ:
        return text
    return f"\033[{_CODES[style]}m{text}\033[0m"


def harmless(text: str) -> str:
    """Write out the control characters of somebody else's text, for a terminal would obey them."""
    return "".join(repr(character)[1:-1] if category(character) == "Cc" else character for character in text)


def say(text: str = "") -> None:
    """Print a line at once."""
    clear_status()
    print(text, flush=True)


def heading(text: str) -> None:
    """Print the title of a part."""
    say()
    say(styled(text, "bold"))


def status(text: str) -> None:
    """Show what is going on now, in one line that the next one overwrites; nothing when piped."""
    if is_terminal():
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write(f"\r\033[K{text[:width]}")
        sys.stdout.flush()


def clear_status() -> None:
    """Wipe the status line."""
    if is_terminal():
        sys.stdout.write("\r\033[K")


def exit_after(main: Callable[[], int]) -> NoReturn:
    """Run a program; a reader that has seen enough, such as `head`, ends it without a word."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at the end, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = _READER_GONE
    sys.exit(code)
