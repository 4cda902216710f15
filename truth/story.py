"""A story: how the world is set up, and what people, Stripe and machines do in it, step by step. Plain numbers, so that
the same story can be told again, written down and made shorter.
"""

import json
import random
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

SHAPES: Final = ("running", "documented", "openapi", "detailed")
PLACES: Final = ("beside", "projects", "silent")
ZONES: Final = ("UTC", "Asia/Tokyo", "America/Los_Angeles")

QUIRKS: Final[tuple[dict[str, object], ...]] = (
    {"coupon_duration": "once"}, {"coupon_duration": "repeating"}, {"tax": "added"}, {"tax": "included"},
    {"presentment_currency": "eur"}, {"proration": "next_invoice"}, {"proration": "now"}, {"session_hours": 0.5},
    {"delayed_status": "incomplete"}, {"trial_needs_card": False}, {"trial_end_without_card": "pause"},
    {"customer_per_checkout": True}, {"portal_cancel": False}, {"portal_plan_change": False},
    {"plan_changes": "period_end"}, {"cancellation_form": "cancel_at"}, {"tells_nobody": True},
    {"drops_customer_created": True}, {"record_stays_under_old_product": True}, {"trials": "none"},
    {"auth_shape": "flat"}, {"portal_shape": "url"},
)  # fmt: skip
"""How Stripe, its account and the services differ between installations: the sandbox's runtime settings."""

WEIGHTS: Final[dict[str, int]] = {
    "open": 10, "press": 8, "choose": 16, "pay": 16, "back": 7, "duplicate": 3, "portal": 10, "close": 2, "reload": 2,
    "cut": 2, "wait": 12, "news": 6, "deliver": 3, "restart": 2, "redis": 1, "catalog": 5, "stripe": 5, "account": 4,
    "sales": 2, "address": 2, "api": 3, "cart": 4,
}  # fmt: skip
"""What happens in stories, and how often. `truth/steps.py` has a method of each name."""

SERVICES: Final = ("recorded", "own")
"""Which Payment MS there is: the sandbox's, as the public one was recorded, or `payment_service` at its Stripe."""

LONGEST: Final = 12

SECOND_EACH: Final = 4
"""In one of so many stories the Payment MS keeps the second version of the contract."""

BEGINNINGS: Final = (
    ("choose", "pay"), ("choose", "pay"), ("choose", "pay", "wait"), ("choose", "duplicate", "pay"), ("cart", "pay"),
    ("open", "choose"), ("open",), ("account", "open"), ("sales", "open"), ("news", "choose", "pay"),
    ("catalog", "open"), ("choose", "stripe", "choose", "choose", "choose"),
    ("cart", "cart", "cut", "catalog", "press"),
    ("choose", "pay", "portal", "wait"), ("choose", "duplicate", "pay", "back", "choose"), ("open", "catalog", "press"),
    ("choose", "pay", "account", "stripe", "open"),
)  # fmt: skip
"""Stories begin where something begins: the rest of a life depends on it."""


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One thing that happens. The numbers choose among what is there at that moment, so any numbers fit.

    A kept story says in `what` which element is pressed, by a test id or class around it: its place changes with the
    page.
    """

    name: str
    a: int = 0
    b: int = 0
    c: int = 0
    what: str = ""

    def __str__(self) -> str:
        return f"{self.name}({self.a}, {self.b}, {self.c})"


@dataclass(frozen=True, slots=True)
class Setup:
    """How the world is before the first step."""

    shape: str = "running"
    place: str = "beside"
    zone: str = "UTC"
    delay: int = 2
    push: bool = False
    stale: str = "ignore"
    word: str = "active"
    dunning: str = "canceled"
    people: int = 1
    skew: int = 0
    changes: tuple[int, ...] = ()
    quirks: tuple[int, ...] = ()
    """Places in `QUIRKS`."""
    contract: int = 1
    """Which version of the contract the sandbox's Payment MS keeps."""
    service: str = "recorded"
    """One of `SERVICES`."""

    @property
    def second(self) -> bool:
        """Whether the Payment MS keeps the contract's second version."""
        return self.contract == 2 or self.service == "own"


@dataclass(frozen=True, slots=True)
class LifeStory:
    """A life, or a few."""

    setup: Setup
    steps: tuple[StoryStep, ...]
    seed: int | None = None

    def to_json(self) -> str:
        """Return the story as one line of JSON."""
        return json.dumps(
            {
                "setup": asdict(self.setup),
                "steps": [[s.name, s.a, s.b, s.c, *filter(None, [s.what])] for s in self.steps],
                "seed": self.seed,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        told: dict[str, Any] = json.loads(text)
        setup: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in told["setup"].items()
        }
        return cls(Setup(**setup), tuple(StoryStep(*step) for step in told["steps"]), told.get("seed"))

    def without(self, first: int, last: int) -> "LifeStory":
        """Return the story without the steps from `first` to `last`."""
        return replace(self, steps=self.steps[:first] + self.steps[last:])


def story_of(seed: int, service: str = "recorded") -> LifeStory:
    """Return the story of a seed: the same life with either service."""
    chance = random.Random(seed)  # noqa: S311 - guards nothing
    setup = Setup(
        shape=chance.choice(SHAPES),
        place=chance.choices(PLACES, (5, 2, 3))[0],
        zone=chance.choice(ZONES),
        delay=chance.choices((2, 0, 90, 3600), (6, 2, 2, 1))[0],
        push=chance.random() < 0.3,
        stale=chance.choice(("ignore", "apply")),
        word=chance.choices(("active", "canceled"), (2, 1))[0],
        dunning=chance.choice(("canceled", "unpaid")),
        people=chance.choices((1, 2), (4, 1))[0],
        skew=chance.choices((0, 600, -600), (14, 1, 1))[0],
        quirks=tuple(chance.randrange(len(QUIRKS)) for _ in range(chance.choices((0, 1, 2, 3), (3, 3, 2, 1))[0])),
        changes=tuple(chance.randrange(40) for _ in range(chance.choices((0, 1, 2), (6, 2, 1))[0])),
        contract=2 if seed % SECOND_EACH == SECOND_EACH - 1 else 1,
        service=service,
    )
    names = [*chance.choice(BEGINNINGS)]
    names += chance.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()), k=chance.randint(2, LONGEST))
    steps = tuple(StoryStep(name, chance.randrange(12), chance.randrange(60), chance.randrange(8)) for name in names)
    return LifeStory(setup, steps, seed)
