"""Every check and every option of the commands stands in the documents."""

import argparse

import pytest

from cli.commands import add_operator_commands
from contract.__main__ import _parser
from contract.checks import CHECKS
from tests.cli.installation import ROOT, Installation

COMMANDS = (ROOT / "docs" / "operator-commands.md").read_text(encoding="utf-8")
CONTRACT = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    return {word for action in parser._actions for word in action.option_strings if word.startswith("--")} - {"--help"}


def commands() -> dict[str, argparse.ArgumentParser]:
    subparsers = argparse.ArgumentParser().add_subparsers()
    add_operator_commands(subparsers)
    return dict(subparsers.choices)


@pytest.mark.parametrize("name", commands())
def test_options_of_a_command_are_documented(name: str) -> None:
    section = COMMANDS.split(f"## `python app.py {name}`")[1].split("\n## ")[0]

    assert {option for option in options_of(commands()[name]) if f"| `{option}" not in section} == set()


def test_options_of_the_contract_are_documented() -> None:
    assert {option for option in options_of(_parser()) if f"{option} " not in CONTRACT.replace("`", " ")} == set()


@pytest.mark.parametrize("name", [check.name for check in CHECKS])
def test_check_of_the_contract_is_documented(name: str) -> None:
    assert f"`{name}`" in CONTRACT


def test_checks_of_an_installation_are_documented(installation: Installation) -> None:
    _, found = installation.check()
    told = {*found, "redis", "live_checkout", "public_url_https"}

    assert {name for name in told if f"`{name}`" not in COMMANDS} == set()
