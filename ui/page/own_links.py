"""The operator's links: those of `links` in `products.json`, and the addresses of the settings."""

from collections.abc import Sequence

from catalog import Link
from ui.page.context import PageContext
from ui.text.i18n import _


def navigation_links(context: PageContext) -> list[tuple[str, str]]:
    """Return address and words of the links behind ours in the header."""
    return _worded(context, context.catalog.links.navigation)


def footer_links(context: PageContext) -> list[tuple[str, str]]:
    """Return address and words of all links of the footer."""
    settings, links = context.settings, context.catalog.links
    named = (
        (links.documentation, _("Documentation")), (links.status, _("System status")), (settings.terms_url, _("Terms")),
        (settings.privacy_url, _("Privacy")), (links.refund_policy, _("Refund policy")),
        (links.imprint, _("Legal notice")), (settings.support_url, _("Support")),
    )  # fmt: skip
    return [
        ("/pricing", _("Pricing")),
        *_worded(context, links.footer),
        *((address, words) for address, words in named if address),
    ]


def _worded(context: PageContext, links: Sequence[Link]) -> list[tuple[str, str]]:
    return [(link.url, context.text(link.label)) for link in links]
