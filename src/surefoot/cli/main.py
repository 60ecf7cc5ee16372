"""`surefoot`: the commands in the order in which people need them, and one place where errors end."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from surefoot import __version__
from surefoot.cli import care, craft, failures, judge, lesson, look, packing, preview, ship, start, walk
from surefoot.cli.arguments import STEPS, arrange
from surefoot.cli.screen import aimed, show, tell

Command = Callable[..., None]
EPILOG = "Exit codes: 0 done, 1 failure, 2 usage, 3 bad data, 4 a gate stopped the road, 5 out of disk, memory or budget, 130 interrupted."

app = typer.Typer(
    name="surefoot",
    help="Deep learning, one sure step at a time: from a question and a pile of data to a tested, exported model.",
    epilog=EPILOG,
    rich_markup_mode=None,  # plain help answers in half the time
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 120},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        show(__version__)
        raise typer.Exit


@app.callback()
def surefoot(
    context: typer.Context,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask; may stand anywhere.")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which Surefoot this is.")] = False,
) -> None:
    """Reads what stands before the command."""
    context.obj = {"no_input": no_input}


FIRST: dict[str, Command] = {"demo": start.demo, "init": start.init, "run": walk.run}
WALKED: dict[str, Command] = {name: walk.make_step(name) for name in STEPS} | {"audit": walk.fix_audit, "test": walk.open_test, "errors": walk.tabulate_errors}
del WALKED["serve"]  # `surefoot serve` serves a bundle; the step of that name is walked by `run`
LAST: dict[str, Command] = {
    "status": look.status, "report": look.report, "sheet": look.sheet, "runs": look.runs, "compare": look.compare,
    "human": judge.human, "tag": judge.tag, "review": judge.review,
    "predict": ship.predict, "serve": ship.serve, "pack": packing.pack,
    "layers": craft.layers, "schedule": preview.schedule, "lesson": lesson.lesson, "check": craft.check, "eject": craft.eject, "parts": craft.parts,
    "doctor": care.doctor, "clean": care.clean, "version": care.version,
}  # fmt: skip

for name, command in (FIRST | WALKED | LAST).items():
    app.command(name, help=STEPS[name] if name in WALKED else None)(aimed(command))


def main(words: list[str] | None = None) -> int:
    """Runs one command line; returns its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a name may hold letters that a console of another code page, or a file on Windows, has none of
        sys.stdout.reconfigure(errors="backslashreplace")
    words = arrange(sys.argv[1:] if words is None else words) or ["--help"]
    as_json = "--json" in words
    try:
        code = typer.main.get_command(app).main(words, prog_name="surefoot", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort) as error:
        if isinstance(error.__cause__, EOFError):  # a file that ends too early; Typer takes it for the end of the keyboard
            return failures.report(error.__cause__, as_json=as_json)
        code = failures.INTERRUPTED
    except SystemExit as error:
        if not failures.is_theirs(error.__traceback__):
            raise  # the shell's completion and the server end so
        return failures.report(error, as_json=as_json)
    except Exception as error:
        return failures.report(error, as_json=as_json)
    if code == failures.INTERRUPTED:
        tell(f"\nInterrupted. What was done is kept; this goes on from there: surefoot {' '.join(map(_quoted, words))}")
    return code if isinstance(code, int) else 0


def _quoted(word: str) -> str:
    import shlex

    return shlex.quote(word)
