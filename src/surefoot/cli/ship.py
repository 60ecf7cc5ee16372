"""Commands that use a bundle: predict, serve."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from surefoot.cli.screen import tell

Bundle = Annotated[str, typer.Argument(help="A bundle, or the folder of a project that exported one.")]
Inputs = Annotated[list[str], typer.Argument(metavar="INPUT...", help="Pictures, folders of pictures, or tables (a text stands in its column).")]
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
    from surefoot import durable
    from surefoot.exporting import predictor, records

    kind = choose_format(format, out)
    model = predictor.load(find_bundle(bundle))
    if out:
        records.check_out(Path(out), [Path(each) for each in inputs], model.recipe)
    tally = Tally(records.predict_inputs(model, [Path(each) for each in inputs], say=tell))
    lines = records.format_rows(tally, model.manifest, kind)
    if out:
        with durable.replacing(Path(out)) as file:
            file.writelines(line.encode() for line in lines)
    else:
        sys.stdout.writelines(lines)
    tally.conclude()


class Tally:
    """Rows on their way, counted; those that could not be predicted are told at the end."""

    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self.rows, self.num, self.errors, self.reason = rows, 0, 0, ""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            self.num += 1
            self.errors += "error" in row
            self.reason = row.get("error", self.reason)
            yield row

    def conclude(self) -> None:
        """Says what was predicted.

        Raises:
            DataError: nothing was.
        """
        from surefoot.types.errors import DataError

        if self.num == self.errors:
            reason = f" {self.reason}" if self.errors else " No item was found."
            raise DataError(f"Nothing could be predicted.{reason}", where="surefoot predict", next="The output says why, for each input.")
        tell(f"{self.num - self.errors:,} predicted" + (f", {self.errors:,} could not be: the column `error` says why." if self.errors else "."))


def serve(bundle: Bundle, host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Put a bundle behind HTTP, with a page to try it on."""
    from surefoot.serving import run

    run.serve(find_bundle(bundle), host, port, say=tell)
