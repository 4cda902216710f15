"""`/elements`: NiceGUI's everyday elements on one page in our frame, to see how they look, and a plain `@ui.page`.

EXTENSIONS=examples.all_elements make run
"""

from datetime import date

from nicegui import ui
from nicegui.events import UploadEventArguments

from services.container import Container
from ui.nicegui_ext.html import Tag
from ui.page.context import PageContext
from ui.page.extensions import Extension
from ui.page.frame import frame
from ui.serving.document import page
from ui.theme.icon_files import icon_address


def register(container: Container) -> None:
    """Add both pages."""

    @page(container, "/elements", title="Elements", robots="noindex", elements="all")
    def elements(context: PageContext) -> None:
        with frame(context):
            Tag("h1", "Elements")
            _texts(icon_address(context.settings))
            _fields()
            _containers()
            _figures()
            _actions()

    @ui.page("/plain")
    def plain() -> None:
        ui.label("A page of NiceGUI's own").classes("text-2xl")
        shown = ui.label("not yet").mark("shown")
        ui.button("Press", on_click=lambda: shown.set_text("pressed")).mark("press")
        ui.table(rows=[{"plan": "basic", "calls": 3}])


def _texts(picture: str) -> None:
    Tag("h2", "Texts")
    ui.label("A label")
    ui.link("A link", "/pricing")
    ui.markdown("Some **markdown** with `code`")
    ui.html("<em>Some HTML</em>", sanitize=False)
    ui.code("print('code')", language="python")
    ui.icon("thumb_up", size="md").tooltip("A tooltip on an icon")
    ui.image(picture).classes("w-8").props('alt="A box"')
    ui.separator()


def _fields() -> None:
    Tag("h2", "Fields")
    ui.input("Name").props("outlined")
    ui.textarea("Notes").props("outlined")
    ui.number("Seats", value=3, min=1, max=9).props("outlined")
    ui.select(["monthly", "yearly"], value="monthly", label="Interval").props("outlined")
    ui.checkbox("A checkbox", value=True)
    ui.radio(["one", "two"], value="one").props("inline")
    ui.switch("A switch")
    ui.toggle(["day", "week"], value="day")
    ui.slider(min=0, max=10, value=4).props('aria-label="A slider"')
    ui.date(date(2026, 11, 29).isoformat())
    uploaded = ui.label("nothing uploaded").props('data-testid="uploaded"')

    async def take(event: UploadEventArguments) -> None:
        uploaded.set_text(f"uploaded {event.file.name}")

    ui.upload(label="A file", on_upload=take, auto_upload=True)


def _containers() -> None:
    Tag("h2", "Containers")
    with ui.card():
        Tag("h3", "In a card")
        with ui.row():
            ui.label("left")
            ui.label("right")
        with ui.column():
            ui.label("above")
            ui.label("below")
    with ui.tabs() as tabs:
        first, second = ui.tab("First"), ui.tab("Second")
    with ui.tab_panels(tabs, value=first):
        with ui.tab_panel(first):
            ui.label("The first panel")
        with ui.tab_panel(second):
            ui.label("The second panel")
    with ui.expansion("An expansion"):
        ui.label("What was folded")


def _figures() -> None:
    Tag("h2", "Figures")
    rows = [{"plan": "basic", "calls": 3}, {"plan": "premium", "calls": 8}]
    ui.table(rows=rows, row_key="plan")
    ui.aggrid({"columnDefs": [{"field": "plan"}, {"field": "calls"}], "rowData": rows})
    bars: dict[str, object] = {
        "xAxis": {"type": "category", "data": ["basic", "premium"]},
        "yAxis": {"type": "value"},
        "series": [{"type": "bar", "data": [3, 8]}],
    }
    ui.echart(bars)
    ui.tree([{"id": "plans", "children": [{"id": "basic"}, {"id": "premium"}]}], label_key="id")


def _actions() -> None:
    Tag("h2", "Actions")
    dark = ui.dark_mode()
    answer = ui.label("no answer").props('data-testid="answer"')
    clicks = [0]

    @ui.refreshable
    def count() -> None:
        ui.label(f"counted {clicks[0]}").props('data-testid="counted"')

    async def add() -> None:
        clicks[0] += 1
        await count.refresh()

    async def ask() -> None:
        answer.set_text(f"2 + 3 = {await ui.run_javascript('2 + 3')}")

    count()
    with ui.dialog() as dialog, ui.card():
        ui.label("In a dialog")
        ui.button("Close", on_click=dialog.close)
    with ui.row():
        ui.button("Count", on_click=add)
        ui.button("Notify", on_click=lambda: ui.notify("Notified", position="top"))
        ui.button("Run JavaScript", on_click=ask)
        ui.button("Dark", on_click=dark.toggle)
        ui.button("Open", on_click=dialog.open)
        with ui.button("Menu"), ui.menu():
            ui.menu_item("An item")


EXTENSION = Extension(register)
