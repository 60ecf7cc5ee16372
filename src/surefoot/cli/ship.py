"""Commands that use a bundle: predict, serve."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.screen import tell

Bundle = Annotated[str, typer.Argument(help="A bundle, or the folder of a project that exported one.")]
Inputs = Annotated[list[str], typer.Argument(metavar="INPUT...", help="Pictures, folders of pictures, or tables.")]
Out = Annotated[str, typer.Option("--out", metavar="FILE", help="Write there instead of to the screen.", show_default=False)]
Format = Annotated[str, typer.Option("--format", metavar="csv|jsonl", help="csv or jsonl; by the name of FILE where it says.", show_default=False)]
Host = Annotated[str, typer.Option(help="Address to bind to.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free one.")]

FORMATS = ("csv", "jsonl")


def find_bundle(folder: str) -> Path:
    """The bundle in `folder`, or in the `export` folder of the project there.

    Raises:
        DataError: there is none.
    """
    from surefoot.types.errors import DataError

    for place in (Path(folder), Path(folder) / "export"):
        if (place / "manifest.json").is_file():
            return place
    raise DataError(
        f"There is no bundle in {folder}: no manifest.json in it or in its export folder.", where=folder, next="Export one: surefoot run DIR --to export."
    )


def choose_format(given: str, out: str) -> str:
    """`csv` or `jsonl`: what was said, else what the name of the file ends in, else csv.

    Raises:
        UsageError: it is neither.
    """
    from surefoot.types.errors import UsageError

    name = given or (Path(out).suffix.lstrip(".") if Path(out).suffix.lstrip(".") in FORMATS else "csv")
    if name not in FORMATS:
        raise UsageError(f"There is no format {name!r}.", where=f"--format {name}", next="Write csv or jsonl.")
    return name


def predict(bundle: Bundle, inputs: Inputs, out: Out = "", format: Format = "") -> None:
    """Predict pictures or rows with a bundle; no target is needed."""
    from surefoot.exporting import predictor, records

    kind = choose_format(format, out)
    rows = records.predict_inputs(predictor.load(find_bundle(bundle)), inputs)
    if not out:
        records.write_rows(rows, sys.stdout, kind)
        return
    from surefoot import durable

    with durable.replacing(Path(out)) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        records.write_rows(rows, text, kind)
        text.detach()
    tell(f"Written: {out}")


def serve(bundle: Bundle, host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Put a bundle behind HTTP, with a page to try it on."""
    from surefoot.serving import run

    run.serve(find_bundle(bundle), host, port)
