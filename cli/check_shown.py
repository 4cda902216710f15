"""What the operator has switched for all pages: that nothing is sold, and a notice from a file."""

from datetime import UTC, datetime
from pathlib import Path

from cli.findings import Finding, error, ok, warning
from languages import Offered
from services.site_notice.model import NoticeUnusable, read_notice
from settings import Settings


def look_at_shown(settings: Settings) -> list[Finding]:
    """Return a finding for each of them that is in use."""
    found = []
    if not settings.selling:
        said = settings.selling_off_text or "our own words"
        found.append(warning("selling", f"SELLING is off: nothing is sold, and pages say so ({said})."))
    if settings.notice_file:
        found.append(_notice(settings))
    return found


def _notice(settings: Settings) -> Finding:
    path = Path(settings.notice_file)
    try:
        notice = read_notice(path)
    except NoticeUnusable as problem:
        cure = f"Correct {path}; the running app keeps the last notice that could be read."
        return error("notice", f"{'; '.join(problem.problems)}.", cure)
    if notice is None:
        return ok("notice", f"{path} holds no notice now.")
    offered = Offered.by(settings.languages, settings.default_language).locales
    if lacking := notice.lacks(offered):
        return warning(
            "notice", f"The notice in {path} is in English for readers of {', '.join(lacking)}.", "Add them."
        )
    now = datetime.now(UTC)
    when = "stands now" if notice.stands(now) else "does not stand now (from, until)"
    return ok("notice", f"The notice in {path} {when}: “{notice.text}”.")
