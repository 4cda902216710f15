"""Uses every element of `examples/all_elements.py` in Chromium; raises AssertionError at one that does not work."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tools.chromium import wait_until_connected

EXTENSIONS = "examples.all_elements,examples.usage_page"


def use_every_element(page: Page, url: str) -> None:
    """Open the page of all elements and use each of them."""
    page.goto(f"{url}/elements")
    wait_until_connected(page)
    main = page.get_by_role("main")
    _read_texts(page)
    _fill_fields(page)
    main.get_by_role("tab", name="Second").click()
    expect(main.get_by_text("The second panel")).to_be_visible()
    main.get_by_text("An expansion").click()
    expect(main.get_by_text("What was folded")).to_be_visible()
    for text in ("left", "right", "above", "below", "In a card"):
        expect(main.get_by_text(text, exact=True)).to_be_visible()
    expect(main.locator(".q-table").get_by_role("cell", name="premium")).to_be_visible()
    expect(main.locator(".ag-cell").get_by_text("premium")).to_be_visible()
    expect(main.locator(".nicegui-echart canvas, .nicegui-echart svg").first).to_be_visible()
    main.locator(".q-tree__arrow").click()
    expect(main.locator(".q-tree").get_by_text("basic")).to_be_visible()
    _act(page)


def use_plain_page(page: Page, url: str) -> None:
    """Open the plain `@ui.page` and press its button."""
    page.goto(f"{url}/plain")
    wait_until_connected(page)
    page.get_by_role("button", name="Press").click()
    expect(page.get_by_text("pressed", exact=True)).to_be_visible()
    expect(page.locator(".q-table").get_by_role("cell", name="basic")).to_be_visible()


def _read_texts(page: Page) -> None:
    main = page.get_by_role("main")
    for text in ("A label", "A link", "markdown", "Some HTML"):
        expect(main.get_by_text(text, exact=True)).to_be_visible()
    expect(main.locator(".nicegui-code")).to_contain_text("print('code')")
    expect(main.get_by_role("separator").first).to_be_visible()
    expect(main.locator("img").first).to_have_js_property("complete", True)
    main.get_by_text("thumb_up").hover()
    expect(page.get_by_text("A tooltip on an icon")).to_be_visible()


def _fill_fields(page: Page) -> None:
    main = page.get_by_role("main")
    main.get_by_label("Name").fill("Ada")
    main.get_by_label("Notes").fill("two\nlines")
    main.get_by_label("Seats").fill("5")
    main.get_by_label("Interval").click()
    page.get_by_role("option", name="yearly").click()
    main.get_by_role("checkbox", name="A checkbox").click()
    main.get_by_role("radio", name="two").click()
    main.get_by_role("switch", name="A switch").click()
    main.get_by_role("button", name="week").click()
    main.get_by_role("slider").press("ArrowRight")
    main.locator(".q-date").get_by_role("button", name="15", exact=True).click()
    with page.expect_file_chooser() as chooser:
        main.locator(".q-uploader__header a, .q-uploader__header button").last.click()
    chooser.value.set_files(Path(__file__))
    expect(page.get_by_test_id("uploaded")).to_have_text(f"uploaded {Path(__file__).name}")


def _act(page: Page) -> None:
    main = page.get_by_role("main")
    main.get_by_role("button", name="Count").click()
    expect(page.get_by_test_id("counted")).to_have_text("counted 1")
    main.get_by_role("button", name="Run JavaScript").click()
    expect(page.get_by_test_id("answer")).to_have_text("2 + 3 = 5")
    main.get_by_role("button", name="Notify").click()
    expect(page.locator(".q-notification")).to_contain_text("Notified")
    for dark in ("dark", "light"):
        main.get_by_role("button", name="Dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", dark)
    main.get_by_role("button", name="Open").click()
    expect(page.get_by_text("In a dialog")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("In a dialog")).to_be_hidden()
    main.get_by_role("button", name="Menu").click()
    expect(page.get_by_text("An item")).to_be_visible()
    page.keyboard.press("Escape")
