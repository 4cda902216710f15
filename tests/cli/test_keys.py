"""`keys new` makes what the app then signs with, and `check` says what is wrong with a key."""

import pytest
from pydantic import SecretStr

from cli.commands import main
from services.entitlements.signing import SigningKey, new_key_pem
from tests.cli.installation import Installation


def test_a_new_key_is_a_line_for_env(capsys: pytest.CaptureFixture[str]) -> None:
    codes = [main(["keys", "new"]), main(["keys", "new"])]

    lines = capsys.readouterr().out.splitlines()
    keys = [SigningKey(SecretStr(line.removeprefix("ENTITLEMENTS_KEY=").strip('"'))) for line in lines]
    assert codes == [0, 0]
    assert len({key.key_id for key in keys}) == 2


def test_a_pem_is_nothing_but_the_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "new", "--pem"]) == 0

    told = capsys.readouterr()
    assert SigningKey(SecretStr(told.out)).key_id
    assert told.err == ""


def test_check_says_which_key_signs(installation: Installation) -> None:
    pem = new_key_pem()
    installation.set(entitlements_key=pem, entitlements_key_next=new_key_pem())

    _, found = installation.check()

    level, words = found["entitlements_key"]
    assert level == "ok"
    assert SigningKey(SecretStr(pem)).key_id in words
    assert "2 keys are published" in words


def test_check_says_what_is_wrong_with_a_key(installation: Installation) -> None:
    installation.set(entitlements_key="-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----")

    assert "ENTITLEMENTS_KEY is no P-256 private key" in installation.errors()["entitlements_key"]


def test_check_warns_of_a_key_that_is_there_twice(installation: Installation) -> None:
    pem = new_key_pem()
    installation.set(entitlements_key=pem, entitlements_key_previous=pem)

    assert installation.check()[1]["entitlements_key"][0] == "warning"


def test_check_says_where_every_start_makes_another_key(installation: Installation) -> None:
    level, words = installation.check()[1]["entitlements_key"]

    assert level == "ok"
    assert "changes at each start" in words
