"""Who the user is: sign-in tied to its browser, sessions believed for a while, ids that change and are never shown."""

import asyncio
import hashlib
import hmac
from datetime import timedelta
from urllib.parse import parse_qs, urljoin, urlsplit

import hypothesis.strategies as st
import pytest
import structlog
from hypothesis import example, given
from pydantic import SecretStr

from services.auth_ms import User
from services.errors import NotSignedIn, SignInFailed, SignInUnavailable, StoreUnavailable
from services.sessions.service import (
    BELIEVED_FOR,
    Session,
    Sessions,
    SignedIn,
    Visitor,
    customer_by,
    session_key,
    sign_in_path,
)
from services.web.safe_paths import safe_next
from tests.fakes import AUTH_DOWN, settle
from tests.replica import ADA, BOB, PUBLIC_URL, Outside, Replica, watch


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def replica(outside: Outside) -> Replica:
    return Replica(outside)


async def complete(
    replica: Replica, token: str | None, *, state: str | None = None, code: str | None = None, old: str | None = None
) -> SignedIn:
    """Come back from the Auth MS to the callback."""
    code = replica.outside.auth_ms.code_for(ADA) if code is None else code
    return await replica.sessions.complete_sign_in(token=token, state=state, auth_code=code, old_session_id=old)


