"""The one way into the product (`APP_URL`), by the same name wherever it is offered; nothing where none is named."""

from ui.components.button import Look, button
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.text.i18n import _


def product_button(context: PageContext, look: Look = "primary") -> Tag | None:
    """Draw the button that leads into the product; None where the operator names no address."""
    address = context.settings.app_url
    if not address:
        return None
    return button(product_words(context), look, href=str(address), icon_after="arrow-right", testid="open-product")


def product_words(context: PageContext) -> str:
    """Return what the way into the product is called."""
    return _("Open {brand}").format(brand=context.settings.brand_name)
