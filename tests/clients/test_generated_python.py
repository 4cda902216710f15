"""The code that `openapi-python-client` makes of the OpenAPI document, with no name changed by hand, asks the app."""

import compileall
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from api.document.examples import EXAMPLES
from sandbox.launch import RunningSandbox
from services.web.service_tokens import digest_of, new_token
from tests.unit.api.api_world import OURS, ApiWorld, Browser, api_world
from tests.unit.api.test_operations import member

pytestmark = pytest.mark.slow

TOKEN = new_token()
Import = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, openapi_file: Path) -> Iterator[Import]:
    """Imports a module of the package `billing_api`, made as a user of the generator does; a warning fails."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "config.json").write_text(json.dumps({"post_hooks": []}), encoding="utf-8")
    options = "--config config.json --output-path billing_api --meta none --fail-on-warning"
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(openapi_file), *options.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    assert compileall.compile_dir(folder / "billing_api", quiet=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield lambda name: importlib.import_module(f"billing_api.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "billing_api"]:
        del sys.modules[name]


def over(world: ApiWorld, browser: Browser | None = None) -> httpx.AsyncClient:
    """What the generated client asks with: the app in this process, and a browser's cookies."""
    headers = OURS if browser is not None else {"authorization": f"Bearer {TOKEN}"}
    cookies = browser.cookies if browser is not None else None
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"{world.url}/api", headers=headers, cookies=cookies)


async def test_generated_code_asks_the_app(tmp_path: Path, generated: Import, api_sandbox: RunningSandbox) -> None:
    tokens = (f"reports={digest_of(TOKEN)}",)
    async with api_world(tmp_path, api_sandbox, service_tokens=tokens) as world:
        browser = await member(world)
        async with over(world, browser) as of_user, over(world) as of_service:
            make = generated("client").Client
            user, service = make(world.url).set_async_httpx_client(of_user), make(world.url)
            service.set_async_httpx_client(of_service)
            me = await generated("api.account.get_me").asyncio(client=user)
            catalog = await generated("api.catalog.get_catalog").asyncio(client=user, accept_language="de")
            had = await generated("api.payment.get_subscriptions").asyncio(client=user)
            entitled = await generated("api.entitlements.get_user_entitlements").asyncio(me.user_id, client=service)
            wanted = generated("models").CheckoutRequest(price_id=world.price("premium"))
            refused = await generated("api.payment.create_checkout").asyncio(client=user, body=wanted)

    models = generated("models")
    assert [plan.name for plan in catalog.plans] == [plan.name.in_("de") for plan in world.container.catalog.on_sale]
    assert {price.interval for plan in catalog.plans for price in plan.prices} == set(models.Interval)
    assert had.current.state is models.State.ACTIVE
    assert (entitled.plan, entitled.features["projects"]) == ("premium", "unlimited")
    assert (refused.code, refused.retryable) == (models.ProblemCode.ALREADY_SUBSCRIBED, False)


@pytest.mark.parametrize("name", EXAMPLES)
def test_generated_code_reads_and_writes_each_example(generated: Import, name: str) -> None:
    example = json.loads(json.dumps(EXAMPLES[name]).replace('Z"', '+00:00"'))  # as Python writes UTC

    assert getattr(generated("models"), name).from_dict(example).to_dict().items() >= example.items()
