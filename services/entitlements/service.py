"""What a user is entitled to, for pages, routes and sibling services: one decision, short-lived and signed on demand.

Access follows `services/subscription/customer_status.py`: while a service can't be asked, the last known answer counts
for ten minutes and no longer. An answer a few seconds old is good enough here; nothing is sold by it.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from catalog import Catalog
from services.entitlements.model import Entitlement, entitlement_of
from services.entitlements.signing import SigningKey
from services.errors import ClockUnsure, FeatureRequired, PlanRequired
from services.live_status.refresher import StatusRefresher
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.upstream.clock_skew import ClockSkew

LIFE: Final = timedelta(seconds=60)
"""How long a signed answer is valid: an access that ends is noticed within a minute."""

KEY_SET_LIFE: Final = timedelta(minutes=5)
"""For how long services may keep the key set: a next key is to be published twice as long before it signs."""

FRESH_FOR: Final = timedelta(seconds=15)
"""How old a known answer may be before the services are asked again."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Signed:
    """An entitlement as a JWS in compact form, and until when it counts."""

    token: str
    expires_at: datetime


class Entitlements:
    """Answers what users are entitled to."""

    def __init__(
        self,
        refresher: StatusRefresher,
        key: SigningKey,
        *,
        issuer: str,
        audience: Sequence[str] = (),
        catalog: Callable[[], Catalog],
        now: Callable[[], datetime] | None = None,
        clock_skew: ClockSkew | None = None,
    ) -> None:
        self._refresher = refresher
        self._key = key
        self._issuer = issuer
        self._audience = tuple(audience) or (issuer,)
        self._catalog = catalog
        self._now = now or (lambda: datetime.now(UTC))
        self._clock_skew = clock_skew or ClockSkew(self._now)

    async def of(self, session: Session) -> Entitlement:
        """Return what this user is entitled to.

        Raises NotSignedIn when the Auth MS has ended the session, StoreUnavailable when nothing can be looked up.
        """
        return entitlement_of(await self._status_of(session), self._catalog())

    async def has(self, session: Session, feature: str) -> bool:
        """Whether the user has a feature of the catalog; raises UnknownFeature, and what `of` raises."""
        return (await self.of(session)).has(feature)

    async def limit(self, session: Session, feature: str) -> int | None:
        """Return how much of a feature the user may have, None without a limit; raises UnknownFeature, TypeError for a
        text, and what `of` raises."""
        return (await self.of(session)).limit(feature)

    async def require(self, session: Session, feature: str) -> Entitlement:
        """Return the entitlement if it has that feature; raise FeatureRequired if not, and what `has` raises."""
        entitlement = await self.of(session)
        granted = entitlement.has(feature)
        self._note_decision(entitlement, granted, feature=feature)
        if not granted:
            raise FeatureRequired(f"{feature} is required, the user has {entitlement.plan} ({entitlement.state})")
        return entitlement

    async def has_plan(self, session: Session, plan_id: str) -> bool:
        """Whether the user has access to that plan, by it or by one that includes it; raises like `of`."""
        return self.grants(await self.of(session), plan_id)

    async def require_plan(self, session: Session, plan_id: str) -> Entitlement:
        """Return the entitlement if it grants that plan; raise PlanRequired if not, and what `of` raises."""
        entitlement = await self.of(session)
        granted = self.grants(entitlement, plan_id)
        self._note_decision(entitlement, granted, plan=plan_id)
        if not granted:
            raise PlanRequired(f"{plan_id} is required, the user has {entitlement.plan} ({entitlement.state})")
        return entitlement

    def grants(self, entitlement: Entitlement, plan_id: str) -> bool:
        """Whether an entitlement covers that plan: it is the same, or the user's plan includes it in the catalog.

        A plan may be asked for by an id that it had before, if the catalog lists that among its other words.
        """
        catalog = self._catalog()
        included = {plan.id: plan.includes for plan in catalog.plans}
        wanted = catalog.plan_named(plan_id) if plan_id not in included else None
        plan_id = wanted.id if wanted is not None else plan_id
        for one in (entitlement, *entitlement.groups.values()):
            held = one.plan if one.access else None
            for _step in range(len(included) + 1):
                if held is None or held == plan_id:
                    break
                held = included.get(held)
            if held == plan_id:
                return True
        return False

    def sign(self, user_id: str, entitlement: Entitlement) -> Signed:
        """Return a user's entitlement signed for sibling services, valid for a minute by the services' clocks.

        Raises ClockUnsure when this machine's clock is wrong and the services' contradict each other.
        """
        now = self._clock_skew.now()
        if now is None:
            raise ClockUnsure(self._clock_skew.problem)
        ahead = self._clock_skew.offset or timedelta()
        expires_at = now + LIFE
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": list(self._audience) if len(self._audience) > 1 else self._audience[0],
            "sub": user_id,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            "jti": secrets.token_urlsafe(12),
            **_by_their_clock(entitlement, ahead).model_dump(mode="json"),
        }
        return Signed(self._key.sign(claims), expires_at)

    def key_set(self) -> dict[str, object]:
        """Return the public keys as a JSON Web Key Set (RFC 7517): the present one, the previous and the next."""
        return {"keys": list(self._key.published)}

    @property
    def key_set_life(self) -> timedelta:
        """For how long the key set may be kept: not at all while a restart makes another key."""
        return timedelta() if self._key.ephemeral else KEY_SET_LIFE

    def _note_decision(self, entitlement: Entitlement, granted: bool, **wanted: str) -> None:
        _log.info(
            "access_decided",
            **wanted,
            granted=granted,
            state=entitlement.state,
            reason=entitlement.reason,
            age_s=round((self._now() - entitlement.as_of).total_seconds(), 1),
        )

    async def _status_of(self, session: Session) -> CustomerStatus:
        customer = self._refresher.customer_of(session)
        age = self._refresher.age(customer)
        if age is not None and age < FRESH_FOR:
            known = await self._refresher.remembered(customer)
            if known is not None:
                return known
        return await self._refresher.ask(session)


def _by_their_clock(entitlement: Entitlement, ahead: timedelta) -> Entitlement:
    """Return the entitlement with the times that were taken from this machine's clock corrected."""
    groups = {group: one.model_copy(update={"as_of": one.as_of + ahead}) for group, one in entitlement.groups.items()}
    return entitlement.model_copy(update={"as_of": entitlement.as_of + ahead, "groups": groups})
