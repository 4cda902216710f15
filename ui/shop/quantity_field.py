"""How many: a number field with − and + beside it, which works as a plain field of its form without a script.

NiceGUI sends no value of a plain input to the server, so a page has one `Reporter`: a component that draws nothing and
reports what stands in the fields, by name. Every read checks: the value comes from a browser.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from catalog import Item
from services.errors import InvalidQuantity
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.text.i18n import _, ngettext
from ui.theme.icons import icon

Changed = Callable[[], Awaitable[None] | None]


class QuantityField:
    """The field of one item. `on_input` hears every key, `on_change` what was settled on."""

    def __init__(
        self,
        context: PageContext,
        item: Item,
        quantity: int | str,
        *,
        on_input: Changed | None = None,
        on_change: Changed | None = None,
        described_by: str = "",
    ) -> None:
        self._item = item
        self.text = str(quantity)
        self.on_input = on_input
        self.on_change = on_change
        name = context.text(item.name)
        with Tag("div", classes="quantity", data_quantity=item.id) as self.box:
            # Translators: name of the button with a minus sign, for screen readers
            self._step(-1, "minus", _("One less: {item}").format(item=name), f"less-{item.id}")
            self.input = Tag(
                "input", type="number", name="quantity", value=self.text, min=item.min_quantity, max=item.max_quantity,
                step=1, inputmode="numeric", autocomplete="off", required=True, testid=f"quantity-{item.id}",
                aria_label=_("Quantity: {item}").format(item=name), aria_describedby=described_by or None,
            )  # fmt: skip
            # Translators: name of the button with a plus sign, for screen readers
            self._step(1, "plus", _("One more: {item}").format(item=name), f"more-{item.id}")
        _reporter(context).fields[item.id] = self

    @property
    def quantity(self) -> int:
        """The number in the field. Raises InvalidQuantity for anything that is none, or one outside the limits."""
        number = int(self.text) if re.fullmatch(r"\d{1,9}", self.text.strip(), re.ASCII) else None
        if number is None or not self._item.min_quantity <= number <= self._item.max_quantity:
            raise InvalidQuantity(f"{self.text!r} of {self._item.id}")
        return number

    def show(self, quantity: int) -> None:
        """Put another number into the field."""
        self.text = str(quantity)
        self.input.set(value=self.text)

    def mark(self, *, wrong: bool) -> None:
        """Say to all users, also without words, whether the number can be had."""
        self.input.set(aria_invalid=True if wrong else None)

    async def heard(self, text: str, *, done: bool) -> None:
        """Take what the browser says stands in the field now."""
        self.text = text
        with self.input._props.suspend_updates():
            self.input._props["value"] = text  # the browser has it already
        react = self.on_change if done else self.on_input
        if react is not None:
            result = react()
            if inspect.isawaitable(result):
                await result

    def _step(self, by: int, drawing: str, label: str, testid: str) -> None:
        with Tag("button", type="button", classes="quantity-step", data_step=by, aria_label=label, testid=testid):
            icon(drawing)


class Reporter(Element, component="quantity_field.js"):
    """Draws nothing; emits `quantity` with name, value and whether the value was settled on."""

    light = True

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, QuantityField] = {}
        self.on("quantity", self._heard)

    async def _heard(self, event: GenericEventArguments) -> None:
        said: Mapping[str, object] = event.args if isinstance(event.args, dict) else {}
        field = self.fields.get(str(said.get("name")))
        if field is not None and not field.input.is_deleted:
            with field.box:
                await field.heard(str(said.get("value", ""))[:20], done=bool(said.get("done")))


def limits_words(item: Item) -> str:
    """Return in which quantities an item is sold."""
    low, high = item.min_quantity, item.max_quantity
    if low == high:
        return ngettext("{count} at a time", "{count} at a time", low).format(count=low)
    if low == 1:
        return _("Up to {most} at a time").format(most=high)
    return _("{least} to {most} at a time").format(least=low, most=high)


def _reporter(context: PageContext) -> Reporter:
    """Return this page's reporter, made at the first call outside of everything that is drawn anew."""

    def make() -> Reporter:
        with ui.context.client.layout:
            return Reporter()

    return context.part(Reporter, make)
