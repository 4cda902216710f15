"""The control panel: presets, every setting with its help, what can be done to a subscription."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.panel.actions import SUBSCRIPTION_ACTIONS
from sandbox.panel.settings_fields import GROUPS
from sandbox.presets import PRESETS, Preset
from sandbox.settings import RuntimeSettings
from tests.sandbox.local import ADA, MONTHLY, LocalShop
from tests.sandbox.shop import text_of


def press(local: LocalShop, action: str, **fields: str) -> str:
    """Press a button of the panel; returns what it said."""
    answer = local.http.post(f"{local.place.stripe_url}/panel/{action}", data=fields)
    said = parse_qs(urlsplit(answer.headers["location"]).query)
    return (said.get("said") or said.get("problem") or [""])[0]


def form(local: LocalShop) -> dict[str, str]:
    """What a browser would post of the settings, untouched."""
    page = local.http.get(local.place.stripe_url).text
    part = page[page.index('class="settings"') : page.index('data-testid="save-settings"')]
    inputs = dict(re.findall(r'<input (?:id="[^"]*" )?name="([^"]+)"[^>]*? value="([^"]*)"', part))
    switches = re.findall(r'<input type="checkbox" name="([^"]+)"[^>]* checked>', part)
    selects = re.findall(r'<select id="[^"]*" name="([^"]+)".*?</select>', part, re.DOTALL)
    chosen = {
        name: re.search(rf'name="{name}".*?<option value="([^"]*)" selected', part, re.DOTALL) for name in selects
    }
    return {
        **inputs,
        **dict.fromkeys(switches, "on"),
        **{name: found[1] for name, found in chosen.items() if found},
        "all": "yes",
    }


def test_every_setting_has_a_label_and_help() -> None:
    fields = [field for group in GROUPS for field in group.fields]

    assert sorted(field.name for field in fields) == sorted(RuntimeSettings.model_fields)
    assert all(field.label and field.help.endswith(".") for field in fields)


def test_page_shows_every_setting_with_its_help(local: LocalShop) -> None:
    page = local.http.get(local.place.stripe_url).text

    for name in RuntimeSettings.model_fields:
        assert f'aria-describedby="h-{name}"' in page
        assert f'id="h-{name}"' in page


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_preset_is_one_press_and_said_to_be_in_use(local: LocalShop, preset: Preset) -> None:
    title, name = preset.title, preset.name

    said = press(local, "preset", preset=name)

    assert said.startswith(title)
    assert f"Now: {title}" in text_of(local.http.get(local.place.stripe_url)).replace("&#39;", "'")


def test_form_saved_as_it_is_changes_nothing(local: LocalShop) -> None:
    press(local, "preset", preset="public_service_november_2025")
    before = local.control("GET", "settings")

    assert press(local, "settings", **form(local)) == "Settings saved."

    assert local.control("GET", "settings") == before


def test_switch_that_is_not_posted_is_off(local: LocalShop) -> None:
    fields = form(local)
    del fields["portal_cancel"]

    press(local, "settings", **fields)

    assert local.control("GET", "settings")["portal_cancel"] is False


def test_mixture_of_settings_is_called_one(local: LocalShop) -> None:
    local.set(webhook_mode="lose", latency=0.01)

    assert "a mixture of 2 changed settings" in text_of(local.http.get(local.place.stripe_url))


@pytest.mark.parametrize("action", SUBSCRIPTION_ACTIONS)
def test_everything_can_be_done_to_a_subscription(local: LocalShop, action: str) -> None:
    local.subscribe()
    subscription = local.subscription(ADA)["id"]

    said = press(local, "subscription", subscription=subscription, do=action)

    truth = local.running_truth()
    done = {
        "cancel-at-period-end": truth["cancel_at_period_end"],
        "cancel-at": truth["cancel_at"] is not None,
        "cancel": truth["status"] == "canceled",
        "pause": truth["pause_collection"] is not None,
        "resume": truth["renews"],
        "refund": truth["charges"][0]["refunded"] == 2900,
        "dispute": truth["charges"][0]["dispute"] == "needs_response",
    }
    assert done[action], said


def test_impossible_action_says_why(local: LocalShop) -> None:
    local.subscribe()
    subscription = local.subscription(ADA)["id"]
    local.act("cancel")

    assert press(local, "subscription", subscription=subscription, do="pause") == (
        "That can't be done: the subscription is canceled."
    )


def test_raised_price_is_charged(local: LocalShop) -> None:
    local.subscribe()

    said = press(local, "price", price=MONTHLY, amount="3900", do="all")

    assert said == "New checkouts cost that, and 1 subscriptions from their next renewal on."
    assert local.running_truth()["next_charge"]["amount"] == 3900


@pytest.mark.parametrize(("paid", "charged"), [("yes", {"usd": 2900}), ("no", {})])
def test_delayed_payment_is_decided_in_the_panel(local: LocalShop, paid: str, charged: dict[str, int]) -> None:
    session = local.subscribe(card="AT611904300234573201")["id"]
    assert "Money arrives" in local.http.get(local.place.stripe_url).text

    press(local, "settle", session=session, paid=paid)

    assert local.truth()["charged"] == charged


@pytest.mark.parametrize("path", ["/", "/states", "/calls"])
def test_way_back_to_the_app(local: LocalShop, path: str) -> None:
    page = local.http.get(local.place.stripe_url + path).text

    assert 'href="http://localhost:8081" class="to-app"' in page


def test_hosted_pages_lead_to_the_panel(local: LocalShop) -> None:
    local.subscribe()
    pages = [local.checkout(ADA)["checkout_url"], local.portal_url(ADA)]

    assert all('<a href="/" data-testid="sandbox-panel-link">' in local.http.get(page).text for page in pages)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "$29.00 today, then every month until you cancel"),
        ("ONCE50", "$14.50 today, then $29.00 every month until you cancel"),
        ("THREEMONTHS50", "then $14.50 every month until 15 April 2026 and $29.00 after it"),
        ("FOREVER50", "$14.50 today, then every month until you cancel"),
    ],
)
def test_checkout_says_what_comes_after_the_code(local: LocalShop, code: str, words: str) -> None:
    session = local.checkout(ADA, product_id="prod_sandbox_premium", price_id=MONTHLY)
    local.http.post(session["checkout_url"] + "/promotion", data={"code": code})

    assert words in text_of(local.http.get(session["checkout_url"]))


def test_portal_says_what_the_renewal_costs(local: LocalShop) -> None:
    local.set(tax="added")
    local.subscribe(promotion="ONCE50")

    assert "Renews on 15 February 2026 for $34.51" in text_of(local.http.get(local.portal_url(ADA)))
