"""Samples per second of a pack ÷ those of torch's DataLoader: over the same image folder with Pillow and 2 workers (28 and 32 pixels: at least 20 times,
photos of 224 pixels: at least 1.5 times), and over a TensorDataset (at least 3 times). Rounds are interleaved; each side shuffles and gives batches of 128.
Left to itself `prepare.encode` stores pixels where they take at most a quarter of the free disk, else JPEG; both are measured."""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset

from benchmarks.machine import DATA, IS_QUICK
from benchmarks.peers import mnist
from surefoot.data import jpeg
from surefoot.data.examples import Examples
from surefoot.data.pack_folder import pack_folder
from surefoot.data.packs import Pack
from surefoot.types import DataConfig, PrepareConfig, Problem

_BATCH, _WORKERS, _ROUNDS = 128, 2, 2 if IS_QUICK else 7
_SIZES = {"28": 512, "32": 512, "224": 128, "500 to 224": 128} if IS_QUICK else {"28": 20_000, "32": 20_000, "224": 1_500, "500 to 224": 600}
_ASKED = {"28": 20, "32": 20, "224": 1.5, "500 to 224": 1.5}
_PROBLEM = Problem(question="?", kind="image", task="multiclass", target=("label",), metric="accuracy", head="softmax", loss="cross_entropy", num_outputs=10)

Epoch = Callable[[], int]
"""Goes once through all items; returns how many there were."""


def run() -> dict[str, object]:
    found: dict[str, object] = {}
    for case, num in _SIZES.items():
        folder = Path(tempfile.mkdtemp(prefix="surefoot-loading-"))
        try:
            _WRITERS[case](folder / "photos", num)
            found[case] = _compare(folder, case) | {"items": num, "asked": _ASKED[case], "asked, tensors": 3 if case in ("28", "32") else None}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(f"  {case}: {found[case]}", flush=True)
    return found


def _compare(folder: Path, case: str) -> dict[str, object]:
    side = int(case.rpartition(" ")[2])
    data = DataConfig(source=str(folder / "photos"), side=side)
    packs = {encode: pack_folder(data, PrepareConfig(encode=encode), folder / encode) for encode in ("decoded", "jpeg")}
    pixels = torch.from_numpy(packs["decoded"].read_all()[0])
    labels = torch.from_numpy(packs["decoded"].targets[:, 0].astype(np.int64))
    files = _Files(sorted((folder / "photos").glob("*/*")), side)
    sides: dict[str, Epoch] = {
        "DataLoader, Pillow, 2 workers": _loader(files, num_workers=_WORKERS, persistent_workers=True),
        "DataLoader, TensorDataset": _loader(TensorDataset(pixels, labels)),
        "DataLoader, TensorDataset, 2 workers": _loader(TensorDataset(pixels, labels), num_workers=_WORKERS, persistent_workers=True),
        "pack in memory": _packed(packs["decoded"], in_memory=True),
        "pack on disk": _packed(packs["decoded"], in_memory=False),
    }
    if side > 96:  # smaller ones are never stored as JPEG unless that is asked for
        decoders = {"Pillow": None} | ({"simplejpeg": jpeg._find_fast()} if jpeg._find_fast() else {})
        sides |= {f"pack of JPEG, {name}": _decoding(_packed(packs["jpeg"], in_memory=False), decoder) for name, decoder in decoders.items()}
    rates = _time(sides)
    loss = packs["jpeg"].read_all()[0].astype(np.float32) - packs["decoded"].read_all()[0]
    size = {name: sum(block.length for shard in pack.manifest.shards for block in shard.blocks) for name, pack in packs.items()}
    pillow, tensors = rates["DataLoader, Pillow, 2 workers"], max(rates["DataLoader, TensorDataset"], rates["DataLoader, TensorDataset, 2 workers"])
    ratios = {name: {"pillow": round(rate / pillow, 2), "tensors": round(rate / tensors, 2)} for name, rate in rates.items() if name.startswith("pack")}
    psnr = round(_psnr(loss), 1) if loss.any() else "exact"
    return {"samples_per_s": {name: round(rate) for name, rate in rates.items()}, "times": ratios, "psnr_of_jpeg_db": psnr, "bytes": size}


