"""The data of planted projects, written into their folders: scikit-learn's bundled sets with something done to them, made tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn import datasets

Change = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


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


def shapes(num: int = 1500, spoil: Callable[[Path, np.random.Generator], None] | None = None, spread: float = 40.0) -> Callable[[Path], str]:
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


def blank(folder: Path, draw: np.random.Generator) -> None:
    for path in sorted(folder.rglob("*.png")):
        Image.new("L", (12, 12), 128).save(path)


def mix_up(folder: Path, draw: np.random.Generator) -> None:
    """The pictures dealt anew to the folders."""
    paths = sorted(folder.rglob("*.png"))
    whole = [path.read_bytes() for path in paths]
    for path, number in zip(paths, draw.permutation(len(paths))):
        path.write_bytes(whole[number])
