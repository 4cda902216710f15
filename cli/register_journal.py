"""Ids that the Payment MS has given and that no catalog holds yet. Nobody can be asked for them a second time.

Each is on the disk before the next plan is asked for, so that a crash, a full disk or a "no" loses none. One line an
answer, in a file beside the catalog; it is gone again once the catalog has been written. Holds no secret.
"""

import fcntl
import hashlib
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from catalog import Interval
from cli.whole_file import replace_file


class JournalBusy(Exception):
    """Another ``register`` works on this catalog."""


class MadePrice(BaseModel):
    """A price as the Payment MS made it; the amount in minor units."""

    model_config = ConfigDict(frozen=True)

    price_id: str
    amount: int
    currency: str


class Made(BaseModel):
    """A plan as the Payment MS made it; ``service`` tells one service and project from another."""

    model_config = ConfigDict(frozen=True)

    service: str
    plan: str
    product_id: str
    prices: dict[Interval, MadePrice]


class Journal:
    """The open journal of one catalog, locked against a second ``register``."""

    def __init__(self, path: Path, descriptor: int, service: str) -> None:
        self.path = path
        self._service = service
        self._descriptor = descriptor
        self._entries = _read(descriptor)

    @classmethod
    @contextmanager
    def beside(cls, catalog: Path, url: str, key: SecretStr) -> Iterator[Self]:
        """Open the journal of a catalog for one service and key. Raises OSError, and JournalBusy if it is in use."""
        path = catalog.with_name(f".{catalog.name}.registered")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(path, descriptor)
            journal = cls(path, descriptor, service_mark(url, key))
            try:
                yield journal
            finally:
                if not journal._entries:
                    path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def made(self) -> dict[str, Made]:
        """Return what this service has made and no catalog holds yet, by plan."""
        return {entry.plan: entry for entry in self._entries if entry.service == self._service}

    def note(self, plan: str, product_id: str, prices: dict[Interval, MadePrice]) -> Made:
        """Put an answer on the disk, and return it."""
        entry = Made(service=self._service, plan=plan, product_id=product_id, prices=prices)
        _write_all(self._descriptor, f"{entry.model_dump_json()}\n".encode())
        os.fsync(self._descriptor)
        self._entries.append(entry)
        return entry

    def forget(self, plans: Collection[str]) -> None:
        """Drop these plans of this service: the catalog holds them now. The last thing to do with a journal."""
        left = [entry for entry in self._entries if entry.service != self._service or entry.plan not in plans]
        if left != self._entries:
            replace_file(self.path, "".join(f"{entry.model_dump_json()}\n" for entry in left).encode())
            self._entries = left


def _lock(path: Path, descriptor: int) -> None:
    """Have the file to ourselves, and be sure that it is still the one of that name."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino != path.stat().st_ino:
            raise FileNotFoundError
    except (BlockingIOError, FileNotFoundError):
        raise JournalBusy(f"Another register works on this catalog (it holds {path}).") from None


def service_mark(url: str, key: SecretStr) -> str:
    """Return what tells a service and project apart from others without naming its key."""
    return hashlib.sha256(f"register\0{url}\0{key.get_secret_value()}".encode()).hexdigest()[:16]


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]


def _read(descriptor: int) -> list[Made]:
    """Return the whole entries. A line that a crash broke off is ended, so that the next one stands alone."""
    content = b""
    while chunk := os.read(descriptor, 65536):
        content += chunk
    if content and not content.endswith(b"\n"):
        _write_all(descriptor, b"\n")
    entries = []
    for line in content.splitlines():
        try:
            entries.append(Made.model_validate_json(line))
        except ValidationError:
            continue
    return entries
