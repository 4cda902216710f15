"""WebKitGTK, over WebDriver through `WebKitWebDriver`, on a screen of its own that nobody sees.

WebKit's driver has no BiDi yet and tells nothing of the console; its MiniBrowser keeps silent too while it is driven,
and can't be narrower than 447 pixels. So the driver starts a window of ours (`webkit_window.py`), which is the same
engine without a tool bar and writes what the console shows into a file.
"""

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

import httpx

from tools.engines.engine import Action, EngineFailed, awaited, running

WINDOW: Final = Path(__file__).with_name("webkit_window.py")
ANSWER_SECONDS: Final = 60.0
SCREEN: Final = "1600x1200x24"
LEFT_BEHIND: Final = re.compile(
    r"WebSocket connection to 'ws://localhost:\d+/_nicegui_ws/\S+' failed: WebSocket is closed due to suspension"
    r"|(http://localhost:\d+)/\S+ CONSOLE JS ERROR Fetch API cannot load \1/assets/version due to access control checks"
)
"""WebKit writes as errors what it stops itself when a page is left: the open socket, and the question whether the page
is still new. Both only of the product's own address; a page that stays open is never told so."""


class WebKit:
    """One window, in a session of the driver."""

    def __init__(self, client: httpx.Client, console: Path) -> None:
        self._client = client
        self._console = console
        window: Mapping[str, object] = {"binary": str(WINDOW), "args": []}
        self._session = ""
        told = self._call("POST", "/session", capabilities={"alwaysMatch": {"webkitgtk:browserOptions": window}})
        opened = cast(dict[str, object], told)
        capabilities = cast(dict[str, object], opened["capabilities"])
        self._version = f"{capabilities['browserName']} {capabilities['browserVersion']}"
        self._session = f"/session/{opened['sessionId']}"

    @property
    def version(self) -> str:
        """Name and version, as the driver tells them."""
        return self._version

    def go(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self._call("POST", "/url", url=address)

    def evaluate(self, function: str, *arguments: str) -> object:
        """Call a function in the page and return its answer."""
        script = (
            "const given = [...arguments], done = given.pop();"
            f"Promise.resolve(({function})(...given)).then((told) => done(JSON.stringify(told) ?? 'null'));"
        )
        return json.loads(str(self._call("POST", "/execute/async", script=script, args=list(arguments))))

    def perform(self, *actions: Action) -> None:
        """Move, press and type with trusted events."""
        self._call("POST", "/actions", actions=list(actions))

    def resize(self, width: int, height: int) -> None:
        """Give the page that many CSS pixels: the window has nothing beside it."""
        self._call("POST", "/window/rect", x=0, y=0, width=width, height=height)

    def picture(self) -> bytes:
        """Return what can be seen now, as a PNG."""
        return base64.b64decode(str(self._call("GET", "/screenshot")))

    def complaints(self) -> Sequence[str]:
        """Return the errors of the console, without what WebKit stops itself when a page is left."""
        written = self._console.read_text(encoding="utf-8", errors="replace")
        errors = re.findall(r".*CONSOLE (?:\w+ )?ERROR.*", written)
        return [each for each in errors if not LEFT_BEHIND.search(each)]

    def close(self) -> None:
        """End the session, and the window with it: it is gone before the driver can look for it."""
        self._client.delete(self._session)

    def _call(self, method: str, path: str, **body: object) -> object:
        content = json.dumps(body) if method == "POST" else None
        answer = self._client.request(method, f"{self._session}{path}", content=content)
        value = answer.json()["value"]
        if answer.is_error:
            raise EngineFailed(f"{path}: {value['error']}: {value['message']}")
        return cast(object, value)


@contextmanager
def webkit(folder: Path, port: int) -> Iterator[WebKit]:
    """Start a screen, the driver on `port` and its window; all that they keep is in `folder`."""
    with (
        _screen(folder) as display,
        running(["WebKitWebDriver", f"--port={port}"], _environment(folder, display), folder / "driver.log"),
    ):
        console = folder / "console.log"
        console.touch()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=ANSWER_SECONDS, trust_env=False) as client:
            awaited(lambda: _answers(client), "WebKitWebDriver's answer")
            browser = WebKit(client, console)
            try:
                yield browser
            finally:
                browser.close()


def _environment(folder: Path, display: str) -> dict[str, str]:
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    return {
        **os.environ,
        "DISPLAY": display,
        "GDK_BACKEND": "x11",
        "GTK_A11Y": "none",
        "HOME": str(folder),
        "LANG": "en_US.UTF-8",
        "LANGUAGE": "en_US",
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "NO_AT_BRIDGE": "1",
        "TZ": "Europe/Berlin",
        "WINDOW_FOLDER": str(folder),
        "XDG_RUNTIME_DIR": str(runtime),
    }


@contextmanager
def _screen(folder: Path) -> Iterator[str]:
    """Start an X server that draws into memory, on a free number of its own choice; return its name."""
    log = folder / "screen.log"
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"]

    def number() -> str | None:
        told = re.search(r"^(\d+)$", log.read_text(errors="replace"), re.MULTILINE)
        return told[1] if told else None

    with running(command, os.environ, log):
        yield f":{awaited(number, f'the screen, see {log}')}"


def _answers(client: httpx.Client) -> bool | None:
    try:
        return client.get("/status").is_success or None
    except httpx.TransportError:
        return None
