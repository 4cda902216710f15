"""The Auth MS's session id is encrypted where it is kept, and goes on working when the secret is replaced."""

import json
from datetime import timedelta
from unittest.mock import ANY

import pytest
from pydantic import SecretStr

from services.sessions.model import Session, Visitor
from services.sessions.service import Sessions, session_key
from services.sessions.session_rows import SEALED, SessionRows
from tests.replica import PUBLIC_URL, Outside, Replica


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
async def ada(outside: Outside) -> Session:
    return await Replica(outside).sign_in()


def with_secrets(outside: Outside, secret: str, *earlier: str) -> Sessions:
    return Sessions(
        outside.store, outside.auth_ms, Replica(outside).pubsub, secret=SecretStr(secret),
        earlier_secrets=[SecretStr(one) for one in earlier], public_url=PUBLIC_URL, max_age=timedelta(days=30),
        now=outside.clock,
    )  # fmt: skip


async def row_of(outside: Outside, session: Session) -> str:
    return await outside.store.get(f"session:{session_key(session.id)}") or ""


FIRST = "storage-secret-of-the-tests"


async def test_the_row_holds_the_id_only_encrypted(outside: Outside, ada: Session) -> None:
    row = await row_of(outside, ada)

    assert ada.auth_session_id.get_secret_value() not in row
    assert SEALED in json.loads(row)
    assert SessionRows(SecretStr(FIRST)).read(ada.id, row) == ada


async def test_a_row_of_the_releases_before_is_read_and_written_anew(outside: Outside, ada: Session) -> None:
    plain = ada.auth_session_id.get_secret_value()
    row = json.loads(await row_of(outside, ada))
    del row[SEALED]
    key = f"session:{session_key(ada.id)}"
    await outside.store.put(key, json.dumps({**row, "auth_session_id": plain}), None)
    await Replica(outside).sessions.by_user.forget("ada")
    sessions = with_secrets(outside, FIRST)

    assert await sessions.by_id(ada.id) == ada
    outside.clock.move(61)
    assert isinstance(await sessions.find(sessions.cookie_for(ada.id)), Session)

    assert plain not in await row_of(outside, ada)
    assert await sessions.by_user.of("ada") == (session_key(ada.id),)
    assert (await sessions.by_id(ada.id) or ada).auth_session_id.get_secret_value() == plain


async def test_a_users_sessions_are_known_until_they_end(outside: Outside, ada: Session) -> None:
    replica = Replica(outside)
    second = await replica.sign_in()
    known = {session_key(ada.id), session_key(second.id)}

    assert set(await replica.sessions.by_user.of("ada")) == known
    outside.clock.move(29 * 86_400)
    third = await replica.sign_in()
    outside.clock.move(2 * 86_400)
    assert set(await replica.sessions.by_user.of("ada")) == {session_key(third.id)}
    fourth = await replica.sign_in()
    (key,) = await outside.store.keys("sessions-of:")
    assert await outside.store.fields(key) == dict.fromkeys([session_key(third.id), session_key(fourth.id)], ANY)
    assert await replica.sessions.by_user.of("bob") == ()


async def test_a_new_secret_signs_nobody_out_and_takes_over_the_row(outside: Outside, ada: Session) -> None:
    cookie = with_secrets(outside, FIRST).cookie_for(ada.id)
    changed = with_secrets(outside, "the second secret", FIRST)

    outside.clock.move(61)
    assert isinstance(await changed.find(cookie), Session)

    SessionRows(SecretStr("the second secret")).read(ada.id, await row_of(outside, ada))
    with pytest.raises(ValueError, match="encrypted by another secret"):
        SessionRows(SecretStr(FIRST)).read(ada.id, await row_of(outside, ada))


async def test_a_replica_without_the_new_secret_gives_a_new_cookie_and_ends_nothing(
    outside: Outside, ada: Session
) -> None:
    cookie = with_secrets(outside, FIRST).cookie_for(ada.id)
    outside.clock.move(61)
    changed = with_secrets(outside, "the second secret", FIRST)
    await changed.find(cookie)

    assert await with_secrets(outside, FIRST).find(cookie) is None
    found = await changed.find(cookie)
    assert found is not None
    assert not isinstance(found, Visitor)


async def test_the_same_id_is_written_differently_each_time(ada: Session) -> None:
    rows = SessionRows(SecretStr(FIRST))

    assert rows.written(ada) != rows.written(ada)
