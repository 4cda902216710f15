"""The way from Stripe's library to a sandbox in the same process."""

import threading
from typing import Any

import requests
from requests.adapters import BaseAdapter

from tests.sandbox.local import LocalShop


class ToTheSandbox(BaseAdapter):
    """Hands the library's requests to a sandbox in this process, one at a time."""

    def __init__(self, local: LocalShop) -> None:
        super().__init__()
        self._local = local
        self._turn = threading.Lock()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        with self._turn:
            headers = {name: str(value) for name, value in request.headers.items()}
            body = request.body if isinstance(request.body, bytes | None) else str(request.body)
            answer = self._local.http.request(str(request.method), str(request.url), headers=headers, content=body)
        made = requests.Response()
        made.status_code, made.request, made.url = answer.status_code, request, str(request.url)
        made.headers.update(answer.headers)
        made._content = answer.content
        return made

    def close(self) -> None:
        pass
