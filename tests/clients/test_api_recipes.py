"""`docs/api.md` is true: its table is the document's, and its recipes run as they stand there."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from harness.app_process import free_port
from sandbox.launch import RunningSandbox
from services.web.service_tokens import digest_of, new_token
from tests.unit.api.api_world import WEBHOOK_SECRET, ApiWorld, api_world
from tests.unit.api.test_operations import member

pytestmark = pytest.mark.slow

Document = dict[str, Any]
PAGE: Final = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
RECIPES: Final = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
TOKEN: Final = new_token()
END: Final = "\x1e"
SHELL: Final = 'set -eu; curl() { command curl --silent --show-error --max-time 60 "$@"; }\n'
ANSWERS: Final = (
    "Catalog", "304", "UserEntitlement", "EntitlementsAnswer", "keys", "Me", "Subscriptions", "CheckoutStarted",
    "CheckoutStarted", "Problem", "Cart", "CheckoutStarted", "PortalOpened", "PortalOpened", "204",
)  # fmt: skip
"""What each recipe prints: a schema of the document, or a text."""

WHO: Final = {
    "[{'sessionCookie': []}]": "a user", "[{'sessionCookie': []}, {}]": "a visitor or a user",
    "[{'serviceToken': []}]": "a service",
}  # fmt: skip


@pytest.fixture
def document(openapi_file: Path) -> Document:
    read: Document = json.loads(openapi_file.read_text(encoding="utf-8"))
    return read


def test_the_table_has_every_operation(document: Document) -> None:
    documented = {
        (operation["operationId"], f"{method.upper()} /api{path}", WHO.get(str(operation.get("security")), "anybody"))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }

    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert {(name, request, who.replace("the Payment MS", "anybody")) for name, request, who in rows} == documented


async def printed_by_recipes(world: ApiWorld) -> list[str]:
    """Run all recipes in one shell, as somebody who has Premium and a service with a token."""
    browser = await member(world)
    known = {
        "BILLING": world.url, "TOKEN": TOKEN, "SECRET": WEBHOOK_SECRET, "PREMIUM": world.price(),
        "USER_ID": (await browser.get("/api/me")).json()["user_id"], "CREDITS": world.item_price(),
        "COOKIE": browser.cookies[world.container.sessions.cookie_name], "NO_PROXY": "*",
    }  # fmt: skip
    async with world.served():
        shell = await asyncio.create_subprocess_exec(
            "bash", "-c", SHELL + f"\nprintf '{END}'\n".join(RECIPES), env=os.environ | known,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, complaints = await asyncio.wait_for(shell.communicate(), 120)
    assert shell.returncode == 0, complaints.decode()
    return printed.decode().split(END)


def looks_like(answer: str, expected: str, document: Document) -> bool:
    if expected in document["components"]["schemas"]:
        schema = {"$ref": f"#/components/schemas/{expected}", "components": document["components"]}
        return bool(jsonschema_rs.is_valid(schema, json.loads(answer)))
    return expected in answer


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("openssl"), reason="the recipes need curl and openssl")
async def test_each_recipe_does_what_it_says(tmp_path: Path, document: Document, api_sandbox: RunningSandbox) -> None:
    tokens = (f"recipes={digest_of(TOKEN)}",)

    async with api_world(tmp_path, api_sandbox, port=free_port(), service_tokens=tokens) as world:
        answers = await printed_by_recipes(world)

    assert len(answers) == len(ANSWERS) == len(RECIPES)
    for recipe, answer, expected in zip(RECIPES, answers, ANSWERS, strict=True):
        assert looks_like(answer, expected, document), f"{recipe}\n{answer}"
    assert json.loads(answers[2])["plan"] == "premium"
    assert json.loads(answers[8])["checkout_id"] != json.loads(answers[7])["checkout_id"]
    assert json.loads(answers[9])["code"] == "already_subscribed"
    assert json.loads(answers[10])["count"] == 3
