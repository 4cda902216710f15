"""Without Redis everything is one process's: a second one on the same storage is refused with a sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.app_process import ROOT, AppProcess, app_environment, free_port, running_product
from harness.socket_tab import CompressingTab, browser


@pytest.mark.long
def test_a_second_process_on_the_same_storage_does_not_start(tmp_path: Path) -> None:
    with running_product(tmp_path) as product:
        environment = app_environment(tmp_path, product.sandbox, free_port())
        second = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        first_code = product.app.stop()
        third = AppProcess(f"http://localhost:{environment['PORT']}", environment, tmp_path / "third.log").start()
        third_code = third.stop()

    assert second.returncode == 2
    assert "store.sqlite3" in second.stderr
    assert "REDIS_URL" in second.stderr
    assert "Traceback" not in second.stderr
    assert (first_code, third_code) == (-15, -15) or (first_code, third_code) == (0, 0)


async def test_a_tabs_socket_has_no_compressor_though_browsers_offer_one(tmp_path: Path) -> None:
    with running_product(tmp_path) as product:
        client = browser(product.url)
        await client.get("/api/cart")  # gives it a cookie: without one there is no socket
        tab = await CompressingTab(client, "/pricing").open()
        assert tab._socket is not None
        agreed = tab._socket.protocol.extensions
        await tab.close()

    assert agreed == [], "each keeps 290 kB for as long as the tab is open"
