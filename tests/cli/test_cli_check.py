"""`python app.py check` on an installation with one thing broken: that is named, with its cure, and nothing else.

Broken services are in `test_cli_check_services.py`.
"""

import json
import re
import ssl
import subprocess
from pathlib import Path

import pytest

from cli.commands import main
from harness.redis_server import RedisServer
from services.entitlements.signing import new_key_pem
from tests.cli.installation import PRICE, Installation, Site, closed_port, site_at_public_url
from tests.contract.mock_payment_ms import Breakage, MockPaymentMS


def telling(feature: str) -> Breakage:
    """Return what makes a service say in its health that it has this, beyond the first version."""
    contract = {"version": 2, "features": [feature]}
    return lambda asked, told: told.having(contract=contract) if asked.path == "/health" else told


def test_sound_installation_has_no_fault_and_no_checkout_is_opened(
    installation: Installation, payment_ms: MockPaymentMS
) -> None:
    code, found = installation.check()

    assert code == 0
    assert {name: level for name, (level, _) in found.items() if level not in ("ok", "warning")} == {}
    assert found["settings"][0] == "warning"  # PUBLIC_URL is this machine's own address
    assert [asked.path for asked in payment_ms.asked if asked.method == "POST"] == []


def test_each_finding_is_one_line_and_an_error_names_its_cure(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    with closed_port() as port:
        installation.set(payment_ms_url=f"http://127.0.0.1:{port}")

        assert main(["check"]) == 1

    lines = capsys.readouterr().out.splitlines()
    [line] = [line for line in lines if line.startswith("ERROR")]
    assert re.search(r"^ERROR +payment_ms +Payment MS: nothing listens there at http://127.*PAYMENT_MS_URL\.$", line)
    assert re.search(r"\b1 error\.$", lines[-1])


class TestBrokenSettings:
    def test_wrong_settings_are_said_in_sentences_instead_of_a_crash(self, installation: Installation) -> None:
        installation.set(port="none", payment_ms_api_key="", sandbox="false")

        errors = installation.errors()

        assert errors.keys() == {"settings"}
        assert "PORT must be a whole number" in errors["settings"]

    def test_settings_that_contradict_each_other_are_named(self, installation: Installation) -> None:
        installation.set(storage_secret="", sandbox="true")

        errors = installation.errors()

        assert errors.keys() == {"settings"}
        assert "SANDBOX is true but PAYMENT_MS_API_KEY is set" in errors["settings"]
        assert "STORAGE_SECRET is not set" in errors["settings"]

    def test_setting_that_works_but_is_hardly_meant_is_a_warning(self, installation: Installation) -> None:
        installation.set(checkout_hosts="localhost:4242")

        code, found = installation.check()

        assert code == 0
        assert "which may be plain http" in found["settings"][1]

    def test_more_requests_at_once_than_the_service_says_it_bears_are_a_warning(
        self, installation: Installation, payment_ms: MockPaymentMS
    ) -> None:
        installation.set(payment_ms_max_in_flight="2")
        silent_code, silent = installation.check()
        payment_ms.breakage = telling("concurrency")
        _, telling_one = installation.check()

        assert silent_code == 0
        assert silent["payment_ms_bound"][0] == "warning"
        assert "breaks under two requests at once" in silent["payment_ms_bound"][1]
        assert "payment_ms_bound" not in telling_one


class TestBeforeTheStart:
    def test_nobody_is_asked(self, installation: Installation, payment_ms: MockPaymentMS) -> None:
        code, found = installation.check("--before-start")

        assert code == 0
        assert {"settings", "entitlements_key", "sign_in", "catalog", "catalog_ids"} <= set(found)
        assert set(found).isdisjoint({"storage", "payment_ms", "auth_ms", "clock", "public_url", "money"})
        assert payment_ms.asked == []

    def test_what_is_wrong_with_the_files_is_an_error(self, installation: Installation) -> None:
        installation.catalog.write_text("{", encoding="utf-8")

        assert installation.errors("--before-start").keys() == {"catalog"}


class TestBrokenCatalog:
    def test_problems_of_the_file_are_named_with_their_place(self, installation: Installation) -> None:
        text = installation.catalog.read_text(encoding="utf-8").replace('"amount": 900,', '"amount": 9.5,', 1)
        installation.catalog.write_text(text, encoding="utf-8")

        errors = installation.errors()

        assert errors.keys() == {"catalog"}
        assert "plans[1].prices.month.amount" in errors["catalog"]

    def test_file_that_is_not_there_is_named(self, installation: Installation) -> None:
        installation.set(catalog_path="elsewhere.json")

        assert "can't be read" in installation.errors()["catalog"]

    def test_ids_of_the_wrong_kind_are_named_by_place(self, installation: Installation) -> None:
        text = installation.catalog.read_text(encoding="utf-8")
        text = text.replace(f'"{PRICE}"', '"prod_9"').replace('"prod_1premium"', '"price_9"')
        installation.catalog.write_text(text, encoding="utf-8")

        errors = installation.errors()

        assert errors.keys() == {"catalog_ids"}
        assert "plans[1].prices.month.price_id" in errors["catalog_ids"]
        assert "plans[2].product_id" in errors["catalog_ids"]
        assert "prod_9" not in errors["catalog_ids"]

    def test_sandboxs_ids_at_a_real_payment_ms_are_named(self, installation: Installation) -> None:
        text = installation.catalog.read_text(encoding="utf-8").replace('"prod_1basic"', '"prod_sandbox_basic"')
        installation.catalog.write_text(text, encoding="utf-8")

        errors = installation.errors()

        assert errors.keys() == {"catalog_ids"}
        assert "is an id of the sandbox" in errors["catalog_ids"].lower()
        assert "register" in errors["catalog_ids"]

    def test_an_items_id_of_the_sandbox_has_a_cure_that_there_is(self, installation: Installation) -> None:
        text = installation.catalog.read_text(encoding="utf-8").replace(
            '"price_1sticker_pack"', '"price_sandbox_sticker_pack"'
        )
        installation.catalog.write_text(text, encoding="utf-8")

        said = installation.errors()["catalog_ids"]

        assert "Stripe's dashboard" in said
        assert "register" not in said

    def test_a_picture_that_there_is_none_of_is_a_warning(self, installation: Installation) -> None:
        text = installation.catalog.read_text(encoding="utf-8").replace('"image": "sell"', '"image": "sells"', 1)
        installation.catalog.write_text(text, encoding="utf-8")

        code, found = installation.check()

        assert code == 0
        assert found["catalog_pictures"][0] == "warning"
        assert re.search(r"items\[\d\]\.image\. Name one of bolt, .*, sell, ", found["catalog_pictures"][1])

    def test_a_file_that_is_no_json_is_told_by_its_line(self, installation: Installation) -> None:
        installation.catalog.write_text('{"plans": [\n  {"id": "x"\n  "name": 1}]}', encoding="utf-8")

        assert "line 3, column 3" in installation.errors()["catalog"]

    def test_ids_of_former_prices_and_products_are_looked_at_too(self, installation: Installation) -> None:
        installation.change_plan("basic", former_product_ids=["price_8"], former_price_ids=["prod_8", "price_8"])

        errors = installation.errors()

        assert errors.keys() == {"catalog_ids"}
        assert "plans[1].former_product_ids[0]" in errors["catalog_ids"]
        assert "plans[1].former_price_ids[0]" in errors["catalog_ids"]
        assert "plans[1].former_price_ids[1]" not in errors["catalog_ids"]


class TestLifeOfTheCatalog:
    def test_retired_plans_are_not_counted_among_those_sold(self, installation: Installation) -> None:
        _, before = installation.check()
        installation.change_plan("basic", retired=True)

        _, found = installation.check()

        assert "sells 5 plans" in before["catalog"][1]
        assert "sells 4 plans" in found["catalog"][1]

    def test_price_whose_time_is_over_is_a_warning(self, installation: Installation) -> None:
        installation.change_price("basic", "year", until="2020-01-01T00:00:00Z")
        installation.change_price("premium", "year", until="2999-01-01T00:00:00Z")

        code, found = installation.check()

        assert code == 0
        assert found["catalog_until"][0] == "warning"
        assert "plans[1].prices.year" in found["catalog_until"][1]
        assert "plans[2]" not in found["catalog_until"][1]

    def test_plan_with_no_price_left_is_a_warning(self, installation: Installation) -> None:
        installation.change_price("basic", "month", retired=True)
        installation.change_price("basic", "year", until="2020-01-01T00:00:00Z")

        _, found = installation.check()

        assert found["catalog_retired"][0] == "warning"
        assert "plans[1]" in found["catalog_retired"][1]

    def test_catalog_that_offers_nothing_is_a_warning(self, installation: Installation) -> None:
        content = json.loads(installation.catalog.read_text(encoding="utf-8"))
        plans = [{**plan, "retired": True} for plan in content["plans"]]
        installation.catalog.write_text(json.dumps({"features": content["features"], "plans": plans}), encoding="utf-8")

        _, found = installation.check()

        assert found["catalog"][0] == "warning"
        assert "offers nothing" in found["catalog"][1]

    def test_own_words_that_lack_an_offered_language_are_a_warning(self, installation: Installation) -> None:
        content = json.loads(installation.catalog.read_text(encoding="utf-8"))
        texts = {"hero": {"en": "Hello", "de": "Hallo"}, "lead": "For all", "footer": {"en": "A", "de": "B", "ja": "C"}}
        installation.catalog.write_text(json.dumps({**content, "texts": texts}), encoding="utf-8")
        installation.set(languages="en,de,ja")

        _, found = installation.check()

        assert found["catalog_texts"][0] == "warning"
        assert "Shown in English in these languages: texts.hero (ja)." in found["catalog_texts"][1]

    def test_trials_that_nobody_is_known_to_give_are_a_warning(self, installation: Installation) -> None:
        installation.set(payment_ms_gives_trials="")
        _, found = installation.check()
        installation.set(payment_ms_gives_trials="true")
        _, given = installation.check()

        assert found["catalog_trials"][0] == "warning"
        assert "plans[3].prices.month" in found["catalog_trials"][1]
        assert "PAYMENT_MS_GIVES_TRIALS" in found["catalog_trials"][1]
        assert "catalog_trials" not in given

    def test_trials_that_the_service_says_it_gives_are_none(
        self, installation: Installation, payment_ms: MockPaymentMS
    ) -> None:
        payment_ms.breakage = telling("trial_days")
        installation.set(payment_ms_gives_trials="")
        _, unset = installation.check()
        _, offline = installation.check("--before-start")
        installation.set(payment_ms_gives_trials="false")
        _, refused = installation.check()

        assert "catalog_trials" not in unset
        assert "catalog_trials" not in offline
        assert "PAYMENT_MS_GIVES_TRIALS is false" in refused["catalog_trials"][1]


class TestBrokenStorage:
    def test_folder_that_can_not_be_made(self, installation: Installation) -> None:
        installation.set(storage_path=str(installation.catalog / "store.sqlite3"))

        errors = installation.errors()

        assert errors.keys() == {"storage"}
        assert "STORAGE_PATH" in errors["storage"]

    def test_file_that_is_no_database(self, installation: Installation) -> None:
        installation.set(storage_path=str(installation.catalog))
        before = installation.catalog.read_bytes()

        errors = installation.errors()

        assert errors.keys() == {"storage"}
        assert "file is not a database" in errors["storage"]
        assert installation.catalog.read_bytes() == before

    def test_trial_leaves_nothing_behind(self, installation: Installation) -> None:
        before = sorted(installation.folder.rglob("*"))

        installation.check()

        assert sorted(installation.folder.rglob("*")) == before

    def test_redis_that_is_gone_is_named_without_its_password(self, installation: Installation) -> None:
        with closed_port() as port:
            installation.set(redis_url=f"redis://:very-secret@127.0.0.1:{port}/0", entitlements_key=new_key_pem())

            code, found = installation.check()

        assert code == 1
        assert found["redis"][0] == "error"
        assert f"Redis at 127.0.0.1:{port}" in found["redis"][1]
        assert found["payment_ms_key"][0] == "skipped"
        assert "very-secret" not in str(found)

    def test_redis_that_answers_is_used_to_keep_apart_from_the_app(
        self,
        installation: Installation,
        redis_server: RedisServer,
    ) -> None:
        installation.set(**redis_server.settings)

        code, found = installation.check()

        assert code == 0
        assert found["redis"][0] == found["payment_ms_key"][0] == "ok"
        assert "payment_ms" in redis_server.command("KEYS", "*s:payment_ms:*")


class TestBrokenPublicUrl:
    def test_another_site_behind_it(self, installation: Installation, app: Site) -> None:
        app.health = 404

        errors = installation.errors()

        assert errors.keys() == {"public_url"}
        assert "/healthz answers 404" in errors["public_url"]

    def test_name_that_can_not_be_resolved(self, installation: Installation) -> None:
        installation.set(public_url="https://pay.invalid", auth_ms_public_url="https://auth.invalid")

        assert installation.errors().keys() == {"public_url"}

    def test_certificate_that_nobody_trusts(self, installation: Installation, tmp_path: Path) -> None:
        with site_at_public_url(_own_certificate(tmp_path)) as site:
            installation.set(public_url=site.url)

            errors = installation.errors()

        assert errors.keys() == {"public_url"}
        assert "certificate" in errors["public_url"]

    def test_plain_http_for_everybody(self, installation: Installation) -> None:
        installation.set(public_url="http://pay.invalid")

        errors = installation.errors()

        assert errors.keys() == {"public_url", "public_url_https"}
        assert "https" in errors["public_url_https"]

    def test_cookie_that_lost_its_flags_on_the_way(self, installation: Installation, app: Site) -> None:
        app.cookies = ["session=a.b; Path=/; Max-Age=60"]

        errors = installation.errors()

        assert errors.keys() == {"cookies"}
        assert "The cookie session is set without HttpOnly, SameSite=Lax." in errors["cookies"]

    def test_app_that_is_not_running_here_is_no_fault(self, installation: Installation) -> None:
        with closed_port() as port:
            installation.set(public_url=f"http://127.0.0.1:{port}")

            code, found = installation.check()

        assert code == 0
        assert found["public_url"][0] == "skipped"


def _own_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate that no authority has signed."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
