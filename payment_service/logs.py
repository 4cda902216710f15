"""Logs: structlog, a line an event, without secrets, e-mail addresses or user ids."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from payment_service.settings import ServiceSettings

Event = MutableMapping[str, Any]

_SECRET_FORMS = re.compile(
    r"\b(?:sk|rk)_(?:test|live)_\w+|\bwhsec_[\w+/=]+|\bproj_[\w-]{20,}|[^\s@\"']+@[^\s@\"']+\.\w+"
)


def configure_service_logs(settings: ServiceSettings) -> None:
    """Send every event of this process to standard error, from now on."""
    known = [re.escape(text) for text in sorted(settings.all_secrets(), key=len, reverse=True)]
    secrets = re.compile("|".join([*known, _SECRET_FORMS.pattern]))

    def without_secrets(_logger: object, _method: str, event: Event) -> Event:
        return {
            name: secrets.sub("[redacted]", value) if isinstance(value, str) else value for name, value in event.items()
        }

    people = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last = structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer()
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[without_meta, structlog.processors.format_exc_info, without_secrets, last],
        )
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    for quiet in ("stripe", "urllib3", "httpx", "httpcore", "uvicorn.access", "alembic", "asyncio"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
