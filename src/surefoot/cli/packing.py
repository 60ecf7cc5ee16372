"""The command for those who train elsewhere: pack."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from surefoot.cli.arguments import Json
from surefoot.cli.screen import describe_bytes, show, show_json, tell, watching

Source = Annotated[str, typer.Argument(metavar="DATA", help="A folder, archive or arrays of labelled pictures, as for `init`; or a pack, to be written out.")]
OutFolder = Annotated[str, typer.Option("--out", metavar="DIR", help="Folder that is made.")]
Form = Annotated[str, typer.Option("--as", metavar="FORM", help="pack; or, of a pack: webdataset, folder.")]
Side = Annotated[int, typer.Option(min=0, max=1024, help="Pixels a side; 0: as the pictures have at the median.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of [prepare], e.g. encode=jpeg; may be repeated.", show_default=False)
]

FORMS = ("pack", "webdataset", "folder")


def pack(source: Source, out: OutFolder, form: Form = "pack", side: Side = 0, set: Settings = None, as_json: Json = False) -> None:
    """Pack pictures without a project, or write a pack out."""
    from surefoot.data import pack_export, pack_folder
    from surefoot.events import Announcer
    from surefoot.types.errors import UsageError

    if form not in FORMS:
        raise UsageError(f"There is no form {form!r}.", where=f"--as {form}", next=f"Write one of {', '.join(FORMS)}.")
    is_pack = pack_folder.is_pack(Path(source))
    if is_pack == (form == "pack"):
        what = "is a pack already" if is_pack else "is no pack"
        raise UsageError(f"{source} {what}.", where=source, next="Pack first: surefoot pack DATA --out DIR; then write that out: --as webdataset, --as folder.")
    with watching() as sink:
        announcer = Announcer((sink,))
        say = partial(announcer.progress, "packing" if form == "pack" else "writing")
        if form == "pack":
            facts = _pack(source, Path(out), side, set or [], say)
        else:
            write = pack_export.write_webdataset if form == "webdataset" else pack_export.write_pictures
            opened = pack_folder.open_pack(source)
            files = write(opened, Path(out), say)
            facts = {"items": len(opened), "files": len(files), "bytes": sum(file.stat().st_size for file in files)}
    if as_json:
        show_json({"path": out, **facts})
    else:
        show(f"{out}: {facts['items']:,} items in {facts['files']:,} files, {describe_bytes(float(str(facts['bytes'])))}.")


def _pack(source: str, out: Path, side: int, overrides: list[str], say: Callable[[float, float], None]) -> dict[str, object]:
    from surefoot import settings
    from surefoot.data import pack_folder

    said, unread = settings.parse([f"prepare.{text.removeprefix('prepare.')}" for text in overrides])
    values = settings.check(said, where="--set", unread=unread)
    data = values.data.model_copy(update={"source": source, "side": side})
    made = pack_folder.pack_folder(data, values.prepare, out, say)
    for one in made.manifest.refused:
        tell(f"  left out: {one.place}: {one.reason}")
    files = list(out.glob("shard-*.arrow"))
    return {"items": len(made), "files": len(files), "bytes": sum(file.stat().st_size for file in files), "refused": len(made.manifest.refused)}
