"""A site below a path of its host, through nginx and HAProxy, with the files of deploy/ as they are."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from harness.app_process import NO_AUTHORITIES, AppProcess, Product, free_port, running_product
from harness.cluster import until
from tests.browser.people import at_checkout, choose_person, pay, success_state
from tools.chromium import wait_until_connected

FILES = Path(__file__).resolve().parents[2] / "deploy" / "below-a-path"
BASE = "/billing"


@contextmanager
def running(command: list[str], url: str, **environment: str) -> Iterator[str]:
    """Run a proxy in the foreground; yields its address once it answers."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        assert until(lambda: answers(url)), command
        yield url
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        return get(url).status_code < 500
    except httpx.TransportError:
        return False


def get(url: str) -> httpx.Response:
    return httpx.get(url, headers={"Accept": "text/html"}, timeout=5.0, trust_env=False, verify=NO_AUTHORITIES)


@contextmanager
def nginx(folder: Path, port: int, app: int) -> Iterator[str]:
    text = (FILES / "nginx.conf").read_text(encoding="utf-8")
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{port};").replace("127.0.0.1:8081", f"127.0.0.1:{app}")
    paths = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    inside = f"error_log stderr; events {{}} http {{ access_log off; {paths} {text} }}"
    whole = f"daemon off; master_process off; pid {folder}/pid; {inside}"
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    command = [program, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(command, f"http://localhost:{port}{BASE}") as url:
        yield url


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product behind nginx, whose address it has."""
    folder = tmp_path_factory.mktemp("below")
    port = free_port()
    public_url = f"http://localhost:{port}{BASE}"
    settings = {"PUBLIC_URL": public_url, "TRUSTED_PROXIES": "127.0.0.1", "HOME_PAGE": "pricing"}
    with (
        running_product(folder, app=settings, app_url=public_url, webhook_delay="1") as product,
        nginx(folder, port, int(product.url.rpartition(":")[2])) as url,
    ):
        app = product.app
        yield Product(AppProcess(url, app.environment, app.log_path), product.sandbox)


@pytest.fixture
def product(below: Product) -> Product:
    return below


def test_a_plan_is_bought_through_nginx(page: Page, below: Product) -> None:
    outside: list[str] = []
    ours = below.url.removesuffix(BASE)
    page.on("request", lambda request: outside.append(request.url) if strays(request.url, ours) else None)

    page.goto(below.url)  # redirected to /billing/, and from the home page to the prices
    page.wait_for_url(f"{below.url}/pricing")
    page.locator("[data-theme-choice][value=dark]").first.click()
    page.get_by_test_id("subscribe-premium").click()
    choose_person(page)
    page.get_by_test_id("subscribe-premium").first.click()
    at_checkout(page)
    pay(page)
    page.wait_for_url(f"{below.url}/payment/success?session_id=cs_test_*")
    success_state(page, "active")
    page.goto(f"{below.url}/shop")
    wait_until_connected(page)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_test_id("add-to-cart-api-credits").click()
    expect(page.get_by_test_id("cart-count")).to_have_text("1")  # over the socket, which a page takes with it
    page.goto(f"{below.url}/cart")
    wait_until_connected(page)
    expect(page.get_by_role("main")).to_contain_text("API credits")
    page.get_by_test_id("user-name").first.click()
    page.get_by_test_id("sign-out").first.click()
    page.wait_for_url(f"{below.url}/signed-out")

    assert outside == []
    assert {cookie["path"] for cookie in page.context.cookies() if cookie["domain"] == "localhost"} >= {BASE}


def strays(url: str, ours: str) -> bool:
    """Whether a request goes to our host, and not below the path."""
    return url.startswith(f"{ours}/") and url != f"{ours}{BASE}" and not url.startswith(f"{ours}{BASE}/")


IN_ATTRIBUTES = re.compile(r"""(?:href|src|action|formaction|content|data-line-script)=["'](/[^/"'][^"']*)""")
IN_STYLES = re.compile(r"""url\(["']?(/[^)"']+)""")


def test_every_address_that_strangers_get_stands_below_the_path_through_haproxy_too(below: Product) -> None:
    port = free_port()
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    app = f"127.0.0.1:{below.app.environment['PORT']}"
    command = [program, "-f", str(FILES / "haproxy.cfg")]
    with running(command, f"http://127.0.0.1:{port}{BASE}/healthz", HAPROXY_BIND=f"127.0.0.1:{port}", APP1=app):
        site = f"http://127.0.0.1:{port}"
        for path in ("/pricing", "/shop", "/login?next=/payment", "/embed/pricing", "/api/docs", "/cart", "/nowhere"):
            text = get(f"{site}{BASE}{path}").text
            found = [*IN_ATTRIBUTES.findall(text), *IN_STYLES.findall(text)]
            assert found, path
            assert [address for address in found if not address.startswith(f"{BASE}/")] == [], path
        assert get(f"{site}{BASE}").headers["location"] == f"{BASE}/"
        assert get(f"{site}{BASE}/payment").headers["location"] == f"{BASE}/login?next=/payment"
        assert get(f"{site}{BASE}/metrics").status_code == 404
        assert get(f"{site}/pricing").status_code == 404
        assert 'hreflang="de" href="' + below.url in get(f"{site}{BASE}/pricing").text
        assert f"]({below.url}/payment?" in get(f"{site}{BASE}/pricing.md").text
        assert f"<loc>{below.url}/pricing</loc>" in get(f"{site}{BASE}/sitemap.xml").text
        assert f"Disallow: {BASE}/auth/" in get(f"{site}{BASE}/robots.txt").text
