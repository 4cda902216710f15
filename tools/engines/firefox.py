"""Firefox, over WebDriver BiDi at its own remote port.

Playwright speaks BiDi too, but its 1.65 insists on `emulation.setMediaFeaturesOverride`, which Firefox ESR 153 has not.
"""

import base64
import itertools
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from websockets.sync.client import ClientConnection, connect

from tools.engines.engine import Action, EngineFailed, awaited, running

EXECUTABLE: Final = "firefox-esr"
ANSWER_SECONDS: Final = 60.0
PREFERENCES: Final = {
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "intl.accept_languages": "en-US, en",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "signon.rememberSignons": False,
    "toolkit.telemetry.enabled": False,
}
"""A browser that asks nobody but the product, and offers nothing that covers the page."""

Json = dict[str, object]


class Firefox:
    """One tab in a container of its own, so that it has no cookies of anybody else."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._complaints: list[str] = []
        session = self._call("session.new", capabilities={"alwaysMatch": {}})
        offered = cast(Json, session["capabilities"])
        self._version = f"Firefox {offered['browserVersion']}"
        self._call("session.subscribe", events=["log.entryAdded"])
        self._tab: object = None

    @property
    def version(self) -> str:
        """Name and version, as Firefox tells them."""
        return self._version

    @contextmanager
    def fresh(self) -> Iterator["Firefox"]:
        """Open a tab of nobody; close it and forget its cookies afterwards."""
        container = self._call("browser.createUserContext")["userContext"]
        self._complaints.clear()
        self._tab = self._call("browsingContext.create", type="tab", userContext=container)["context"]
        try:
            yield self
        finally:
            self._call("browser.removeUserContext", userContext=container)

    def go(self, address: str) -> None:
        """Open an address and wait until it is loaded."""
        self._call("browsingContext.navigate", context=self._tab, url=address, wait="complete")

    def evaluate(self, function: str, *arguments: str) -> object:
        """Call a function in the page; its answer travels as JSON, which needs no knowledge of BiDi's own values."""
        told = self._call(
            "script.callFunction",
            functionDeclaration=f"async (...given) => JSON.stringify(await ({function})(...given)) ?? 'null'",
            arguments=[{"type": "string", "value": each} for each in arguments],
            target={"context": self._tab},
            awaitPromise=True,
        )
        if told["type"] != "success":
            raise EngineFailed(json.dumps(told["exceptionDetails"]))
        return json.loads(str(cast(Json, told["result"])["value"]))

    def perform(self, *actions: Action) -> None:
        """Move, press and type with trusted events."""
        self._call("input.performActions", context=self._tab, actions=list(actions))

    def resize(self, width: int, height: int) -> None:
        """Give the page that many CSS pixels."""
        self._call("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": height})

    def picture(self) -> bytes:
        """Return what can be seen now, as a PNG."""
        return base64.b64decode(str(self._call("browsingContext.captureScreenshot", context=self._tab)["data"]))

    def complaints(self) -> Sequence[str]:
        """Return the errors of the console; the answer to the call comes after all that was told before it."""
        self._call("session.status")
        return tuple(self._complaints)

    def _call(self, method: str, **parameters: object) -> Json:
        number = next(self._numbers)
        self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message: Json = json.loads(self._connection.recv(timeout=ANSWER_SECONDS))
            if message.get("method") == "log.entryAdded":
                self._hear(cast(Json, message["params"]))
            elif message.get("id") == number:
                if message["type"] == "error":
                    raise EngineFailed(f"{method}: {message['error']}: {message['message']}")
                return cast(Json, message["result"])

    def _hear(self, entry: Json) -> None:
        if entry["level"] == "error":
            self._complaints.append(f"{entry['text']} {json.dumps(entry.get('stackTrace'))}")


@contextmanager
def firefox(folder: Path) -> Iterator[Firefox]:
    """Start Firefox without a screen, with a profile in `folder`."""
    profile, log = folder / "profile", folder / "firefox.log"
    profile.mkdir()
    written = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items())
    (profile / "user.js").write_text("\n".join(written), encoding="utf-8")
    command = [EXECUTABLE, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    environment = {**os.environ, "TZ": "Europe/Berlin", "HOME": str(folder)}

    def address() -> str | None:
        told = re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text(errors="replace"))
        return told[1] if told else None

    with running(command, environment, log):
        opened = awaited(address, f"Firefox's remote port, see {log}")
        with connect(f"{opened}/session", max_size=None, proxy=None) as connection:
            yield Firefox(connection)
