"""The operator's links: those of `links` in `products.json`, and the addresses of the settings."""

from collections.abc import Sequence

from catalog import Link
from ui.page.catalog_reader import CatalogReader
from ui.text.i18n import _


def navigation_links(context: CatalogReader) -> list[tuple[str, str]]:
    """Return address and words of the links behind ours in the header."""
    return _worded(context, context.catalog.links.navigation)


def footer_links(context: CatalogReader) -> list[tuple[str, str]]:
    """Return address and words of all links of the footer."""
    settings, links = context.settings, context.catalog.links
    named = (
        # Translators: link in the footer
        (links.documentation, _("Documentation")),
        # Translators: link in the footer to a page that says whether the service works
        (links.status, _("System status")),
        # Translators: link in the footer: terms of service
        (settings.terms_url, _("Terms")),
        # Translators: link in the footer: privacy policy
        (settings.privacy_url, _("Privacy")), (links.refund_policy, _("Refund policy")),
        # Translators: link in the footer: who is responsible for the site
        (links.imprint, _("Legal notice")),
        # Translators: link in the footer to where customers get help
        (settings.support_url, _("Support")),
    )  # fmt: skip
    return [
        ("/pricing", _("Pricing")),
        *_worded(context, links.footer),
        *((address, words) for address, words in named if address),
    ]


def _worded(context: CatalogReader, links: Sequence[Link]) -> list[tuple[str, str]]:
    return [(link.url, context.text(link.label)) for link in links]
