"""What a user is entitled to, for pages, routes and sibling services: one decision, short-lived and signed on demand.

Access follows `services/subscription/customer_status.py`: while a service can't be asked, the last known answer counts
for ten minutes and no longer. An answer a few seconds old is good enough here; nothing is sold by it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import structlog
from pydantic import BaseModel, ConfigDict, SecretStr

from catalog import Catalog
from services.claims.status import access_until
from services.errors import ClockUnsure, KeyUnusable, PlanRequired
from services.live_status.refresher import StatusRefresher
from services.sessions.service import Session
from services.subscription.customer_status import CustomerStatus
from services.subscription.model import Reason, Source, State, Subscription
from services.upstream.clock_skew import ClockSkew

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey

LIFE: Final = timedelta(seconds=60)
"""How long a signed answer is valid: an access that ends is noticed within a minute."""

FRESH_FOR: Final = timedelta(seconds=15)
"""How old a known answer may be before the services are asked again."""

_ALGORITHMS: Final = {"P-256": "ES256", "Ed25519": "Ed25519"}
"""By curve, in the names of RFC 7518 and RFC 9864 (which retires "EdDSA")."""

_log = structlog.get_logger(__name__)


class GroupEntitlement(BaseModel):
    """What one group of plans grants. `plan` is None where there is no access, and where the account names a plan that
    the catalog does not know: then `account_plan` is its name. `until` is when access ends, where a service says so."""

    model_config = ConfigDict(frozen=True)

    plan: str | None
    account_plan: str | None = None
    state: State
    access: bool
    until: datetime | None = None
    as_of: datetime
    source: Source
    reason: Reason


class Entitlement(GroupEntitlement):
    """What one user is entitled to: that of the first group of plans that grants something, and of `groups` each.

    `as_of` says how old this is.
    """

    groups: Mapping[str, GroupEntitlement] = {}


@dataclass(frozen=True, slots=True)
class Signed:
    """An entitlement as a JWS in compact form, and until when it counts."""

    token: str
    expires_at: datetime


class SigningKey:
    """The private key that signs entitlements, P-256 or Ed25519; without a PEM a new one for this process.

    That one is made at its first use, and only then is what signs imported: few installations have siblings that ask.
    """

    def __init__(self, pem: SecretStr | None = None) -> None:
        """Raises KeyUnusable for a PEM that holds neither."""
        self.ephemeral = pem is None
        self._given = None if pem is None else _read(pem)

    @cached_property
    def _key(self) -> "OKPKey | ECKey":
        from joserfc.jwk import ECKey

        return self._given or ECKey.generate_key("P-256")

    @property
    def algorithm(self) -> str:
        """The name of the algorithm it signs with."""
        return _ALGORITHMS[self._key.curve_name]

    @cached_property
    def key_id(self) -> str:
        """The key's thumbprint (RFC 7638)."""
        return self._key.thumbprint()

    def sign(self, claims: dict[str, object]) -> str:
        """Return the claims as a signed JWT."""
        from joserfc import jwt

        header = {"alg": self.algorithm, "kid": self.key_id, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=[self.algorithm])

    def public(self) -> dict[str, str | list[str]]:
        """Return the public key as a JWK."""
        return {**self._key.as_dict(private=False), "kid": self.key_id, "alg": self.algorithm, "use": "sig"}


class Entitlements:
    """Answers what users are entitled to."""

    def __init__(
        self,
        refresher: StatusRefresher,
        key: SigningKey,
        *,
        issuer: str,
        catalog: Callable[[], Catalog],
        now: Callable[[], datetime] | None = None,
        clock_skew: ClockSkew | None = None,
    ) -> None:
        self._refresher = refresher
        self._key = key
        self._issuer = issuer
        self._catalog = catalog
        self._now = now or (lambda: datetime.now(UTC))
        self._clock_skew = clock_skew or ClockSkew(self._now)

    async def of(self, session: Session) -> Entitlement:
        """Return what this user is entitled to.

        Raises NotSignedIn when the Auth MS has ended the session, StoreUnavailable when nothing can be looked up.
        """
        return entitlement_of(await self._status_of(session))

    async def has(self, session: Session, plan_id: str) -> bool:
        """Whether the user has access to that plan, by it or by one that includes it; raises like `of`."""
        return self.grants(await self.of(session), plan_id)

    async def require(self, session: Session, plan_id: str) -> Entitlement:
        """Return the entitlement if it grants that plan; raise PlanRequired if not, and what `of` raises."""
        entitlement = await self.of(session)
        granted = self.grants(entitlement, plan_id)
        _log.info(
            "access_decided",
            plan=plan_id,
            granted=granted,
            state=entitlement.state,
            reason=entitlement.reason,
            age_s=round((self._now() - entitlement.as_of).total_seconds(), 1),
        )
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

    def sign(self, session: Session, entitlement: Entitlement) -> Signed:
        """Return the entitlement signed for sibling services, valid for a minute by the services' clocks.

        Raises ClockUnsure when this machine's clock is wrong and the services' contradict each other.
        """
        now = self._clock_skew.now()
        if now is None:
            raise ClockUnsure(self._clock_skew.problem)
        ahead = self._clock_skew.offset or timedelta()
        expires_at = now + LIFE
        claims: dict[str, object] = {
            "iss": self._issuer,
            "sub": session.user.user_id,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
            **_by_their_clock(entitlement, ahead).model_dump(mode="json"),
        }
        return Signed(self._key.sign(claims), expires_at)

    def key_set(self) -> dict[str, object]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [self._key.public()]}

    async def _status_of(self, session: Session) -> CustomerStatus:
        customer = self._refresher.customer_of(session)
        age = self._refresher.age(customer)
        if age is not None and age < FRESH_FOR:
            known = await self._refresher.remembered(customer)
            if known is not None:
                return known
        return await self._refresher.ask(session)


def entitlement_of(customer_status: CustomerStatus) -> Entitlement:
    """Return what a status entitles to: its headline's plan, or another subscription's that grants access."""
    current = customer_status.current
    granting = next((one for one in customer_status.all if one.access), current)
    chosen = current if current.access else granting
    groups = {group: _granted_by(one) for group, one in customer_status.groups.items()}
    return Entitlement(**_granted_by(chosen).model_dump(), groups=groups)


def _by_their_clock(entitlement: Entitlement, ahead: timedelta) -> Entitlement:
    """Return the entitlement with the times that were taken from this machine's clock corrected."""
    groups = {group: one.model_copy(update={"as_of": one.as_of + ahead}) for group, one in entitlement.groups.items()}
    return entitlement.model_copy(update={"as_of": entitlement.as_of + ahead, "groups": groups})


def _granted_by(one: Subscription) -> GroupEntitlement:
    """Return what a subscription grants, in the words of its own claim about access."""
    return GroupEntitlement(
        plan=one.plan_id if one.access else None,
        account_plan=one.account_plan if one.access else None,
        state=one.state,
        access=one.access,
        until=access_until(one),
        as_of=one.as_of,
        source=one.source,
        reason=one.reason,
    )


def _read(pem: SecretStr) -> "OKPKey | ECKey":
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey

    text = pem.get_secret_value().replace("\\n", "\n")
    kinds: tuple[type[OKPKey] | type[ECKey], ...] = (ECKey, OKPKey)
    for kind in kinds:
        try:
            key = kind.import_key(text)
        except (ValueError, TypeError, JoseError):
            continue
        if key.is_private and key.curve_name in _ALGORITHMS:
            return key
    raise KeyUnusable(
        "ENTITLEMENTS_KEY is no P-256 or Ed25519 private key in PEM form; make one with: "
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    )
