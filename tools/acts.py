"""What people do in scenes (`tools/scenes.py`), once their page is alive."""

from collections.abc import Callable

from playwright.sync_api import Page

from tools.cast import Stage

Do = Callable[[Stage, Page], None]


def press(testid: str) -> Do:
    """Return the act of pressing what has that test id."""
    return lambda _stage, page: page.get_by_test_id(testid).first.click()


def refused(testid: str) -> Do:
    """Return the act of pressing what has that test id, and waiting for what the page has to say first."""

    def act(stage: Stage, page: Page) -> None:
        press(testid)(stage, page)
        page.locator(".problem").first.wait_for()

    return act


def folded_menu(_stage: Stage, page: Page) -> None:
    """Open the menu that the navigation folds into on a phone, or the account's on a wide screen."""
    menus = page.locator("details[data-menu] > summary:visible")
    menus.last.click()


def unfolded(_stage: Stage, page: Page) -> None:
    """Open the menu that the navigation folds into, as it is on a phone."""
    page.locator("details.menu-folded").evaluate("menu => menu.setAttribute('open', '')")


def answered(_stage: Stage, page: Page) -> None:
    """Open all questions, and scroll to where the comparison's head stays in sight."""
    page.evaluate("document.querySelectorAll('details.question').forEach((each) => each.setAttribute('open', ''))")


def deaf(_stage: Stage, page: Page) -> None:
    """Hear no news any more, so that what is shown now stays."""
    page.evaluate("window.socket.removeAllListeners('update')")


def slow(stage: Stage, page: Page) -> None:
    """Press a plan's button and wait until the page says that it takes long."""
    busy(stage, page)
    page.locator("form[data-slow]").first.wait_for()


def found_again(stage: Stage, page: Page) -> None:
    """Lose the connection and find it again."""
    page.evaluate("window.socket.io.engine.close()")
    page.locator("#popup[data-back]").wait_for()
    page.evaluate("document.getElementById('popup').setAttribute('data-back', 'kept')")


def busy(_stage: Stage, page: Page) -> None:
    """Press a plan's button and stay before the answer: the request that would follow never leaves."""
    page.evaluate("window.socket.emit = () => undefined")
    page.get_by_test_id("subscribe-premium").first.click()


def lost(_stage: Stage, page: Page) -> None:
    """Lose the connection for good."""
    page.context.set_offline(True)
    page.evaluate("window.socket.io.reconnection(false); window.socket.io.engine.close()")
    page.locator("#line:not(:empty)").wait_for()


def year(_stage: Stage, page: Page) -> None:
    """Choose yearly prices."""
    page.get_by_test_id("interval-year").check(force=True)
