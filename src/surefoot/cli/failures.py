"""The one renderer of errors: three parts on stderr, or JSON on stdout, and the exit code that belongs to them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import traceback
from types import TracebackType

INTERRUPTED = 130
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}


def report(error: BaseException, *, as_json: bool = False, next: str = "") -> int:
    """Shows an error to whoever gave the command.

    Args:
        error: anything that was raised. What Surefoot raises on purpose has three parts; the user's own code keeps its traceback.
        as_json: write `{"error": {"what", "where", "next"}}` to stdout.
        next: what to do about an error that says nothing itself.

    Returns:
        The exit code.
    """
    from surefoot.types.errors import SurefootError

    error = _blame_machine(error) or error
    if isinstance(error, SurefootError):
        return _tell(type(error).__name__, (error.what, error.where, error.next), as_json, error.exit_code)
    if hasattr(error, "format_message"):  # Typer's own: the command line was wrong
        return _tell("UsageError", _explain_usage(error), as_json, 2)
    traceback.print_exception(error)
    written = _misspelt_place(error)
    if written or is_theirs(error.__traceback__):
        parts = (
            f"{type(error).__name__}: {error}",
            written or _last_place(error.__traceback__),
            next or "This was raised in your own code; the traceback above leads there.",
        )
        return _tell("", parts, as_json, 1)
    what = f"{type(error).__name__}: {error}"
    advice = "This is a defect of Surefoot. Please report it with the traceback above and what `surefoot doctor` says."
    return _tell("Unexpected", (what, _last_place(error.__traceback__), advice), as_json, 1)


def _blame_machine(error: BaseException) -> BaseException | None:
    """What the machine refused, in three parts: memory, room or permission; None where it is something else, or in the user's own code."""
    from surefoot.types.errors import ResourceError, SurefootError

    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "not enough memory" in str(error):  # PyTorch's own two
        return ResourceError("The memory is used up.", next="Set a smaller train.batch_size, data.side or budget, then go on.")
    if not isinstance(error, OSError) or error.errno not in _FULL | _DENIED or is_theirs(error.__traceback__):
        return None
    what, where = f"{error.strerror}.", str(error.filename or "")
    if error.errno in _FULL:
        return ResourceError(what, where=where, next="Free some space, then give the same command again.")
    return SurefootError(what, where=where, next="Check the permissions, or name a folder that can be written.")


def _tell(name: str, parts: tuple[str, str, str], as_json: bool, code: int) -> int:
    what, where, then = parts
    if as_json:
        print(json.dumps({"error": {"what": what, "where": where, "next": then}}, indent=2), flush=True)
        return code
    head = f"{name}: {what}" if name else what
    lines = [_painted(head), *([f"  where: {where}"] if where else []), *([f"  next:  {then}"] if then else [])]
    with contextlib.suppress(BrokenPipeError):
        print("\n".join(lines), file=sys.stderr, flush=True)
    return code


def _painted(head: str) -> str:
    """The name of the error in red, where a person sees it and did not ask for NO_COLOR."""
    name, colon, rest = head.partition(":")
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return head
    return f"\033[31;1m{name}\033[0m{colon}{rest}"


def _explain_usage(error: BaseException) -> tuple[str, str, str]:
    """Typer's message, which suggests the nearest spelling, in three parts."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "surefoot"
    return error.format_message(), path, f"`{path} --help` says what there is."  # type: ignore[attr-defined]


def is_theirs(place: TracebackType | None) -> bool:
    """Whether the error arose in, or below, a file of the user's."""
    while place is not None:
        if place.tb_frame.f_globals.get("__name__", "").startswith("surefoot_user_"):
            return True
        place = place.tb_next
    return False


def _misspelt_place(error: BaseException) -> str:
    """File and line of what Python can't parse, where the file is none of ours; it never ran, so no frame leads there."""
    from surefoot import __file__ as ours

    if not isinstance(error, SyntaxError) or not error.filename or error.filename.startswith((os.path.dirname(ours), "<")):
        return ""
    return f"{error.filename}:{error.lineno}"


def _last_place(place: TracebackType | None) -> str:
    """File and line of the innermost frame."""
    frames = traceback.extract_tb(place)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
