"""Languages: from BCP 47, as the contract has them, to the tags that Stripe's pages know."""

from typing import Final

_STRIPES: Final = """
    bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv
    th tr vi zh zh-HK zh-TW
"""
KNOWN: Final = frozenset(_STRIPES.split())
"""https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-locale; what is none is `auto`."""

_OTHER_NAMES: Final = {"no": "nb", "nn": "nb", "zh-hant": "zh-TW"}


def stripe_locale(tag: str) -> str:
    """Return Stripe's tag for a language: the region's where there is one, else the language's, else `auto`."""
    wanted = tag.replace("_", "-").lower()
    wanted = _OTHER_NAMES.get(wanted, wanted)
    by_lower = {known.lower(): known for known in KNOWN}
    language = wanted.partition("-")[0]
    return by_lower.get(wanted) or by_lower.get(_OTHER_NAMES.get(language, language), "auto")