class TestSignIn:
    async def test_the_browser_is_sent_to_the_provider_and_back_to_us(self, replica: Replica) -> None:
        start = await replica.sessions.begin_sign_in("google", "/payment")

        back = parse_qs(urlsplit(start.url).query)["redirect_uri"][0]
        assert start.url.startswith("https://auth.example/auth/google?")
        assert back.startswith(f"{PUBLIC_URL}/auth/callback?state=")
        assert start.token not in start.url

    async def test_a_provider_that_is_not_offered_is_refused(self, replica: Replica) -> None:
        with pytest.raises(SignInFailed):
            await replica.sessions.begin_sign_in("evil", "/")

    async def test_a_sign_in_makes_a_session_and_remembers_where_to_go(self, replica: Replica) -> None:
        start = await replica.sessions.begin_sign_in("google", "/payment?price=price_1")
        state = parse_qs(urlsplit(start.url).query)["redirect_uri"][0].partition("state=")[2]

        done = await complete(replica, start.token, state=state)

        assert done.next_path == "/payment?price=price_1"
        assert done.session.user == ADA
        assert await replica.sessions.find(replica.sessions.cookie_for(done.session.id)) == done.session

    async def test_a_callback_counts_once(self, replica: Replica) -> None:
        start = await replica.sessions.begin_sign_in("google", "/")
        await complete(replica, start.token)

        with pytest.raises(SignInFailed):
            await complete(replica, start.token)

    async def test_of_two_callbacks_at_once_one_counts(self, replica: Replica) -> None:
        start = await replica.sessions.begin_sign_in("google", "/")

        found = await asyncio.gather(*(complete(replica, start.token) for _try in range(5)), return_exceptions=True)

        assert sum(isinstance(one, SignedIn) for one in found) == 1

    async def test_a_callback_counts_for_ten_minutes(self, replica: Replica, outside: Outside) -> None:
        early = await replica.sessions.begin_sign_in("google", "/")
        late = await replica.sessions.begin_sign_in("google", "/")
        outside.clock.move(599)
        await complete(replica, early.token)
        outside.clock.move(2)

        with pytest.raises(SignInFailed):
            await complete(replica, late.token)

    async def test_a_callback_counts_only_in_the_browser_that_started_it(self, replica: Replica) -> None:
        """Somebody else's code, planted in this browser, signs nobody in (login CSRF)."""
        attacker = await replica.sessions.begin_sign_in("google", "/")
        state = parse_qs(urlsplit(attacker.url).query)["redirect_uri"][0].partition("state=")[2]
        victim = await replica.sessions.begin_sign_in("google", "/")

        for token, given_state in ((None, state), ("made-up", None), (victim.token, state), ("", None)):
            with pytest.raises(SignInFailed):
                await complete(replica, token, state=given_state)

    async def test_a_callback_without_a_code_or_with_a_refused_one_signs_nobody_in(self, replica: Replica) -> None:
        start = await replica.sessions.begin_sign_in("google", "/")

        with pytest.raises(SignInFailed):
            await complete(replica, start.token, code="")
        with pytest.raises(SignInFailed):
            await complete(replica, start.token, code="used-code")

    async def test_the_id_is_new_at_each_sign_in_and_the_old_one_ends(self, replica: Replica) -> None:
        visitor = replica.sessions.new_cookie()
        visitor_id = replica.sessions.id_of(visitor)
        first = await replica.sign_in(old_session_id=visitor_id)
        tab = watch(replica, first)
        await settle()

        second = await replica.sign_in(BOB, old_session_id=first.id)

        assert len({visitor_id, first.id, second.id}) == 3
        assert await replica.sessions.by_id(first.id) is None
        assert tab.signed_out == 1
        assert isinstance(await replica.sessions.find(visitor), Visitor)

    async def test_signing_out_ends_the_session_on_the_server(self, replica: Replica) -> None:
        ada = await replica.sign_in()
        cookie = replica.sessions.cookie_for(ada.id)

        await replica.sessions.end(ada.id)

        assert isinstance(await replica.sessions.find(cookie), Visitor)
        with pytest.raises(NotSignedIn):
            await replica.sessions.refresh(ada)

    async def test_an_auth_ms_that_is_away_signs_nobody_in(self, replica: Replica, outside: Outside) -> None:
        start = await replica.sessions.begin_sign_in("google", "/")
        outside.auth_ms.switch.error = AUTH_DOWN

        with pytest.raises(SignInUnavailable):
            await complete(replica, start.token)

    async def test_a_store_that_is_away_is_not_signed_out(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.store.broken = True

        with pytest.raises(StoreUnavailable):
            await replica.sessions.find(replica.sessions.cookie_for(ada.id))


class TestCookie:
    async def test_a_cookie_that_is_not_ours_is_nobodys(self, replica: Replica) -> None:
        ours = replica.sessions.new_cookie()
        other = Replica(Outside()).sessions

        for cookie in ("", ".", "id", "id.", ".sig", ours + "x", "x" + ours, ours.replace(".", ""), "ü.ü"):
            assert replica.sessions.id_of(cookie) is None
            assert await replica.sessions.find(cookie) is None
        assert replica.sessions.id_of(None) is None
        assert replica.sessions.id_of(ours) is not None
        assert other.id_of(ours) == replica.sessions.id_of(ours)  # the same secret on each replica

    def test_under_https_it_is_bound_to_this_host(self, replica: Replica) -> None:
        sessions = replica.sessions

        assert sessions.secure
        assert (sessions.cookie_name, sessions.login_cookie_name) == ("__Host-session", "__Host-login")
        assert sessions.cookie_attributes == {
            "max_age": 30 * 86_400, "path": "/", "secure": True, "httponly": True, "samesite": "lax",
        }  # fmt: skip

    def test_on_a_laptop_it_works_without_https(self, outside: Outside) -> None:
        sessions = Sessions(
            outside.store, outside.auth_ms, Replica(outside).pubsub, secret=SecretStr("s"),
            public_url="http://localhost:8081", max_age=timedelta(days=1), now=outside.clock,
        )  # fmt: skip

        assert not sessions.secure
        assert (sessions.cookie_name, sessions.login_cookie_name) == ("session", "login")
        assert sessions.max_age_seconds == 86_400


class TestSecretThatIsReplaced:
    def sessions(self, outside: Outside, secret: str, *earlier: str) -> Sessions:
        return Sessions(
            outside.store, outside.auth_ms, Replica(outside).pubsub, secret=SecretStr(secret),
            earlier_secrets=[SecretStr(one) for one in earlier], public_url=PUBLIC_URL, max_age=timedelta(days=30),
            now=outside.clock,
        )  # fmt: skip

    def test_a_cookie_of_an_earlier_secret_is_still_ours(self, outside: Outside) -> None:
        cookie = self.sessions(outside, "first").new_cookie()

        assert self.sessions(outside, "third", "first", "second").id_of(cookie) == cookie.partition(".")[0]
        assert self.sessions(outside, "third", "second").id_of(cookie) is None

    def test_new_cookies_are_signed_by_the_new_secret(self, outside: Outside) -> None:
        cookie = self.sessions(outside, "second", "first").new_cookie()

        assert self.sessions(outside, "second").id_of(cookie) is not None
        assert self.sessions(outside, "first").id_of(cookie) is None

    async def test_a_sign_in_under_way_is_completed(self, outside: Outside) -> None:
        start = await self.sessions(outside, "first").begin_sign_in("google", "/payment")
        state = parse_qs(urlsplit(parse_qs(urlsplit(start.url).query)["redirect_uri"][0]).query)["state"][0]
        now = self.sessions(outside, "second", "first")

        done = await now.complete_sign_in(
            token=start.token, state=state, auth_code=outside.auth_ms.code_for(ADA), old_session_id=None
        )

        assert done.next_path == "/payment"
        with pytest.raises(SignInFailed):
            await now.complete_sign_in(
                token=start.token, state=state, auth_code=outside.auth_ms.code_for(ADA), old_session_id=None
            )

    @pytest.mark.parametrize("session_id", ["5vZ-_visitor", "~signed-in"])
    def test_a_cookie_of_the_releases_before_is_still_ours(self, outside: Outside, session_id: str) -> None:
        key = hashlib.sha256(b"session cookie\0first").digest()
        signature = hmac.new(key, session_id.encode(), hashlib.sha256).hexdigest()[:32]

        for sessions in (self.sessions(outside, "first"), self.sessions(outside, "second", "first")):
            assert sessions.id_of(f"{session_id}.{signature}") == session_id
            assert sessions.id_of(f"{session_id}x.{signature}") is None
            assert sessions.id_of(f"{session_id}.{signature[:-1]}") is None


class TestValidity:
    async def test_a_young_session_is_believed_without_asking(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.clock.move(59)

        await replica.sessions.find(replica.sessions.cookie_for(ada.id))

        assert outside.auth_ms.switch.count("refresh") == 0

    async def test_an_older_one_is_asked_about_once_for_all_pages(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.clock.move(61)
        cookie = replica.sessions.cookie_for(ada.id)

        found = await asyncio.gather(*(replica.sessions.find(cookie) for _page in range(20)))

        assert outside.auth_ms.switch.count("refresh") == 1
        assert {type(one) for one in found} == {Session}
        outside.clock.move(30)
        await replica.sessions.find(cookie)
        assert outside.auth_ms.switch.count("refresh") == 1

    async def test_a_session_is_believed_for_ten_minutes_without_the_auth_ms(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        cookie = replica.sessions.cookie_for(ada.id)
        outside.auth_ms.switch.error = AUTH_DOWN

        outside.clock.move(BELIEVED_FOR.total_seconds() - 1)
        assert isinstance(await replica.sessions.find(cookie), Session)
        outside.clock.move(2)
        with pytest.raises(SignInUnavailable):
            await replica.sessions.find(cookie)

        outside.auth_ms.switch.error = None
        assert isinstance(await replica.sessions.find(cookie), Session)

    async def test_a_page_does_not_wait_for_a_slow_auth_ms(
        self, replica: Replica, outside: Outside, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("services.sessions.service.PATIENCE", 0.01)
        ada = await replica.sign_in()
        outside.clock.move(120)
        outside.auth_ms.switch.gate = asyncio.Event()

        assert await replica.sessions.find(replica.sessions.cookie_for(ada.id)) == ada

        assert outside.auth_ms.switch.in_flight == 1  # it goes on, and the next page has its answer
        outside.auth_ms.switch.gate.set()
        await settle()
        found = await replica.sessions.by_id(ada.id)
        assert found is not None
        assert found.validated_at == outside.clock.now

    async def test_a_session_that_the_auth_ms_ended_is_forgotten(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        tab = watch(replica, ada)
        await settle()
        outside.clock.move(61)
        outside.auth_ms.sessions.clear()

        assert isinstance(await replica.sessions.find(replica.sessions.cookie_for(ada.id)), Visitor)
        assert await outside.store.keys("session:") == []
        assert tab.signed_out == 1

    async def test_a_refresh_that_answers_another_user_ends_the_session(
        self, replica: Replica, outside: Outside
    ) -> None:
        ada = await replica.sign_in()
        outside.auth_ms.sessions[ada.auth_session_id.get_secret_value()] = BOB

        with pytest.raises(NotSignedIn):
            await replica.sessions.refresh(ada)

        assert await replica.sessions.by_id(ada.id) is None

    async def test_what_the_auth_ms_says_of_the_user_is_kept(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        renamed = User("ada", "Ada King", "ada@king.example")
        outside.auth_ms.sessions[ada.auth_session_id.get_secret_value()] = renamed
        outside.clock.move(61)

        found = await replica.sessions.find(replica.sessions.cookie_for(ada.id))

        assert isinstance(found, Session)
        assert found.user == renamed
        assert (await replica.sessions.by_id(ada.id)).user == renamed  # type: ignore[union-attr]

    async def test_a_session_lives_for_its_days_and_no_longer(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        for _day in range(29):
            outside.clock.move(86_400)
            await replica.sessions.refresh(ada)
        outside.clock.move(86_400)

        assert await replica.sessions.by_id(ada.id) is None
        with pytest.raises(NotSignedIn):
            await replica.sessions.refresh(ada)

    async def test_a_session_that_nobody_uses_ends_earlier(self, outside: Outside) -> None:
        replica = Replica(outside, idle=timedelta(days=7))
        ada, bob = await replica.sign_in(), await replica.sign_in(BOB)
        outside.clock.move(6 * 86_400)
        await replica.sessions.find(replica.sessions.cookie_for(ada.id))
        outside.clock.move(1.5 * 86_400)

        used = await replica.sessions.find(replica.sessions.cookie_for(ada.id))
        idle = await replica.sessions.find(replica.sessions.cookie_for(bob.id))

        assert isinstance(used, Session)
        assert isinstance(idle, Visitor)
        with pytest.raises(NotSignedIn):
            await replica.sessions.refresh(bob)

    async def test_a_sign_out_during_a_refresh_stays_a_sign_out(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.clock.move(61)
        outside.auth_ms.switch.gate = asyncio.Event()
        asking = asyncio.create_task(replica.sessions.refresh(ada))
        await settle()

        await replica.sessions.end(ada.id)
        outside.auth_ms.switch.gate.set()
        await asking

        assert await replica.sessions.by_id(ada.id) is None

    async def test_polling_writes_the_store_now_and_then_only(self, replica: Replica, outside: Outside) -> None:
        ada = await replica.sign_in()
        outside.clock.move(20)
        await replica.sessions.refresh(ada)
        written = await outside.store.get(f"session:{session_key(ada.id)}")
        outside.clock.move(5)
        await replica.sessions.refresh(ada)

        assert await outside.store.get(f"session:{session_key(ada.id)}") == written


class TestRotation:
    """An Auth MS that gives the session a new id with each refresh and forgets the old one."""

    async def test_the_newest_id_is_used_by_whoever_asks(self) -> None:
        outside = Outside(rotates=True)
        one, two = Replica(outside), Replica(outside)
        ada = await one.sign_in()
        for number in range(6):
            outside.clock.move(61)
            await (one, two)[number % 2].sessions.refresh(ada)

        assert await one.sessions.by_id(ada.id) is not None

    async def test_two_replicas_that_ask_at_once_do_not_sign_the_user_out(self) -> None:
        outside = Outside(rotates=True)
        one, two = Replica(outside), Replica(outside)
        ada = await one.sign_in()
        asks = (one.sessions.refresh(ada), two.sessions.refresh(ada), one.sessions.refresh(ada))

        answers = await asyncio.gather(*asks)

        assert {answer.user for answer in answers} == {ADA}
        assert await one.sessions.by_id(ada.id) is not None

    async def test_a_caller_that_leaves_does_not_lose_the_new_id(self) -> None:
        outside = Outside(rotates=True)
        replica = Replica(outside)
        ada = await replica.sign_in()
        outside.auth_ms.switch.gate = asyncio.Event()
        asking = asyncio.create_task(replica.sessions.refresh(ada))
        await settle()

        asking.cancel()
        outside.auth_ms.switch.gate.set()
        await settle()

        assert (await replica.sessions.refresh(ada)).user == ADA

    async def test_a_failure_that_nobody_waits_for_disturbs_nobody(self) -> None:
        outside = Outside()
        replica = Replica(outside)
        ada = await replica.sign_in()
        outside.auth_ms.switch.gate = asyncio.Event()
        outside.auth_ms.switch.error = AUTH_DOWN
        asking = asyncio.create_task(replica.sessions.refresh(ada))
        await settle()

        asking.cancel()
        outside.auth_ms.switch.gate.set()
        await settle()

        assert asking.cancelled()


class TestSecrets:
    async def test_ids_are_in_no_repr_and_no_log(self, outside: Outside) -> None:
        replica = Replica(outside)
        with structlog.testing.capture_logs() as logged:
            start = await replica.sessions.begin_sign_in("google", "/")
            done = await complete(replica, start.token)
            ada = done.session
            visitor = await replica.sessions.find(replica.sessions.new_cookie())
            tab = watch(replica, ada)
            await outside.clock.advance(61)
            await replica.click(ada)
            outside.auth_ms.sessions.clear()
            await outside.clock.advance(61)
        assert tab.signed_out == 1
        assert isinstance(visitor, Visitor)

        secrets = (ada.id, start.token, visitor.id, "auth-session-secret", "code-")
        shown = " ".join(
            [repr(start), str(start), repr(done), str(done), repr(ada), str(ada), repr(visitor), str(logged)]
        )
        assert [secret for secret in secrets if secret in shown] == []

    async def test_the_store_holds_hashes_of_ids(self, outside: Outside) -> None:
        replica = Replica(outside)
        ada = await replica.sign_in()

        keys = " ".join(await outside.store.keys(""))

        assert ada.id not in keys
        assert ada.visitor_id == session_key(ada.id)
        assert f"session:{ada.visitor_id}" in keys


class TestCustomer:
    """By which id the Payment MS knows a user: always the same one."""

    async def test_by_user_id(self, replica: Replica) -> None:
        assert customer_by("user_id")(await replica.sign_in()) == "ada"

    async def test_by_email_it_is_the_first_one_whatever_it_becomes(self, outside: Outside) -> None:
        replica = Replica(outside, customer_id="email")
        first = await replica.sign_in()
        outside.auth_ms.sessions[first.auth_session_id.get_secret_value()] = User("ada", "Ada", "new@example.com")
        outside.clock.move(61)
        renamed = await replica.sessions.find(replica.sessions.cookie_for(first.id))
        later = await replica.sign_in(User("ada", "Ada", "newer@example.com"))

        assert isinstance(renamed, Session)
        assert renamed.user.email == "new@example.com"
        assert {replica.refresher.customer_of(one) for one in (first, renamed, later)} == {"ada@example.com"}

    async def test_a_changed_email_sells_no_second_subscription(self, outside: Outside) -> None:
        replica = Replica(outside, customer_id="email")
        ada = await replica.sign_in()
        outside.world.pay((await replica.click(ada)).session_id)
        outside.world.deliver_all(("billing",))
        later = await replica.sign_in(User("ada", "Ada", "new@example.com"))
        outside.clock.move(60)

        assert (await replica.ask(later)).current.product_id == "prod_premium"

    async def test_without_an_email_nothing_is_shared_with_others(self, outside: Outside) -> None:
        replica = Replica(outside, customer_id="email")
        nameless = [await replica.sign_in(User(f"user-{number}", "X", "")) for number in (1, 2)]

        customers = [replica.refresher.customer_of(one) for one in nameless]
        found = await replica.ask(nameless[0])

        assert len(set(customers)) == 2
        assert found.billing_failed == "invalid_identifier"

    async def test_a_session_of_an_older_release_goes_by_its_email(self) -> None:
        session = await Replica(Outside()).sign_in()

        assert customer_by("email")(session.model_copy(update={"first_email": ""})) == "ada@example.com"


class TestPaths:
    @pytest.mark.parametrize("path", ["/", "/payment", "/payment?price=a&b=c", "/a//b", "/%2F%2Fevil", "/ü"])
    def test_a_path_on_this_site_is_kept(self, path: str) -> None:
        assert safe_next(path) == path

    @pytest.mark.parametrize(
        "path",
        [None, "", "payment", "//evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example",
         "/\t/evil", "/a\r\nSet-Cookie: x", "/ /evil", "/" + "a" * 2000, "/\x7f", "javascript:alert(1)"],
    )  # fmt: skip
    def test_anything_else_becomes_the_front_page(self, path: str | None) -> None:
        assert safe_next(path) == "/"

    @given(st.text(alphabet=st.sampled_from("/\\.:@?#%ea\t\n ü"), max_size=12) | st.text(max_size=30))
    @example("/\\/evil.example")
    @example("/.//evil.example")
    def test_no_text_leads_to_another_site(self, text: str) -> None:
        for path in (safe_next(text), safe_next("/" + text)):
            there = urlsplit(urljoin("https://shop.example/login", path.replace("\\", "/")))
            assert (there.scheme, there.netloc) == ("https", "shop.example")

    def test_the_way_to_sign_in_leads_back(self) -> None:
        path = sign_in_path("/payment?price=a&x=ü")

        assert parse_qs(urlsplit(path).query)["next"] == ["/payment?price=a&x=ü"]
        assert sign_in_path("https://evil.example") == "/login?next=/"
