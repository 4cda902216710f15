#!/usr/bin/python3
"""The window that `WebKitWebDriver` drives: the page and nothing else, its console in a file.

Runs with the system's Python, which has GTK. A private window would be simpler, but WebKit writes no private page's
console anywhere; so it keeps its cookies in a folder that the caller throws away.
"""

import os
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("WebKit2", "4.1")
from gi.repository import Gtk, WebKit2  # noqa: E402  (the versions come first)


def main() -> None:
    """Wait to be driven, and run until the driver ends the session."""
    folder = os.environ["WINDOW_FOLDER"]
    with open(f"{folder}/console.log", "ab") as console:
        os.dup2(console.fileno(), sys.stdout.fileno())
        os.dup2(console.fileno(), sys.stderr.fileno())
    kept = WebKit2.WebsiteDataManager(base_data_directory=f"{folder}/data", base_cache_directory=f"{folder}/cache")
    context = WebKit2.WebContext(website_data_manager=kept)
    context.set_automation_allowed(True)
    context.connect("automation-started", _started)
    Gtk.main()


def _started(context: WebKit2.WebContext, session: WebKit2.AutomationSession) -> None:
    told = WebKit2.ApplicationInfo()
    told.set_name("WebKitGTK")
    told.set_version(*(int(getattr(WebKit2, f"{part}_VERSION")) for part in ("MAJOR", "MINOR", "MICRO")))
    session.set_application_info(told)
    session.connect("create-web-view", lambda _session: _window(context))


def _window(context: WebKit2.WebContext) -> WebKit2.WebView:
    settings = WebKit2.Settings(enable_write_console_messages_to_stdout=True)
    view = WebKit2.WebView(web_context=context, settings=settings, is_controlled_by_automation=True)
    window = Gtk.Window(default_width=1280, default_height=900)
    window.connect("destroy", Gtk.main_quit)
    window.add(view)
    window.show_all()
    # Nobody manages this screen's windows: without being told, the keyboard would follow the pointer.
    window.get_window().focus(Gtk.get_current_event_time())
    return view


if __name__ == "__main__":
    main()
