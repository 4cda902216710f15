"""Write what is made from the code: `.env.example`, `products.schema.json`, the tables of three pages; and from
`deploy/alerts.yaml` the same rules for the Prometheus operator.

Run by `make generate`. A test compares them with what this would write, so that neither can fall behind.
"""

import json
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from catalog import Catalog
from services.claims.rules import RULES
from services.subscription.model import ACTIONS
from settings import Settings, defaults
from tools import complaints
from ui.text.claim_words import SENTENCES
from ui.text.states import ACTION_WORDS, STATES

ROOT: Final = Path(__file__).resolve().parent.parent

CONFIGURATION: Final = "docs/configuration.md"
TABLE_BEGINS: Final = "<!-- settings: made by `make generate` -->\n"
TABLE_ENDS: Final = "<!-- end of settings -->"

RULE_HEAD: Final = """\
# Made by `make generate` of deploy/alerts.yaml, which says what they mean.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: billing, labels: {app: billing}}
spec:
"""

HEAD: Final = """\
# Every setting, with its default. Copy this file to .env and change what you need; an empty value is not set.
# The environment wins over .env. Without PAYMENT_MS_API_KEY the app starts its own sandbox,
# which has more settings of its own (SANDBOX_WEBHOOK_DELAY, SANDBOX_STATUS_SHAPE, ...; see sandbox/settings.py).
"""


def env_example() -> str:
    """Return the text of `.env.example`: a line that says what it is, then the setting, for each setting."""
    written = defaults()
    entries = (
        f"\n# {field.description}\n{name.upper()}={written[name.upper()]}\n"
        for name, field in Settings.model_fields.items()
    )
    return HEAD + "".join(entries)


def catalog_schema() -> str:
    """Return the JSON Schema of `products.json`, with which editors complete and check it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Catalog.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def configuration() -> str:
    """Return the page of settings with its table made anew; everything around the table stays as it is."""
    before, begin, rest = (ROOT / CONFIGURATION).read_text(encoding="utf-8").partition(TABLE_BEGINS)
    _old, end, after = rest.partition(TABLE_ENDS)
    written = defaults()
    rows = (
        f"| `{name.upper()}` | {f'`{written[name.upper()]}`' if written[name.upper()] else '–'} | {field.description} |"
        for name, field in Settings.model_fields.items()
    )
    table = "\n".join(["", "| Setting | Default | What it is |", "| --- | --- | --- |", *rows, ""])
    return before + begin + table + end + after


def states_page() -> str:
    """Return `docs/states.md` with its tables made anew from the code; the text around them stays as it is."""
    text = (ROOT / "docs" / "states.md").read_text(encoding="utf-8")
    for name, rows in (("states", _state_rows()), ("actions", _action_rows()), ("claims", _claim_rows())):
        before, begin, rest = text.partition(f"<!-- {name}: made by `make generate` -->\n")
        _old, end, after = rest.partition(f"<!-- end of {name} -->")
        text = before + begin + "\n".join(["", *rows, ""]) + end + after
    return text


def complaints_page() -> str:
    """Return `docs/complaints.md` with its table made anew from the tests; the text around it stays as it is."""
    text = (ROOT / "docs" / "complaints.md").read_text(encoding="utf-8")
    before, begin, rest = text.partition("<!-- complaints: made by `make generate` -->\n")
    _old, end, after = rest.partition("<!-- end of complaints -->")
    return before + begin + "\n".join(["", *complaints.table(), ""]) + end + after


def prometheus_rule() -> str:
    """Return `deploy/alerts.yaml` as the Prometheus operator takes it."""
    rules = (ROOT / "deploy" / "alerts.yaml").read_text(encoding="utf-8")
    return RULE_HEAD + textwrap.indent(rules[rules.index("groups:\n") :], "  ")


def _state_rows() -> list[str]:
    rows = [
        f"| `{shown}` | `{row.badge}` | {row.tone} | `{row.icon}` | {row.headlines[0]} | {row.date_verb or '–'} | "
        f"{row.cards} | {row.why_not or '–'} |"
        for shown, row in STATES.items()
    ]
    head = "| state | badge | colour | icon | headline | date | cards | why they offer nothing |"
    return [head, "|---|---|---|---|---|---|---|---|", *rows]


def _action_rows() -> list[str]:
    rows = [
        f"| `{state}` | {', '.join(ACTION_WORDS[action] for action in actions) or '–'} |"
        for state, actions in ACTIONS.items()
    ]
    return ["| state | actions |", "|---|---|", *rows]


def _claim_rows() -> list[str]:
    rows = [
        f"| `{says}` | {SENTENCES.get(says, ('',))[0] or '–'} | {rule.only_on} | {rule.otherwise} |"
        for says, rule in RULES.items()
    ]
    return ["| claim | words | only on this evidence | otherwise |", "|---|---|---|---|", *rows]


FILES: Final[Mapping[str, Callable[[], str]]] = {
    ".env.example": env_example,
    "products.schema.json": catalog_schema,
    CONFIGURATION: configuration,
    "docs/states.md": states_page,
    "docs/complaints.md": complaints_page,
    "deploy/kubernetes/monitoring/prometheus-rule.yaml": prometheus_rule,
}


def main() -> int:
    """Write each file whose text has changed, and say which."""
    for name, text in FILES.items():
        path = ROOT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text():
            path.write_text(text(), encoding="utf-8")
            print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
