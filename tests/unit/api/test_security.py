"""Every answer of the running app has its security headers; every script of a live page has that answer's nonce, and a
document for strangers, which is the same for all, has scripts of files alone."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import httpx
import pytest

from api.security import content_security_policy
from harness.app_process import NO_AUTHORITIES, Product, running_product
from settings import load_settings

PAGES = ["/", "/pricing", "/login", "/payment/success", "/payment/cancel", "/shop", "/cart", "/nope"]
OTHERS = [
    "/payment", "/account", "/upgrade", "/healthz", "/readyz", "/metrics", "/api/catalog", "/api/me", "/api/docs",
    "/api/openapi.json", "/api/nope", "/.well-known/jwks.json", "/auth/login", "/auth/callback", "/assets/app.js",
    "/favicon.ico",
]  # fmt: skip


pytestmark = pytest.mark.slow  # the whole product runs for it


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running_product(tmp_path_factory.mktemp("headers")) as product:
        yield product


def get(product: Product, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    return httpx.request(
        method, product.url + path, headers={"accept": "text/html", **headers}, verify=NO_AUTHORITIES, trust_env=False
    )


@pytest.fixture(scope="module")
def visitor(product: Product) -> dict[str, str]:
    """The cookie of a browser that has put something into its cart: its pages are live."""
    fields = {"price_id": "price_sandbox_sticker_pack", "next": "/shop"}
    answer = httpx.post(f"{product.url}/cart/add", data=fields, verify=NO_AUTHORITIES, trust_env=False)
    return {"cookie": f"session={answer.cookies['session']}"}


def signed_in(product: Product, name: str) -> dict[str, str]:
    """Make a user and sign them in; return their cookie."""
    made = product.control("POST", "/users", email=f"{name.partition(' ')[0].lower()}@example.com", name=name)
    with httpx.Client(base_url=product.url, verify=NO_AUTHORITIES, trust_env=False) as client:
        client.get("/auth/login?provider=google&next=/payment")
        client.get(f"/auth/callback?auth_code={made['auth_code']}")
        return {"cookie": f"session={client.cookies['session']}"}


def directives(answer: httpx.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _space, value in parts}


@pytest.mark.parametrize("path", PAGES + OTHERS)
@pytest.mark.parametrize("known", [False, True])
def test_every_answer_has_its_headers(product: Product, visitor: dict[str, str], path: str, known: bool) -> None:
    answer = get(product, path, **(visitor if known else {}))

    assert answer.status_code < 500
    policy = directives(answer)
    shared = not known and path in PAGES
    assert re.fullmatch(r"'self'" if shared else r"'self' 'nonce-[\w-]{20,}'", policy["script-src"])
    assert policy["frame-ancestors"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    expected = "no-referrer" if path == "/auth/callback" else "strict-origin-when-cross-origin"
    assert answer.headers["referrer-policy"] == expected
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert "strict-transport-security" not in answer.headers
    assert "server" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers
    for name, count in {name: len(answer.headers.get_list(name)) for name in answer.headers}.items():
        assert count == 1 or name == "set-cookie", name


@pytest.mark.parametrize("path", PAGES)
def test_a_document_for_strangers_is_the_same_for_all_and_runs_files_of_ours_alone(product: Product, path: str) -> None:
    answer, again = get(product, path), get(product, path)

    scripts = re.findall(r"<script([^>]*)>", answer.text)
    assert answer.content == again.content
    assert answer.headers["cache-control"].startswith("public, max-age=0")
    assert "set-cookie" not in answer.headers
    assert all("application/ld+json" in script or ' src="/assets/' in script for script in scripts)
    assert "nonce" not in answer.text
    assert not re.search(r"\son\w+=", answer.text.partition("<body")[2])


@pytest.mark.parametrize("path", PAGES)
def test_live_pages_are_kept_by_nobody_and_their_scripts_have_the_answers_nonce(
    product: Product, visitor: dict[str, str], path: str
) -> None:
    answer, again = get(product, path, **visitor), get(product, path, **visitor)

    nonce = directives(answer)["script-src"].partition("'nonce-")[2].rstrip("'")
    scripts = re.findall(r"<script[^>]*>", answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert scripts
    assert all(f'nonce="{nonce}"' in script for script in scripts)
    assert directives(again)["script-src"] != directives(answer)["script-src"]
    assert not re.search(r"\son\w+=", answer.text.partition("<body")[2].partition("<script")[0])


@pytest.mark.parametrize("path", [*PAGES, "/healthz", "/readyz", "/api/catalog", "/payment"])
def test_head_answers_like_get_without_a_body(product: Product, path: str) -> None:
    get_answer, head = get(product, path), get(product, path, "HEAD")

    differing = {"date", "content-security-policy", "x-request-id", "set-cookie", "content-length", "server-timing"}
    assert head.status_code == get_answer.status_code
    assert head.content == b""
    assert {n: v for n, v in head.headers.items() if n not in differing} == {
        n: v for n, v in get_answer.headers.items() if n not in differing
    }


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "CONNECT"])
def test_methods_of_no_use_are_refused(product: Product, method: str) -> None:
    assert get(product, "/pricing", method).status_code in (400, 403, 404, 405, 415)


def test_another_origin_gets_no_permission_to_read(product: Product) -> None:
    answer = get(product, "/api/catalog", origin="https://evil.example")

    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_no_cookie_comes_of_looking_and_that_of_the_first_change_is_out_of_reach_of_scripts(product: Product) -> None:
    fields = {"price_id": "price_sandbox_sticker_pack"}
    answer = httpx.post(f"{product.url}/cart/add", data=fields, verify=NO_AUTHORITIES, trust_env=False)
    (cookie,) = answer.headers.get_list("set-cookie")

    assert not [path for path in (*PAGES, "/payment", "/account") if "set-cookie" in get(product, path).headers]
    assert re.match(r"session=[\w-]+\.[\w-]{43}; ", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_no_client_is_kept_for_strangers(product: Product) -> None:
    def views() -> str:
        return next(
            line for line in get(product, "/metrics").text.splitlines() if line.startswith("billing_page_views ")
        )

    before = views()
    for number in range(3):
        for path in PAGES:
            get(product, f"{path}?session_id={number}&checkout={number}&next=/{number}", **{"accept-language": "de"})

    assert views() == before


def test_two_people_and_strangers_at_once_get_their_own_pages(product: Product) -> None:
    """Nothing of a person is in what others get, whatever comes together."""
    people = {name: signed_in(product, name) for name in ("Ada Lovelace", "Grace Hopper")}
    asked = [(path, who) for path in (*PAGES, "/payment", "/account") for who in (*people, "") for _time in range(3)]
    Random(7).shuffle(asked)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: get(product, one[0], **people.get(one[1], {})), asked))

    for (path, who), answer in zip(asked, answers, strict=True):
        named = {name for name in people if name in answer.text}
        assert named == ({who} if who and not answer.is_redirect else set()), (path, who)
        assert answer.headers["cache-control"] == "no-store" or not who


def live_settings(**values: object) -> str:
    settings = load_settings(
        _env_file=None,
        payment_ms_api_key="proj_" + "a" * 43,
        storage_secret="Zk3v9Qm1Xw7Lr5Tn8Bc2Hd6Jf4Gs0Py1",
        **{"public_url": "https://billing.example.com", **values},
    )
    return content_security_policy(settings, settings.embed_origins or ("'none'",))


def test_an_ipv6_address_which_the_policys_grammar_lacks_is_left_to_self() -> None:
    policy = live_settings(public_url="http://[::1]:8081")

    assert "connect-src 'self';" in policy
    assert "[" not in policy


def test_behind_https_forms_lead_to_stripe_and_sockets_are_encrypted() -> None:
    policy = live_settings()

    assert "form-action 'self' https://checkout.stripe.com https://billing.stripe.com;" in policy
    assert "connect-src 'self' wss://billing.example.com;" in policy
    assert policy.endswith("upgrade-insecure-requests")
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'nonce-{nonce}';" in policy


def test_only_the_named_sites_may_frame_what_is_made_for_it() -> None:
    policy = live_settings(embed_origins="https://www.example.com,https://example.org")

    assert "frame-ancestors https://www.example.com https://example.org;" in policy
