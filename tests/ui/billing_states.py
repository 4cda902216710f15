"""The states that a test can put Ada into, and what the billing page offers her then."""

from datetime import UTC, datetime, timedelta

from services.errors import SignInUnavailable, UpstreamUnavailable
from tests.ui.billing_world import World
from tests.ui.reading import tags_in, text_of
from ui.nicegui_ext.html import Tag

NOW = datetime.now(UTC)
SOON = NOW + timedelta(days=20)
PAST = NOW - timedelta(days=5)


def active(world: World) -> None:
    world.billing.has("premium", "active", until=SOON)
    world.accounts.says("active", "premium")


def trialing(world: World) -> None:
    world.billing.has("premium", "trialing", until=SOON)
    world.accounts.says("trialing", "premium")


def ending(world: World) -> None:
    world.billing.has("premium", "active", until=SOON, ends=True)
    world.accounts.says("active", "premium")


def past_due(world: World) -> None:
    world.billing.has("premium", "past_due", until=SOON)
    world.accounts.says("past_due", "premium")


def unpaid(world: World) -> None:
    world.billing.has("premium", "unpaid")
    world.accounts.says("unpaid", "premium")


def incomplete(world: World) -> None:
    world.billing.has("premium", "incomplete")
    world.accounts.says("incomplete", "premium")


def incomplete_expired(world: World) -> None:
    world.billing.has("premium", "incomplete_expired")
    world.accounts.says("none")


def paused(world: World) -> None:
    world.billing.has("premium", "paused")
    world.accounts.says("paused", "premium")


def canceled(world: World) -> None:
    world.billing.has("premium", "canceled", until=PAST)
    world.accounts.says("canceled", "premium", PAST)


def paid_until(world: World) -> None:
    world.billing.has("premium", "canceled", until=SOON)
    world.accounts.says("canceled", "premium", SOON)


def on_record(world: World) -> None:
    world.billing.has("premium", None, until=SOON)


def unknown_word(world: World) -> None:
    world.billing.has("premium", "frozen_by_bank", until=SOON)


def conflict(world: World) -> None:
    world.billing.has("premium", "canceled", until=PAST)
    world.accounts.says("active", "premium")


def on_account(world: World) -> None:
    world.accounts.says("active", "premium")


def comped(world: World) -> None:
    world.accounts.says("gifted", "premium")


def unavailable(world: World) -> None:
    world.billing.failure = UpstreamUnavailable("payment_ms", "subscription")
    world.accounts.failure = SignInUnavailable("down")


def nothing(world: World) -> None:
    world.accounts.says("none")


def card_actions(world: World) -> list[str]:
    """Return the labels of the buttons on the subscription's card, in order."""
    return [text_of(label).strip() for box in world.classed("subscription-actions") for label in labels_in(box)]


def labels_in(box: Tag) -> list[Tag]:
    """Return the labels of the buttons in a part of the page."""
    return [tag for tag in tags_in(box) if "button-label" in tag._classes]


def offered(world: World, plan: str) -> str:
    """Return what a plan's card offers: its button's label, "Current plan", or nothing."""
    card = world.one(f"plan-card-{plan}")
    return text_of(next(tag for tag in tags_in(card) if "plan-action" in tag._classes)).strip()
