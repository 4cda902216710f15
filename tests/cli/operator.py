"""Somebody who runs `register`, and what it did to the installation."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from catalog import load_catalog
from cli.console import Console
from tests.cli.installation import ROOT, Installation
from tests.contract.mock_payment_ms import MockPaymentMS

COMMAND = [sys.executable, str(ROOT / "app.py"), "register"]
PLANS = ["Basic", "Premium", "Enterprise"]


@dataclass
class Operator:
    """Somebody at the terminal: answers questions in order, and keeps what was said."""

    answers: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def ask(self, question: str) -> str:
        self.asked.append(question)
        return self.answers.pop(0)

    def console(self, *, yes: bool = False) -> Console:
        return Console(asks=True, yes=yes, ask=self.ask, say=self.said.append)

    @property
    def words(self) -> str:
        return "\n".join(self.said)


def registrations(mock: MockPaymentMS) -> list[str]:
    """The plans that were asked for, one request each."""
    asked = [asked.body["plans"] for asked in mock.asked if asked.path == "/admin/products/register"]
    return [plan["name"] for [plan] in asked]


def journal(installation: Installation) -> Path:
    return installation.folder / ".products.json.registered"


def product_ids(installation: Installation) -> dict[str, str | None]:
    return {str(plan.name): plan.product_id for plan in load_catalog(installation.catalog).plans if plan.product_id}
