"""Browsers of other engines than Chromium's: Firefox (Gecko) and WebKitGTK, as Debian ships them.

Each is spoken to in the W3C's own protocol: Firefox in WebDriver BiDi at its remote port, WebKit in WebDriver through
`WebKitWebDriver`. What both take is the same list of actions, so that one walk drives either.
"""
