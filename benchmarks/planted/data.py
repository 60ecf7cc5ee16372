"""The data of planted projects, written into their folders: scikit-learn's bundled sets with something done to them, made tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn import datasets

Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]
Spoil = Callable[[Path, np.random.Generator], None]


def stream(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def bundled(name: str, change: Change | None = None) -> Callable[[Path], str]:
    """A bundled set as a CSV file whose last column is `target`."""

    def write(folder: Path) -> str:
        frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
        frame.columns = [str(column).replace(" ", "_") for column in frame.columns]
        if frame["target"].nunique() < 20:
            frame["target"] = "kind " + frame["target"].astype(int).astype(str)
        return save(folder, change(frame, stream()) if change else frame)

    return write


def sales(num: int = 1500, change: Change | None = None, noise: float = 0.3) -> Callable[[Path], str]:
    """A made table: numbers and a category that decide between two answers."""

    def write(folder: Path) -> str:
        draw = stream(1)
        size, price, colour = draw.normal(size=num), draw.gamma(2, size=num), draw.choice(["red", "green", "blue"], num)
        sold = size + 1.5 * (colour == "red") - 0.5 * price + noise * draw.normal(size=num) > 0
        frame = pd.DataFrame({"size": size.round(3), "colour": colour, "price": price.round(2), "target": np.where(sold, "yes", "no")})
        return save(folder, change(frame, draw) if change else frame)

    return write


def curve(num: int = 1500, change: Change | None = None, noise: float = 0.1) -> Callable[[Path], str]:
    """A made table with an amount to predict."""

    def write(folder: Path) -> str:
        draw = stream(2)
        x = draw.normal(size=(num, 4))
        y = x[:, 0] * 2 + np.sin(2 * x[:, 1]) + x[:, 2] * x[:, 3] + noise * draw.normal(size=num)
        frame = pd.DataFrame(x.round(4), columns=list("abcd")).assign(target=(5 * y + 20).round(4))
        return save(folder, change(frame, draw) if change else frame)

    return write


def noisy(num: int = 300, columns: int = 40, flips: float = 0.25) -> Callable[[Path], str]:
    """Many columns, few rows, and a quarter of the answers wrong: a net that may, learns them by heart."""

    def write(folder: Path) -> str:
        draw = stream(3)
        x = draw.normal(size=(num, columns))
        y = (x[:, :3].sum(1) > 0) ^ (draw.random(num) < flips)
        return save(folder, pd.DataFrame(x.round(4), columns=[f"x{n}" for n in range(columns)]).assign(target=np.where(y, "yes", "no")))

    return write


def shapes(num: int = 1500, spoil: Spoil | None = None, spread: float = 40.0) -> Callable[[Path], str]:
    """Folders of pictures of bars that lie or stand, or of a square, on noise."""

    def write(folder: Path) -> str:
        draw = stream(4)
        for number in range(num):
            kind = ("lying", "standing", "square")[number % 3]
            picture = draw.normal(90, spread, (12, 12))
            y, x = draw.integers(1, 7, 2)
            height, width = {"lying": (2, 5), "standing": (5, 2), "square": (4, 4)}[kind]
            picture[y : y + height, x : x + width] += 120
            path = folder / "pictures" / kind / f"{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path)
        if spoil:
            spoil(folder / "pictures", draw)
        return "pictures/"

    return write


def save(folder: Path, frame: pd.DataFrame) -> str:
    frame.to_csv(folder / "table.csv", index=False)
    return "table.csv"


# what is done to a table


def leak(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """A column that was written down after the answer was known."""
    codes = frame["target"].astype("category").cat.codes
    return frame.assign(settled=(codes * 3 + draw.normal(0, 0.05, len(frame))).round(3))


def name_rows(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    return frame.assign(customer_id=np.arange(1000, 1000 + len(frame)))


def lose(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    return frame.assign(**{frame.columns[0]: frame.iloc[:, 0].where(draw.random(len(frame)) > 0.6)})


def hold_still(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    return frame.assign(version=7)


def contradict(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """A fifth of the rows a second time, with another answer."""
    copies = frame.sample(frac=0.2, random_state=0)
    names = sorted(frame["target"].unique())
    return pd.concat([frame, copies.assign(target=[names[(names.index(t) + 1) % len(names)] for t in copies["target"]])], ignore_index=True)


def repeat(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    return pd.concat([frame, frame.sample(frac=0.3, random_state=0)], ignore_index=True)


def shuffle(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """The answers sorted away from their rows."""
    return frame.assign(target=draw.permutation(frame["target"].to_numpy()))


def shift_rows(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Rows in a random order, answers one row too late."""
    frame = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    return frame.assign(target=frame["target"].shift(1).fillna(frame["target"].iloc[-1]))


