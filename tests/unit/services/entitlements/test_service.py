"""How fresh an answer about access is, and by which clock it is signed."""

from datetime import datetime, timedelta
from email.utils import format_datetime

from joserfc import jwt
from joserfc.jwk import KeySet, import_key

from services.entitlements.service import Entitlements
from services.entitlements.signing import SigningKey
from services.subscription.model import State
from services.upstream.clock_skew import ClockSkew
from tests.replica import Outside, Replica
from tests.shop import CATALOG
from tests.unit.services.live_status.status_asked import buy, looks


def entitlements(
    replica: Replica, outside: Outside, key: SigningKey | None = None, skew: ClockSkew | None = None
) -> Entitlements:
    """Return what answers on this replica."""
    return Entitlements(
        replica.refresher,
        key or SigningKey(),
        issuer="https://shop.example",
        catalog=lambda: CATALOG,
        now=outside.clock,
        clock_skew=skew,
    )


async def test_an_answer_is_good_for_fifteen_seconds(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    asked = entitlements(replica, outside)
    buy(outside)
    await asked.of(ada)
    before = looks(outside)

    outside.clock.move(14)
    assert (await asked.of(ada)).state is State.ACTIVE
    assert looks(outside) == before

    outside.clock.move(2)
    assert (await asked.of(ada)).state is State.ACTIVE
    assert looks(outside) == before + 1


async def test_a_token_goes_by_the_services_clock_in_every_group(replica: Replica, outside: Outside) -> None:
    ada = await replica.sign_in()
    buy(outside)
    skew, ahead = ClockSkew(outside.clock), timedelta(minutes=10)
    for service in ("payment_ms", "auth_ms"):
        skew.note(service, format_datetime(outside.clock.now + ahead, usegmt=True), 0.0)
    key = SigningKey()
    asked = entitlements(replica, outside, key, skew)

    entitlement = await asked.of(ada)
    signed = asked.sign(ada.user.user_id, entitlement)

    claims = jwt.decode(signed.token, KeySet([import_key(key.published[0])]), algorithms=["ES256"]).claims
    moments = [claims["as_of"], *(group["as_of"] for group in claims["groups"].values())]
    assert len(moments) == 1 + len(entitlement.groups) > 1
    for moment in moments:
        assert abs(datetime.fromisoformat(moment) - entitlement.as_of - ahead) < timedelta(seconds=2)
