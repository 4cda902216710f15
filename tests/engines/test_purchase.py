"""The main job in other engines: a plan is chosen, signed in for, paid for, used and looked after at Stripe."""

from harness.app_process import Product
from tests.browser.people import new_person
from tools.engines.engine import Engine, awaited
from tools.engines.visitor import BrowserVisitor

CARD = "4242424242424242"
CHECKOUT = r"/c/pay/cs_test_"


def sign_in(visitor: BrowserVisitor) -> None:
    """From `/login` through the sandbox's Auth MS and back, as a person whom no other test has seen."""
    visitor.at(r"/login\?next=")
    visitor.press("sign-in-google")
    visitor.fill("sandbox-user-email", new_person())
    visitor.press("sandbox-user-continue")


def connected(visitor: BrowserVisitor, pattern: str) -> None:
    """Wait until the visitor is at that address and the page answers."""
    visitor.at(pattern)
    visitor.until("() => front.connected() || 'ready' in document.documentElement.dataset", what="connected")


def test_the_whole_walk_from_the_prices_to_the_portal_and_back(visitor: BrowserVisitor) -> None:
    visitor.open("/pricing")
    visitor.press("subscribe-premium")
    sign_in(visitor)
    connected(visitor, r"/payment\?price=")
    visitor.main_reads("Premium")
    visitor.press("subscribe-premium")
    visitor.at(CHECKOUT)
    visitor.fill("card-number", CARD)
    visitor.press("pay")

    visitor.at(r"/payment/success\?session_id=cs_test_")
    visitor.state("success-state", "active")
    visitor.open("/payment")
    visitor.state("subscription-status", "active")
    visitor.press("action-manage")
    visitor.at("/p/session/")
    visitor.press("portal-cancel")
    visitor.press("portal-confirm-cancel")
    visitor.press("portal-return")

    connected(visitor, r"/payment\?from=portal")
    visitor.main_reads("ends on|will end|cancels on|until")


def test_yearly_is_chosen_shown_and_bought(visitor: BrowserVisitor) -> None:
    visitor.open("/pricing")
    visitor.press("interval-year")
    visitor.reads("plan-price-premium", r"\$24\.17")
    visitor.press("subscribe-premium")
    sign_in(visitor)
    connected(visitor, r"/payment\?price=")
    visitor.main_reads(r"\$290")
    visitor.press("subscribe-premium")

    visitor.at(CHECKOUT)
    visitor.reads("total-due", r"290\.00")


def test_a_cart_is_filled_bought_and_then_empty(visitor: BrowserVisitor) -> None:
    visitor.open("/shop")
    visitor.press("more-sticker-pack")
    visitor.reads("total-sticker-pack", r"\$18\.00")
    visitor.press("add-to-cart-sticker-pack")
    visitor.reads("cart-count", "^2$")
    connected(visitor, "/shop")  # the first piece turned the document into a live page
    visitor.open("/cart")
    visitor.press("more-sticker-pack")
    visitor.reads("cart-total", r"^\$27\.00$")
    visitor.press("cart-checkout")
    sign_in(visitor)
    connected(visitor, "/cart$")
    visitor.press("cart-checkout")
    visitor.at(CHECKOUT)
    visitor.reads("total-due", r"27\.00")
    visitor.fill("card-number", CARD)
    visitor.press("pay")

    visitor.state("success-state", "submitted")
    visitor.open("/cart")
    visitor.reads("cart-empty", ".")


def test_by_keyboard_the_purchase_and_the_menu(visitor: BrowserVisitor) -> None:
    visitor.open("/pricing")
    visitor.tab_to("interval-month")
    visitor.key("ArrowRight")
    visitor.reads("plan-price-premium", r"\$24\.17")
    visitor.key("ArrowLeft")
    visitor.reads("plan-price-premium", r"\$29")
    visitor.tab_to("subscribe-premium")
    visitor.key("Enter")
    visitor.at(r"/login\?next=")
    visitor.tab_to("sign-in-google")
    visitor.key("Enter")
    visitor.at("/auth/google")
    visitor.tab_to("sandbox-user-email")
    visitor.write(new_person())
    visitor.key("Enter")
    connected(visitor, r"/payment\?price=")

    menu = "() => document.querySelector('details.account').open"
    visitor.tab_to("user-name")
    visitor.key("Enter")
    visitor.until(menu, what="the menu opens")
    visitor.key("Escape")
    visitor.until(f"() => !({menu})()", what="the menu closes")

    visitor.tab_to("subscribe-premium")
    visitor.key("Enter")
    visitor.at(CHECKOUT)
    visitor.tab_to("card-number")
    visitor.write(CARD)
    visitor.key("Enter")
    visitor.state("success-state", "active")


def test_what_the_console_says_is_heard(browser: Engine, product: Product) -> None:
    browser.go(f"{product.url}/pricing")
    for trouble in (
        "console.error('logged')",
        "void Promise.reject(new Error('rejected'))",
        "setTimeout(() => { throw new Error('thrown'); })",
    ):
        browser.evaluate(f"() => {{ {trouble}; }}")

    def heard() -> bool | None:
        told = " ".join(browser.complaints())
        return all(each in told for each in ("logged", "rejected", "thrown")) or None

    assert awaited(heard, "three complaints", 10.0)
