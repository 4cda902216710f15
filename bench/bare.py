"""The reference: a NiceGUI app as its documentation starts one, with two pages of as many elements as ours.

Run as a process: `python -m bench.bare PORT PRICING_ELEMENTS PAYMENT_ELEMENTS`.
"""

import sys

from nicegui import ui

OWN = 4
"""Elements that every NiceGUI page has: layout, container, page, content."""


def draw(elements: int) -> None:
    """Draw that many elements: cards of ten labels, as a price list is."""
    left = elements - OWN
    while left > 0:
        with ui.card():
            left -= 1
            for number in range(min(10, left)):
                ui.label(f"A line of about as many letters as ours have {number}")
                left -= 1


def main() -> None:
    """Serve until a signal comes."""
    port, pricing, payment = (int(argument) for argument in sys.argv[1:4])
    ui.page("/pricing")(lambda: draw(pricing))
    ui.page("/payment")(lambda: draw(payment))
    ui.page("/")(lambda: draw(OWN + 1))
    ui.run(host="127.0.0.1", port=port, show=False, reload=False, show_welcome_message=False)


if __name__ in {"__main__", "__mp_main__"}:
    main()
