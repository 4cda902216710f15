"""Schemathesis over our own OpenAPI document, against the running app: what it promises is what it answers."""

import asyncio
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.examples import some_of
from tests.faults.shop import ProxiedProduct

EXAMPLES: Final = 25
"""For each of the fourteen operations, with and without a session."""

CHECKS: Final = (
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)


def ask_everything(url: str, cookies: dict[str, str]) -> set[str]:
    """Send generated requests to every operation, and return the operations."""
    headers = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")
    asked = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @settings(
            max_examples=some_of(EXAMPLES), deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            answer = case.call(base_url=f"{url}/api", headers=headers, cookies=cookies)
            case.validate_response(answer, checks=CHECKS)

        check()
        asked.add(f"{operation.method.upper()} {operation.path}")
    return asked


@pytest.mark.examples
async def test_no_generated_request_gets_an_answer_that_is_not_promised(shop: ProxiedProduct) -> None:
    await shop.open({"LIMIT_CHECKOUTS": "100000/minute"})
    person = await shop.person().sign_in()
    cookies = {cookie.name: cookie.value or "" for cookie in person.client.cookies.jar}

    signed_in = await asyncio.to_thread(ask_everything, shop.app.url, cookies)
    visitor = await asyncio.to_thread(ask_everything, shop.app.url, {})

    assert signed_in == visitor
    assert len(signed_in) == 15
    assert not shop.app.events("request_failed")
    assert "Traceback" not in shop.app.log()
