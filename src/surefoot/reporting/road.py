"""The fourteen steps in plain words: what each is for, and what its gate asks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A step of the road: `title` for its badge, `purpose` for its section, and what its `gate` asks (empty: it never stops)."""

    title: str
    purpose: str
    gate: str = ""


ROAD: dict[str, Stage] = {
    "s01_problem": Stage(
        "Problem",
        "Reads the question: what is to be predicted from what, and how the answer will be judged.",
        "the target exists, and the task fits it",
    ),
    "s02_audit": Stage(
        "Audit",
        "Reads every item once and says what is wrong with the data before anything is learned from it.",
        "something readable is left, and at least two classes can be measured",
    ),
    "s03_split": Stage(
        "Split",
        "Decides which items are learned from (train), which ones choose (val), and which judge at the end (test), so that no item does two jobs.",
        "the sets share no item, and at least two classes can be measured in each",
    ),
    "s04_prepare": Stage(
        "Prepare",
        "Turns raw items into numbers a net can read; every statistic it uses comes from the train set alone.",
        "all numbers are finite and in a sane range, and the statistics came from train alone",
    ),
    "s05_baseline": Stage("Baseline", "Finds the number to beat, with common sense first and simple models next."),
    "s06_sanity": Stage(
        "Sanity",
        "Checks that the net is able to learn at all, before time is spent on teaching it.",
        "the first loss is what theory says, nothing leaks or explodes, and a tiny batch can be learned by heart",
    ),
    "s07_overfit": Stage(
        "Overfit",
        "Finds a model large enough to learn its train set by heart: one that cannot is too weak to be worth tuning.",
        "the largest model reaches the goal on the items it was trained on",
    ),
    "s08_tune": Stage(
        "Tune",
        "Searches for the settings that do best on val: many short tries first, then a few long ones.",
        "the winner beats a prediction that looks at nothing",
    ),
    "s09_diagnose": Stage("Diagnose", "Says where the remaining error comes from, and what would reduce it most."),
    "s10_errors": Stage("Errors", "Looks at wrong answers one by one, to see what they have in common and what fixing each cause could bring."),
    "s11_final": Stage(
        "Final",
        "Trains the chosen setting one last time, on train and val together; nothing is chosen here.",
        "training stayed healthy",
    ),
    "s12_export": Stage(
        "Export",
        "Packs model, preprocessing and labels into one folder that runs elsewhere, and proves that it gives the same answers.",
        "the exported model's answers equal the trained model's",
    ),
    "s13_test": Stage("Test", "Opens the sealed test set, once, and measures how good the model that ships really is."),
    "s14_serve": Stage("Serve", "Puts the model behind HTTP and measures how fast it answers."),
}


def describe_step(name: str) -> Stage:
    """The stage of that name; a step that users bring is described by its name."""
    return ROAD.get(name) or Stage(name.replace("_", " ").capitalize(), "A step of your own.")


def number_of(name: str) -> str:
    """The two digits that a step's badge shows, or a dot for a step that users bring."""
    return name[1:3] if name in ROAD else "·"
