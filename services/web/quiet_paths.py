"""Addresses that are asked for so often that a log line or a span for each says nothing."""

from typing import Final

QUIET_PATHS: Final = ("/_nicegui", "/assets/", "/healthz", "/readyz", "/metrics", "/favicon")
