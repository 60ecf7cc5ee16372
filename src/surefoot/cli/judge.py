"""Commands in which a person judges: human, tag, review."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from surefoot.cli.arguments import Folder, Json, open_project
from surefoot.cli.drawing import draw
from surefoot.cli.screen import show, show_json, tell

if TYPE_CHECKING:
    from surefoot.data.readers.repairs import Repair
    from surefoot.project import Project
    from surefoot.runners.by_hand import Shown
    from surefoot.types.error_reports import ErrorRow, Mislabel

Items = Annotated[int, typer.Option("--items", metavar="N", min=1, help="How many items to show.")]
QUIT = "q"


def human(context: typer.Context, folder: Folder = ".", items: Items = 50, as_json: Json = False) -> None:
    """Measure how good a person is: shows val items, takes the answers at the keyboard, and the gap table uses them."""
    from surefoot.runners import by_hand

    project = open_project(folder)
    by_hand.check_task(project.report("problem"))  # type: ignore[arg-type]
    if not context.obj["no_input"]:
        _ask_about(project, items)
    result = by_hand.judge_answers(
        project.store,
        project.report("problem"),  # type: ignore[arg-type]
        project.report("prepare"),  # type: ignore[arg-type]
        project.ledger.answers(),
        root=project.root,
        seed=project.settings.seed,
    )
    if as_json:
        show_json(result)
    else:
        show(_tell_human(result))


def _ask_about(project: Project, num: int) -> None:
    from surefoot.analysis.human import keep_fitting, name_unknown
    from surefoot.runners import by_hand
    from surefoot.types.errors import UsageError

    problem, data = project.report("problem"), project.report("prepare")
    known = keep_fitting(problem, project.ledger.answers())  # type: ignore[arg-type]
    due = by_hand.pick_val(project.store, data, num, project.settings.seed, known)  # type: ignore[arg-type]
    pile = by_hand.show_items(project.store, data, due)  # type: ignore[arg-type]
    names = ", ".join(problem.classes[:30]) if problem.classes else "a number"  # type: ignore[attr-defined]
    stop = by_hand.choose_key(problem, QUIT)  # type: ignore[arg-type]
    unknown = name_unknown(problem)  # type: ignore[arg-type]
    tell(f"{len(pile)} val items. Answer with {names}; {unknown} if you can't tell, which counts as wrong; {stop} to stop.")
    for number, item in enumerate(pile, 1):
        tell(f"\n{number} of {len(pile)}\n{draw(item.shown)}")
        while (line := _read("> ")) is not None and line.lower() != stop:
            try:
                by_hand.note_answer(project.ledger, problem, item.id, line)  # type: ignore[arg-type]
            except UsageError as error:
                tell(f"{error.what} {error.next}")
                continue
            break
        if line is None or line.lower() == stop:
            return


def _read(prompt: str) -> str | None:
    """A line from the keyboard, or from a pipe; None at its end."""
    if sys.stdin.isatty():
        print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    return line.strip() if line else None


def _tell_human(result: dict[str, Any]) -> str:
    from surefoot.analysis.human import LEAST

    whys = {"unfit": "fit the question no longer", "elsewhere": "belong to no val item"}
    left_out = "".join(f" {result[name]} older answers {why}, and are left out." for name, why in whys.items() if result[name])
    if not result["items"]:
        return f"No answers yet: surefoot human asks for some.{left_out}"
    error = result["error"]
    span = f" [{error['interval'][0]:.4g}, {error['interval'][1]:.4g}]" if error["interval"] else ""
    wrong = "" if result["wrong"] is None else f"{result['wrong']} of {result['items']} wrong: "
    more = "surefoot diagnose puts it into the gap table." if result["items"] >= LEAST else f"The gap table takes it from {LEAST} answers on."
    return f"{wrong}error {error['value']:.4g}{span}, by {result['metric']} on {result['items']} items. {more}{left_out}"


def tag(folder: Folder = ".", as_json: Json = False) -> None:
    """Edit the error table in the terminal: one wrong item after another, with its tags."""
    project = open_project(folder)
    report = project.report("errors")
    rows: tuple[ErrorRow, ...] = report.rows  # type: ignore[attr-defined]
    pile = _show(project, [row.id for row in rows])
    written = project.ledger.tags()
    tell("Enter keeps the tags; +blurry -dark changes them; = blurry; dark replaces them; note: TEXT notes; q stops.")
    changed = 0
    for number, row in enumerate(rows, 1):
        tags, note = written.get(row.id, (list(row.tags), row.note))
        tell(f"\n{number} of {len(rows)}  {row.place}\n{draw(pile[row.id].shown)}\n{row.target} called {row.pred}; tags: {'; '.join(tags) or 'none'}")
        line = _read("tags> ")
        if line is None or line == QUIT:
            break
        if line:
            tags, note = _edit(tags, note, line)
            project.ledger.tag(row.id, tags, note)
            written[row.id] = (tags, note)
            changed += 1
    counts = _count([written.get(row.id, (row.tags, ""))[0] for row in rows])
    if as_json:
        show_json({"changed": changed, "tags": counts})
    else:
        show("\n".join(f"{count:>4}  {name}" for name, count in counts.items()) or "no tags")
        tell(f"{changed} rows changed. surefoot errors sums them up, with the ceiling of each.")


def _edit(tags: list[str], note: str, line: str) -> tuple[list[str], str]:
    """`+blurry -odd size`, `= blurry; dark`, `note: text`."""
    if line.lower().startswith("note:"):
        return list(tags), line[5:].strip()
    if line.startswith("="):
        return list(dict.fromkeys(part.strip() for part in line[1:].split(";") if part.strip())), note
    kept = list(tags)
    for sign, name in _split_changes(line):
        if sign == "-":
            kept = [one for one in kept if one.casefold() != name.casefold()]
        elif name.casefold() not in [one.casefold() for one in kept]:
            kept.append(name)
    return kept, note


def _split_changes(line: str) -> list[tuple[str, str]]:
    import re

    line = line if line[0] in "+-" else f"+{line}"
    return [(sign, name.strip(" ;,")) for sign, name in re.findall(r"(?:^|(?<=\s))([+-])\s*(.+?)(?=\s[+-]|$)", line) if name.strip(" ;,")]


def _count(rows: list[Any]) -> dict[str, int]:
    return dict(Counter(tag for tags in rows for tag in tags).most_common())


def _show(project: Project, ids: list[str]) -> dict[str, Shown]:
    """Id -> item, as a person sees it."""
    from surefoot.runners.by_hand import show_items

    return {item.id: item for item in show_items(project.store, project.report("prepare"), ids)}  # type: ignore[arg-type]


def review(folder: Folder = ".", items: Items = 50, as_json: Json = False) -> None:
    """Go through the labels in doubt, the most doubtful first; what you decide goes to repairs.csv, which the next round applies."""
    from surefoot.data.readers.repairs import KEEP, list_decided
    from surefoot.runners import by_hand, keep

    project = open_project(folder)
    by_hand.check_doubted(project.report("problem"))  # type: ignore[arg-type]
    data = project.settings.data
    path, done = keep.name_repairs(project.root, data), list_decided(data, project.root)
    queue: list[Mislabel] = [one for one in project.report("errors").mislabels if one.place not in done][:items]  # type: ignore[attr-defined]
    pile = _show(project, [one.id for one in queue])
    take, drop, stop = (by_hand.choose_key(project.report("problem"), letter) for letter in ("y", "d", QUIT))  # type: ignore[arg-type]
    keys = f"Enter keeps the given label; {take} takes the suggested one; another class by name; {drop} drops the item; {stop} stops."
    tell(keys if queue else "No label is in doubt that was not decided about.")
    decided: Counter[bool] = Counter()
    for number, one in enumerate(queue, 1):
        tell(f"\n{number} of {len(queue)}  {one.place}\n{draw(pile[one.id].shown)}\nlabelled {one.given}; the models say {one.suggested} ({one.score:.3g})")
        repair = _ask_label(project, one, stop)
        if repair is None:
            break
        keep.add_repairs(path, [repair])  # at once: what was decided before an interruption stays
        decided[repair.action == KEEP] += 1
    lines = len(keep.read_all(path))
    if as_json:
        show_json({"decided": decided[False], "kept": decided[True], "repairs": str(path), "lines": lines})
    else:
        told = f"; {path} has {lines} lines, and none of them is asked about again." if lines else "; nothing is written down."
        after = " The next round applies them: surefoot run --from audit" if decided[False] else ""
        show(f"{decided[False]} changed, {decided[True]} kept{told}{after}")


def _ask_label(project: Project, one: Mislabel, stop: str) -> Repair | None:
    """What was typed as a line for the file of repairs; None where that is `stop`. What is no class is asked again."""
    from surefoot.runners.by_hand import decide
    from surefoot.types.errors import UsageError

    while (line := _read("label> ")) is not None and line.lower() != stop:
        try:
            return decide(project.report("problem"), one, line)  # type: ignore[arg-type]
        except UsageError as error:
            tell(f"{error.what} {error.next}")
    return None