class _Files(Dataset):
    """Pictures of class folders, opened by Pillow, as the tutorials do it."""

    def __init__(self, files: list[Path], side: int) -> None:
        names = sorted({file.parent.name for file in files})
        self.items, self.side = [(str(file), names.index(file.parent.name)) for file in files], side

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        path, label = self.items[row]
        with Image.open(path) as image:
            if min(image.size) != self.side:
                image.draft(image.mode, (self.side, self.side))  # Pillow's own short cut, so that the peer is at its best
                scale = self.side / min(image.size)
                image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
                left, top = (image.width - self.side) // 2, (image.height - self.side) // 2
                image = image.crop((left, top, left + self.side, top + self.side))
            pixels = np.array(image)
        return torch.from_numpy(pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)).contiguous(), label


def _loader(data: Dataset, **options: object) -> Epoch:
    loader = DataLoader(data, batch_size=_BATCH, shuffle=True, **options)  # type: ignore[arg-type]
    return lambda: sum(len(labels) for _, labels in loader)


def _packed(pack: Pack, *, in_memory: bool) -> Epoch:
    """As `engine.feed` takes batches."""
    examples = Examples(pack, _PROBLEM, in_memory=in_memory)
    targets = examples.encode({})

    def epoch() -> int:
        order = torch.from_numpy(np.random.default_rng(0).permutation(len(pack)))
        return sum(len(examples.batch(order[at : at + _BATCH], targets).targets) for at in range(0, len(pack), _BATCH))

    return epoch


def _decoding(epoch: Epoch, fast: object) -> Epoch:
    """The same by one decoder, whatever is installed."""

    def decode() -> int:
        before = jpeg._find_fast
        jpeg._find_fast = lambda: fast  # type: ignore[assignment]
        try:
            return epoch()
        finally:
            jpeg._find_fast = before

    return decode


def _time(sides: dict[str, Epoch]) -> dict[str, float]:
    """Median samples per second of each side; the first round warms up: files are then in the system's cache, and workers run."""
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(_ROUNDS + 1):
        for name, epoch in sides.items():
            started = perf_counter()
            num = epoch()
            while perf_counter() - started < (0 if IS_QUICK else 0.5):  # what is over in milliseconds is done again
                num += epoch()
            if number:
                rates[name].append(num / (perf_counter() - started))
    return {name: statistics.median(some) for name, some in rates.items()}


def _psnr(difference: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean(difference**2)))


def _write_digits(folder: Path, num: int) -> None:
    for number, (picture, label) in enumerate(zip(*mnist.read_or_draw(num))):
        _save(folder, number, int(label), picture[0], ".png")


def _write_thumbnails(folder: Path, num: int) -> None:
    for number, picture in enumerate(_crop_photos(num, 32)):
        _save(folder, number, number % 10, picture, ".png")


def _write_photos(folder: Path, num: int) -> None:
    for number, picture in enumerate(_crop_photos(num, 224)):
        _save(folder, number, number % 10, picture, ".jpg")


def _write_large_photos(folder: Path, num: int) -> None:
    for number, picture in enumerate(_crop_photos(num, 500)):
        _save(folder, number, number % 10, picture, ".jpg")


_WRITERS = {"28": _write_digits, "32": _write_thumbnails, "224": _write_photos, "500 to 224": _write_large_photos}


def _save(folder: Path, number: int, label: int, pixels: np.ndarray, suffix: str) -> None:
    place = folder / f"class{label}"
    place.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(place / f"{number:06}{suffix}", **({"quality": 90} if suffix == ".jpg" else {}))


def _crop_photos(num: int, side: int) -> Iterator[np.ndarray]:
    """Squares of real photos where the shared ones are here, else of smooth noise."""
    import io
    import tarfile

    archive, photos = DATA / "images" / "ants_bees.tar", []
    if archive.is_file():
        with tarfile.open(archive) as tar:
            members = [m for m in tar if m.name.endswith(".jpg")][:60]
            photos = [Image.open(io.BytesIO(tar.extractfile(m).read())).convert("RGB") for m in members]  # type: ignore[union-attr]
    generator = np.random.default_rng(0)
    for number in range(num):
        if not photos:
            yield _smooth(1, side)[0]
            continue
        photo = photos[number % len(photos)]
        size = int(min(photo.size) * generator.uniform(0.6, 1))
        left, top = int(generator.integers(0, photo.width - size + 1)), int(generator.integers(0, photo.height - size + 1))
        yield np.asarray(photo.resize((side, side), Image.Resampling.LANCZOS, (left, top, left + size, top + size), reducing_gap=2.0))


def _smooth(num: int, side: int) -> np.ndarray:
    """uint8 (num, side, side, 3): noise that compresses as photos do."""
    small = np.random.default_rng(0).integers(0, 256, (num, 12, 12, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in small])