def make_rare(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    target = frame["target"].copy()
    target.iloc[:3] = "other"
    return frame.assign(target=target)


def sort_rows(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """The rows kind by kind, as files lie in their folders."""
    return frame.sort_values("target", kind="stable").reset_index(drop=True)


def unbalance(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """One answer twenty times as frequent as the other."""
    few = frame[frame["target"] == "yes"].iloc[:20]
    return pd.concat([frame[frame["target"] == "no"], few], ignore_index=True)


# what is done to pictures


def tear(folder: Path, draw: np.random.Generator) -> None:
    """Files cut off in the middle."""
    for path in sorted(folder.rglob("*.png"))[:6]:
        path.write_bytes(path.read_bytes()[:60])


def empty(folder: Path, draw: np.random.Generator) -> None:
    for path in sorted(folder.rglob("*.png"))[:6]:
        path.write_bytes(b"")


def mix_up(folder: Path, draw: np.random.Generator) -> None:
    """The pictures dealt anew to the folders."""
    paths = sorted(folder.rglob("*.png"))
    whole = [path.read_bytes() for path in paths]
    for path, number in zip(paths, draw.permutation(len(paths))):
        path.write_bytes(whole[number])


def copy_target(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """The answer once more, under another name and in other words."""
    return frame.assign(status=frame["target"].map({name: f"s{number}" for number, name in enumerate(sorted(frame["target"].unique()))}))


def near_target(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """The amount before a fee was taken off."""
    return frame.assign(gross=(frame["target"] * 1.2 + draw.normal(0, 0.01, len(frame))).round(4))


def widen(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """One number that is far larger than the others, in a unit of its own."""
    return frame.assign(**{frame.columns[0]: frame.iloc[:, 0] * 1e6 + 1e7})


def flip_some(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """A tenth of the answers replaced by others."""
    names = sorted(frame["target"].unique())
    wrong = draw.random(len(frame)) < 0.1
    other = [names[(names.index(t) + draw.integers(1, len(names))) % len(names)] for t in frame["target"]]
    return frame.assign(target=np.where(wrong, other, frame["target"]))


def shift_part(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """In a third of the rows, one after the other, the answers stand a row too low."""
    frame = frame.sample(frac=1, random_state=0).reset_index(drop=True)
    part = slice(len(frame) // 3, 2 * len(frame) // 3)
    target = frame["target"].to_numpy(copy=True)
    target[part] = np.roll(target[part], 1)
    return frame.assign(target=target)


def copy_test(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Sets given by a column; half of the test rows stand in train too."""
    frame = give_sets(frame, draw)
    test = frame[frame["set"] == "test"]
    return pd.concat([frame, test.iloc[: len(test) // 2].assign(set="train")], ignore_index=True)


def give_sets(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    return frame.assign(set=draw.choice(["train", "val", "test"], len(frame), p=[0.6, 0.2, 0.2]))


def shift_val(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Sets given by a column; val comes from elsewhere: all its numbers lie higher."""
    frame = give_sets(frame, draw)
    numbers = [name for name in frame.select_dtypes("number").columns if name != "target"]
    moved = frame[numbers] + 2 * frame[numbers].std()
    return frame.assign(**{name: np.where(frame["set"] == "val", moved[name], frame[name]) for name in numbers})


def keep_from_train(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Sets given by a column; one kind stands in val and test alone."""
    frame, last = give_sets(frame, draw), sorted(frame["target"].unique())[-1]
    is_last = frame["target"] == last
    return frame.assign(set=np.where(is_last & (frame["set"] == "train"), np.where(draw.random(len(frame)) < 0.5, "val", "test"), frame["set"]))


def sort_sets(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Sets given by a column: cut from rows that were sorted by their first number."""
    frame = frame.sort_values(frame.columns[0]).reset_index(drop=True)
    place = np.arange(len(frame)) / len(frame)
    return frame.assign(set=np.select([place < 0.6, place < 0.8], ["train", "val"], "test"))


def date_rows(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """A date that has nothing to do with the answer, in no order."""
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(draw.integers(0, 900, len(frame)), unit="D")
    return frame.assign(when=days.strftime("%Y-%m-%d"))[["when", *frame.columns]]


def weigh(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """What each row weighs: one, two or three, and a fifth of them nothing."""
    return frame.assign(weight=np.where(draw.random(len(frame)) < 0.2, 0.0, draw.integers(1, 4, len(frame))))


# other made data

_SOUNDS = ("ba", "ko", "li", "mu", "ne", "pa", "ri", "so", "ta", "vu")


def notes(num: int = 900, change: Change | None = None, noise: float = 0.05) -> Callable[[Path], str]:
    """A made table of texts: words of two moods among many of none."""

    def write(folder: Path) -> str:
        draw = stream(5)
        words = [a + b + c for a in _SOUNDS for b in _SOUNDS for c in _SOUNDS[:3]]
        moods = {"glad": words[:20], "sad": words[20:40]}
        kinds = draw.choice(["glad", "sad"], num)
        texts = []
        for kind in kinds:
            said = [*draw.choice(words[40:], draw.integers(8, 16)), *draw.choice(moods[kind], draw.integers(2, 5))]
            texts.append(" ".join(draw.permutation(said)) + ".")
        wrong = draw.random(num) < noise
        frame = pd.DataFrame({"text": texts, "target": np.where(wrong, np.where(kinds == "glad", "sad", "glad"), kinds)})
        return save(folder, change(frame, draw) if change else frame)

    return write


def patients(num: int = 150, visits: int = 8, *, is_told: bool = False) -> Callable[[Path], str]:
    """Some visits of each of many patients, whose looks tell who they are, and nothing of what they have, or something (`is_told`)."""

    def write(folder: Path) -> str:
        draw = stream(6)
        who = np.repeat(np.arange(num), visits)
        of_each = draw.normal(size=(num, 6))
        looks = of_each[who] + 0.1 * draw.normal(size=(num * visits, 6))
        frame = pd.DataFrame(looks.round(4), columns=[f"m{n}" for n in range(6)])
        is_ill = of_each[:, 0] + 0.3 * draw.normal(size=num) > 0 if is_told else draw.random(num) < 0.5
        frame = frame.assign(patient=[f"p{n:03d}" for n in who], target=np.where(is_ill, "ill", "well")[who])
        return save(folder, frame.sample(frac=1, random_state=0))

    return write


def days(num: int = 1500, *, is_shuffled: bool = True, drift: float = 0.15) -> Callable[[Path], str]:
    """An amount that wanders from day to day, beside numbers that say a little of it; each row has its date."""

    def write(folder: Path) -> str:
        draw = stream(7)
        level = np.cumsum(drift * draw.normal(size=num))
        x = draw.normal(size=(num, 3))
        frame = pd.DataFrame(x.round(4), columns=list("abc"))
        frame.insert(0, "date", pd.date_range("2018-01-01", periods=num, freq="D").strftime("%Y-%m-%d"))
        frame = frame.assign(target=(50 + 5 * level + 2 * x[:, 0] + draw.normal(size=num)).round(3))
        return save(folder, frame.sample(frac=1, random_state=0) if is_shuffled else frame)

    return write


def two_shops(num: int = 1200, *, apart: float = 2.0) -> Callable[[Path], str]:
    """The made table of sales in two files; in the second one all numbers lie higher by some deviations."""

    def write(folder: Path) -> str:
        draw = stream(8)
        for name, move in (("table", 0.0), ("other", apart)):
            size, price = draw.normal(size=num), draw.gamma(2, size=num)
            sold = size - 0.5 * price + 0.3 * draw.normal(size=num) > -1
            told = {"size": (size + move).round(6), "price": (price + move).round(6), "target": np.where(sold, "yes", "no")}
            pd.DataFrame(told).to_csv(folder / f"{name}.csv", index=False)
        return "table.csv"

    return write


def clusters(num: int, kinds: int, columns: int = 12, *, spread: float = 1.0, shares: float = 1.0, change: Change | None = None) -> Callable[[Path], str]:
    """A made table of kinds that lie around a point each. `shares`: of a kind, relative to the kind before it."""

    def write(folder: Path) -> str:
        draw = stream(9)
        weights = shares ** np.arange(kinds)
        kind = draw.choice(kinds, num, p=weights / weights.sum())
        x = 2 * draw.normal(size=(kinds, columns))[kind] + spread * draw.normal(size=(num, columns))
        frame = pd.DataFrame(x.round(4), columns=[f"x{n}" for n in range(columns)]).assign(target=[f"kind {n:02d}" for n in kind])
        return save(folder, change(frame, draw) if change else frame)

    return write


def payments(num: int, share: float) -> Callable[[Path], str]:
    """A made table of few payments that are fraud, which two of its numbers tell in part."""

    def write(folder: Path) -> str:
        draw = stream(12)
        is_fraud = draw.random(num) < share
        x = draw.normal(size=(num, 5))
        x[:, 0] += 2.0 * is_fraud
        x[:, 1] -= 1.5 * is_fraud
        return save(folder, pd.DataFrame(x.round(4), columns=list("abcde")).assign(target=np.where(is_fraud, "fraud", "fine")))

    return write


def tags(num: int = 4_000) -> Callable[[Path], str]:
    """A made table of four labels, each of which one item in thirty has, or fewer."""

    def write(folder: Path) -> str:
        draw = stream(13)
        x = draw.normal(size=(num, 6))
        labels = x[:, :4] + 0.4 * x[:, 1:5] + 0.3 * draw.normal(size=(num, 4)) > np.array([2.1, 2.2, 2.3, 2.4])
        return save(folder, pd.DataFrame(x.round(4), columns=list("abcdef")).assign(**dict(zip(("rain", "hail", "fog", "storm"), labels.T.astype(int)))))

    return write


def spending(num: int = 3_000) -> Callable[[Path], str]:
    """A made table of what visitors spend: nothing in four of five cases, and the numbers tell who does, and how much."""

    def write(folder: Path) -> str:
        draw = stream(14)
        x = draw.normal(size=(num, 4))
        buys = x[:, 0] + x[:, 1] + 0.3 * draw.normal(size=num) > 1.2
        spent = buys * np.exp(2 + 0.6 * x[:, 2] + 0.1 * draw.normal(size=num))
        return save(folder, pd.DataFrame(x.round(4), columns=list("abcd")).assign(target=spent.round(2)))

    return write


def circle(num: int = 1500) -> Callable[[Path], str]:
    """Two numbers, and whether they lie within a circle: no line parts them."""

    def write(folder: Path) -> str:
        draw = stream(10)
        x = draw.normal(size=(num, 2))
        inside = (x**2).sum(1) + 0.2 * draw.normal(size=num) < 1.4
        return save(folder, pd.DataFrame(x.round(4), columns=["east", "north"]).assign(target=np.where(inside, "in", "out")))

    return write


def scans(num: int = 500, spoil: Spoil | None = None) -> Callable[[Path], str]:
    """Folders of pictures of written digits, light on dark: all have the same ground."""

    def write(folder: Path) -> str:
        draw, digits = stream(11), datasets.load_digits()
        for number in range(num):
            picture = np.kron(digits.images[number], np.ones((2, 2))) * 14 + draw.normal(10, 3, (16, 16))
            path = folder / "pictures" / f"digit {digits.target[number] % 3}" / f"{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path)
        if spoil:
            spoil(folder / "pictures", draw)
        return "pictures/"

    return write


def each(change: Callable[[Image.Image], Image.Image], num: int = 12, **how: object) -> Spoil:
    """Some pictures changed one by one, and saved in their places. `how`: given to Pillow."""

    def spoil(folder: Path, draw: np.random.Generator) -> None:
        paths = sorted(folder.rglob("*.png"))
        for place in draw.permutation(len(paths))[:num]:
            with Image.open(paths[place]) as picture:
                picture.load()
            change(picture).save(paths[place], **how)

    return spoil


def copy_nearly(folder: Path, draw: np.random.Generator) -> None:
    """Some pictures once more under another name, a shade lighter."""
    for path in sorted(folder.rglob("*.png"))[:40]:
        with Image.open(path) as picture:
            picture.point(lambda tone: min(255, tone + 2)).save(path.with_name(f"copy of {path.name}"))


def lay_letters(folder: Path, draw: np.random.Generator) -> None:
    """Documents among the pictures."""
    for number in range(5):
        (sorted(folder.iterdir())[0] / f"letter {number}.pdf").write_bytes(b"%PDF-1.4 dear sir")


def slip(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """A number with three zeros too many."""
    amounts = frame["price"].to_numpy(copy=True)
    amounts[7] = 4000.0
    return frame.assign(price=amounts)


def mix_types(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Words in a tenth of a column of numbers."""
    return frame.assign(price=[f"about {price}" if at < 0.1 else price for price, at in zip(frame["price"], draw.random(len(frame)))])


def divide_by_zero(frame: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    return frame.assign(ratio=np.where(draw.random(len(frame)) < 0.05, np.inf, draw.normal(size=len(frame)).round(4)))
