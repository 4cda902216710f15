"""What is known without asking anybody: `check` says it, and so does the log of every start."""

import json
from pathlib import Path

import pytest
import structlog

from catalog import load_catalog
from cli.check_catalog import sandbox_ids_refused
from cli.check_keys import look_at_keys
from cli.check_offline import doubts, look_at_files
from cli.check_sign_in import look_at_sign_in
from cli.serve import tell_doubts
from settings import SANDBOX_API_KEY, Settings, load_settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "Zq8vR2mK5tX1wB9nL4pD7sF3hJ6gC0yA"
RSA_OR_CUT_OFF = "-----BEGIN PRIVATE KEY-----\\nMIGHAgEAMBMGByqGSM49AgEG\\n-----END PRIVATE KEY-----"


def live(**values: object) -> Settings:
    """Settings with a real key at a public address."""
    given = {
        "payment_ms_api_key": "proj_" + "k7Qz0" * 8 + "abc",
        "storage_secret": SECRET,
        "public_url": "https://pay.example.com",
        "auth_ms_url": "https://auth.example.com",
        "catalog_path": str(ROOT / "products.json"),
        "_env_file": None,
    }
    return load_settings(**{**given, **values})


def refusal(settings: Settings) -> str:
    return sandbox_ids_refused(settings, load_catalog(settings.catalog_path))


def test_ids_of_the_sandbox_with_a_real_key_refuse_the_start() -> None:
    said = refusal(live())

    assert "has ids of the sandbox (plans[1].product_id, " in said
    assert "python app.py register" in said
    assert "ALLOW_SANDBOX_IDS" in said


@pytest.mark.parametrize("values", [{"allow_sandbox_ids": True}, {"payment_ms_api_key": SANDBOX_API_KEY}])
def test_they_do_not_where_that_is_meant(values: dict[str, object]) -> None:
    assert refusal(live(**values)) == ""


def test_ids_of_ones_own_refuse_nothing(tmp_path: Path) -> None:
    path = tmp_path / "products.json"
    path.write_text((ROOT / "products.json").read_text(encoding="utf-8").replace("_sandbox_", "_1"), encoding="utf-8")

    assert refusal(live(catalog_path=str(path))) == ""


def test_the_start_says_what_check_says(tmp_path: Path) -> None:
    path = tmp_path / "products.json"
    text = (ROOT / "products.json").read_text(encoding="utf-8").replace("_sandbox_", "_test_")
    path.write_text(json.dumps({**json.loads(text), "items": []}), encoding="utf-8")
    settings = live(catalog_path=str(path), auth_ms_url="http://auth.example.com", checkout_hosts="localhost:4242")

    with structlog.testing.capture_logs() as lines:
        tell_doubts(settings)

    told = {line["check"]: line for line in lines if line["event"] == "installation_doubtful"}
    assert {"settings", "sign_in", "catalog_ids"} <= told.keys()
    assert "a test's id by its name" in told["catalog_ids"]["problem"]
    assert told["catalog_ids"]["log_level"] == "error"
    assert "which may be plain http" in told["settings"]["problem"]
    assert [line["problem"] for line in lines] == [doubt.detail for doubt in doubts(settings)]


def test_a_file_of_webhooks_that_the_start_refuses_is_an_error_of_check(tmp_path: Path) -> None:
    path = tmp_path / "webhooks.json"
    path.write_text('{"endpoints": [\n  {"name": "crm"\n}', encoding="utf-8")

    [said] = [one for one in look_at_files(live(webhooks_path=str(path)))[0] if one.check == "webhooks"]

    assert said.level == "error"
    assert "line 3" in said.detail


def test_plain_http_to_the_auth_ms_behind_https_is_an_error_with_its_cure() -> None:
    said = look_at_sign_in(live(auth_ms_url="http://auth:8080"))

    assert said.level == "error"
    assert "AUTH_MS_PUBLIC_URL" in said.cure


def test_an_address_of_its_own_for_browsers_is_enough() -> None:
    said = look_at_sign_in(live(auth_ms_url="http://auth:8080", auth_ms_public_url="https://auth.example.com"))

    assert said.level == "ok"
    assert "https://auth.example.com" in said.detail
    assert "https://pay.example.com/auth/callback" in said.detail
    assert "?state=" in said.detail


def test_a_key_that_can_not_sign_is_an_error() -> None:
    [said] = look_at_keys(live(entitlements_key=RSA_OR_CUT_OFF))

    assert said.level == "error"
    assert "ENTITLEMENTS_KEY" in said.detail
