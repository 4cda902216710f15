"""Sign-ins that others lost: two at once, a provider that says no, a link that waited, cookies that were not kept.

Each class is a row of complaints found in public threads; the source stands above it.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import time_machine

from services.sessions.pending import MOST_PENDING
from tests.complaints.life import AUTH, CustomerLife, life, path_of

ACCOUNT, CART = "/account", "/cart"


async def begin(ada: CustomerLife, next_path: str, **headers: str) -> str:
    """Press a provider's button in a tab; return the address that the Auth MS sends it back to."""
    asked = {"provider": "google", "next": next_path}
    start = await ada.api.get("/auth/login", params=asked, headers=headers)
    place = start.headers["location"]
    fields = {"email": "ada@example.com", "redirect_uri": httpx.URL(place).params["redirect_uri"]}
    return str((await ada.outside.post(place, data=fields)).headers["location"])


async def ends_at(ada: CustomerLife, back: str) -> str:
    """Follow the way back from the Auth MS; return where the browser is sent."""
    return path_of((await ada.api.get(back)).headers["location"])


def refused(back: str) -> str:
    """Return the way back of somebody whom the provider refused."""
    address = httpx.URL(back)
    return str(address.copy_with(params={"state": address.params["state"], "error": "access_denied"}))


# nextjs-auth0#142, next-auth#7894, better-auth#11075
class TestTwoSignInsInTwoTabs:
    @pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["first first", "last first"])
    async def test_each_ends_where_it_was_going(self, tmp_path: Path, order: tuple[int, int]) -> None:
        async with life(tmp_path) as ada:
            wanted = (ACCOUNT, CART)
            tabs = [await begin(ada, path) for path in wanted]

            for tab in order:
                assert await ends_at(ada, tabs[tab]) == wanted[tab]

            assert (await ada.api.get("/api/me")).status_code == 200

    async def test_also_where_both_were_pressed_before_the_browser_had_a_cookie(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            tabs = []
            for path in (ACCOUNT, CART):
                kept, ada.api.cookies = ada.api.cookies, httpx.Cookies()
                tabs.append(await begin(ada, path))
                ada.api.cookies.update(kept)

            assert [await ends_at(ada, tab) for tab in tabs] == [ACCOUNT, CART]

    async def test_a_browser_keeps_a_handful_of_them(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            tabs = [await begin(ada, f"/shop?tab={number}") for number in range(MOST_PENDING + 3)]

            login = ada.container.sessions.login_cookie_name
            assert sum(name.startswith(login) for name in ada.api.cookies) == MOST_PENDING
            assert await ends_at(ada, tabs[-1]) == f"/shop?tab={MOST_PENDING + 2}"
            assert await ends_at(ada, tabs[3]) == "/shop?tab=3"
            assert (await ends_at(ada, tabs[0])).startswith("/login?error=expired&next=/shop")

    async def test_an_auth_ms_that_returns_no_state_ends_the_newest_one(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            await begin(ada, ACCOUNT)
            code = httpx.URL(await begin(ada, CART)).params["auth_code"]

            assert await ends_at(ada, f"/auth/callback?auth_code={code}") == CART


# nextjs-auth0#142, next-auth#7894
class TestSignInThatCameToNothing:
    async def test_a_provider_that_says_no_keeps_where_the_user_was_going(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            assert await ends_at(ada, refused(await begin(ada, CART))) == "/login?error=failed&next=/cart"
            await begin(ada, ACCOUNT)
            assert await ends_at(ada, "/auth/callback?error=access_denied") == "/login?error=failed&next=/account"

    async def test_so_does_a_link_that_has_expired(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            for minutes in (11, 300):
                back = await begin(ada, "/payment?price=price_1")
                with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
                    assert await ends_at(ada, back) == "/login?error=expired&next=/payment%3Fprice%3Dprice_1"

    async def test_so_does_a_service_that_fails(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            back = await begin(ada, CART)
            await ada.control("POST", "faults", {"operation": "auth", "status": 503})

            assert await ends_at(ada, back) == "/login?error=unavailable&next=/cart"

    async def test_another_one_that_is_under_way_is_left_alone(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            first, second = await begin(ada, CART), await begin(ada, ACCOUNT)

            await ends_at(ada, refused(first))
            await ends_at(ada, f"{AUTH}/auth/callback?auth_code=planted&state=of-somebody-else".removeprefix(AUTH))

            assert await ends_at(ada, second) == ACCOUNT

    async def test_nobody_elses_way_is_learned_from_a_made_up_state(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            await begin(ada, "/payment/success?session_id=cs_1")

            answer = await ends_at(ada, "/auth/callback?auth_code=x&state=made-up")

            assert answer == "/login?error=expired"


# flask-security-3.0#233, clipperz#122
class TestCookiesThatAreBlocked:
    async def test_they_are_said_to_be_the_reason_and_where_to_go_is_kept(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            back = await begin(ada, CART)
            ada.api.cookies = httpx.Cookies()

            place = await ends_at(ada, back)

            assert place == "/login?error=cookies&next=/cart"
            assert "Your browser didn't send our cookie back" in await ada.open(place)

    async def test_a_browser_that_has_one_is_told_nothing_of_cookies(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            await ada.sign_in()

            assert await ends_at(ada, "/auth/callback?auth_code=x") == "/login?error=expired"
