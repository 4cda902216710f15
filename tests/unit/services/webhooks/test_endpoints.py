"""Who is told what: the file of endpoints, and what is said of a wrong one."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.errors import WebhooksUnusable
from services.webhooks.endpoints import read_endpoints
from services.webhooks.model import EventKind
from tests.unit.services.webhooks.receivers import SECRET

GOOD: dict[str, Any] = {"name": "reports", "url": "https://reports.example/hooks", "secrets": [SECRET]}


def written(folder: Path, *endpoints: dict[str, Any]) -> str:
    path = folder / "webhooks.json"
    path.write_text(json.dumps({"endpoints": endpoints}), encoding="utf-8")
    return str(path)


def test_without_a_file_nobody_is_told() -> None:
    assert read_endpoints("") == ()


def test_an_endpoint_wants_kinds_families_or_all(tmp_path: Path) -> None:
    some = {**GOOD, "name": "some", "events": ["subscription.*", "order.returned"]}

    all_of_them, chosen = read_endpoints(written(tmp_path, GOOD, some))

    assert [kind for kind in EventKind if not all_of_them.wants(kind)] == []
    assert [kind.value for kind in EventKind if chosen.wants(kind)] == [
        "subscription.started", "subscription.changed", "subscription.ending", "subscription.ended",
        "subscription.past_due", "order.returned",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "ftp://reports.example/hooks"}, "endpoints.0.url: must be http(s)"),
        ({"url": "https://reports.example"}, "endpoints.0.url: must be http(s)"),
        ({"url": "https://a:b@reports.example/hooks"}, "endpoints.0.url: must be http(s)"),
        ({"url": "https://reports.example/hooks?key=1"}, "endpoints.0.url: must be http(s)"),
        ({"secrets": []}, "endpoints.0.secrets"),
        ({"secrets": ["not base64!"]}, "endpoints.0.secrets: must"),
        ({"secrets": ["whsec_c2hvcnQ="]}, "endpoints.0.secrets: must hold 24 random bytes"),
        ({"events": ["subscription.paused"]}, "subscription.paused is no event"),
        ({"name": "Reports!"}, "endpoints.0.name"),
        ({"colour": "red"}, "endpoints.0.colour"),
    ],
    ids=str,
)
def test_a_wrong_one_is_a_sentence_without_its_secret(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(WebhooksUnusable) as refused:
        read_endpoints(written(tmp_path, {**GOOD, **change}))

    assert words in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "not base64!" not in str(refused.value)


def test_two_of_one_name_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path, words in ((written(tmp_path, GOOD, GOOD), "twice"), (str(tmp_path / "nowhere.json"), "can't be read")):
        with pytest.raises(WebhooksUnusable, match=words):
            read_endpoints(path)
