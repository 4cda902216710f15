"""Who is an operator."""

import pytest
from pydantic import SecretStr

from services.web.operator_token import shows_token

TOKEN = SecretStr("an-operators-token-for-tests")


@pytest.mark.parametrize(
    ("header", "let_in"),
    [
        ("Bearer an-operators-token-for-tests", True),
        ("Basic b3BzOmFuLW9wZXJhdG9ycy10b2tlbi1mb3ItdGVzdHM=", True),
        ("Bearer another", False),
        ("Bearer ", False),
        ("Basic b3BzOndyb25n", False),
        ("Basic not base64!", False),
        ("Basic /w==", False),
        ("Digest an-operators-token-for-tests", False),
        ("", False),
    ],
)
def test_who_is_an_operator(header: str, let_in: bool) -> None:
    assert shows_token(header, TOKEN) is let_in
