"""Data at an address (`https://...`, `s3://...`): downloaded once into the project's store, by fsspec, and checked against its hash ever after."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from surefoot import durable
from surefoot.data.readers.piles import split_path
from surefoot.types.errors import DamagedError, DataError, UsageError

CHUNK = 1 << 20
URL = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def is_url(name: str) -> bool:
    """Whether a name is an address rather than a path."""
    return bool(URL.match(name))


def fetch(url: str, root: Path) -> Path:
    """The local copy of what lies at an address, a file or a folder; downloaded where there is none yet.

    Args:
        url: as fsspec takes it. root: the project's folder; copies lie in `store/downloads/`, each beside a manifest of its SHA-256.

    Raises:
        UsageError: fsspec, or its part for this protocol, is not installed. DataError: nothing is there, or it can't be reached.
        DamagedError: the copy was altered.
    """
    place = root / "store" / "downloads" / hashlib.sha256(url.encode()).hexdigest()[:16]
    manifest = place / "manifest.json"
    if not manifest.is_file():
        _download(url, place, manifest)
    try:
        told = json.loads(manifest.read_text(encoding="utf-8"))
        altered = [name for name, digest in told["files"].items() if not (place / name).is_file() or _hash(place / name) != digest]
        local = place / told["name"]
    except (ValueError, KeyError, TypeError, AttributeError):
        altered, local = [manifest.name], manifest
    if altered:
        advice = f"Delete {place}, then give the same command again: it is downloaded anew."
        raise DamagedError(f"The copy of {url} was altered: {altered[0]}.", where=str(place / altered[0]), next=advice)
    return local


def _download(url: str, place: Path, manifest: Path) -> None:
    """Every file first, the manifest last: without it there is no copy."""
    system, path = _connect(url)
    name = _name_of(url)
    try:
        if system.isdir(path):
            below = sorted(system.find(path))
            files = {f"{name}/{_inside(one, path)}": one for one in below}
        else:
            files = {name: path}
        hashes = {local: _copy(system, remote, place / local) for local, remote in files.items()}
    except (OSError, ValueError) as error:
        raise _explain(url, error) from error
    except Exception as error:
        if type(error).__module__.split(".")[0] in ("fsspec", "aiohttp", "botocore", "s3fs", "gcsfs", "google", "azure", "adlfs"):
            raise _explain(url, error) from error
        raise
    if not hashes:
        raise DataError(f"There is nothing at {url}.", where=url, next="Check the address.")
    durable.replace(manifest, json.dumps({"url": url, "name": name, "files": hashes}, indent=1).encode())


def _connect(url: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it."""
    try:
        import fsspec
    except ImportError as error:
        raise UsageError(
            "Data at an address needs fsspec, which is not installed.", where=url, next='pip install "surefoot[remote]", or download it yourself.'
        ) from error
    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        protocol = url.partition(":")[0]
        packages = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "http": "aiohttp", "https": "aiohttp"}
        raise UsageError(
            f"Addresses that begin with {protocol}:// need another package: {error}.", where=url, next=f"pip install {packages.get(protocol, protocol + 'fs')}"
        ) from error
    except ValueError as error:
        raise UsageError(f"{url} is no address that can be read: {error}.", where="data.source", next="Give https://, s3://, gs:// or a path.") from error
    return system, str(path)


def _copy(system: Any, remote: str, local: Path) -> str:
    digest = hashlib.sha256()
    with system.open(remote, "rb") as source, durable.replacing(local) as file:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _name_of(url: str) -> str:
    """The last part of an address, without query: readers look at suffixes."""
    parts = split_path(url.split("://", 1)[1].split("?")[0].split("#")[0])
    name = re.sub(r"[^\w.,=+-]", "_", parts[-1] if parts else "data")
    return "data" if name in ("", "..") else name


def _inside(path: str, top: str) -> str:
    """A path below a remote folder, with nothing in it that could lead out of the local one."""
    rest = path.removeprefix(top).lstrip("/")
    parts = split_path(rest)
    if not parts or ".." in parts or PurePosixPath(rest).is_absolute():
        raise ValueError(f"{path} leads out of the folder")
    return "/".join(parts)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _explain(url: str, error: Exception) -> DataError:
    return DataError(
        f"{url} can't be had: {type(error).__name__}: {str(error)[:300]}.", where=url, next="Check the address, the network and your permission to read it."
    )
