"""What `docs/sandbox.md` says is what there is: settings with their defaults, calls, cards, hooks."""

import re
from pathlib import Path

import pytest

from sandbox.presets import PRESETS
from sandbox.settings import SANDBOX_API_KEY, SandboxSettings
from sandbox.stripe.amounts import COUPONS
from sandbox.stripe.payment_methods import PAYMENT_METHODS
from tests.sandbox.shop import Shop

ROOT = Path(__file__).resolve().parents[2]
DOCS = (ROOT / "docs/sandbox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SandboxSettings.model_fields)
def test_setting_stands_in_the_docs_with_its_default(name: str) -> None:
    row = re.search(rf"^\| `SANDBOX_{name.upper()}` \| (.*?) ?\| ", DOCS, re.MULTILINE)
    default = SandboxSettings.model_fields[name].default

    assert row, f"SANDBOX_{name.upper()} is not documented"
    if default not in ("", None) and name not in ("api_key", "webhook_secret"):  # shown masked
        assert row[1] == f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_docs_name_no_setting_that_is_gone() -> None:
    named = set(re.findall(r"^\| `SANDBOX_(\w+)`", DOCS, re.MULTILINE))

    assert named == {name.upper() for name in SandboxSettings.model_fields}


def test_docs_list_exactly_the_calls_there_are(shop: Shop) -> None:
    paths = shop.http.get(f"{shop.running.control_url}/openapi.json").json()["paths"]
    calls = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods if "/control" in path}

    assert set(re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /control\S*)`", DOCS, re.MULTILINE)) == calls


def test_docs_list_every_card_and_code() -> None:
    for card in PAYMENT_METHODS:
        assert f"| `{card.spaced}` |" in DOCS
    for code in COUPONS:
        assert f"`{code}`" in DOCS


def test_docs_list_every_preset() -> None:
    for preset in PRESETS:
        assert f"`{preset.name}`" in DOCS


def test_docs_name_every_hook() -> None:
    templates = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "sandbox/templates").glob("*.html"))
    hooks = {
        re.split(r"[{]", hook)[0].rstrip("-")
        for hook in re.findall(r'data-testid="((?:sandbox|card|pay|cancel|portal|state|put)[^"]*)"', templates)
    }

    assert len(hooks) > 20
    assert [hook for hook in hooks if f"`{hook}" not in DOCS and hook not in ("card-expiry", "card-cvc")] == []


def test_api_key_is_as_long_as_a_real_one() -> None:
    assert len(SANDBOX_API_KEY) == 48
    assert SANDBOX_API_KEY.startswith("proj_")
