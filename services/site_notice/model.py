"""What a notice's file may say, and reading it: every fault by its place, as in the catalog.

{"kind": "warning", "from": "2026-12-01T20:00:00Z", "until": "2026-12-01T22:00:00Z",
 "text": {"en": "We're moving servers tonight.", "de": "Heute Nacht ziehen wir um."}}
"""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from catalog_entries import Entry, Text
from catalog_rules import problem_of_json, problems_in, read_json
from catalog_texts import Link

NoticeKind = Literal["info", "success", "warning", "danger"]


class SiteNotice(Entry):
    """A notice for everybody: what it says, how loudly, from when until when, and perhaps a link."""

    text: Text
    title: Text | None = None
    kind: NoticeKind = "info"
    begins: AwareDatetime | None = Field(None, alias="from")
    until: AwareDatetime | None = None
    link: Link | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.begins is not None and self.until is not None and self.until <= self.begins:
            raise ValueError("until must be later than from")
        return self

    def stands(self, now: datetime) -> bool:
        """Whether it is to be shown at a moment."""
        return (self.begins is None or self.begins <= now) and (self.until is None or now < self.until)

    @property
    def mark(self) -> str:
        """What tells two notices apart, in a few letters."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def lacks(self, locales: tuple[str, ...]) -> tuple[str, ...]:
        """Return the languages of these in which it is not written, and English stands instead."""
        written = self.text.root
        if isinstance(written, str):
            return ()
        known = {name.replace("_", "-").lower().partition("-")[0] for name in written}
        return tuple(locale for locale in locales if locale.lower().partition("-")[0] not in known)


class NoticeUnusable(Exception):
    """The file can't be used: `problems` says why, by place."""

    def __init__(self, path: Path, problems: tuple[str, ...]) -> None:
        super().__init__(f"{path}: {'; '.join(problems)}")
        self.problems = problems


def read_notice(path: Path) -> SiteNotice | None:
    """Return what a file says; None where there is none, or nothing in it. Raises NoticeUnusable."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoticeUnusable(path, (f"can't be read: {error.strerror}",)) from None
    if not content.strip():
        return None
    try:
        value, repeated = read_json(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NoticeUnusable(path, (str(problem_of_json(error)),)) from None
    if repeated:
        raise NoticeUnusable(path, tuple(map(str, repeated)))
    try:
        return SiteNotice.model_validate(value)
    except ValidationError as error:
        raise NoticeUnusable(path, tuple(map(str, problems_in(error)))) from None
