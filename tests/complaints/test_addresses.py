"""Addresses as people and proxies write them.

Each class is a row of complaints found in public threads; the source stands above it.
"""

from pathlib import Path

import pytest

from tests.complaints.life import life


# project-zeno#333
class TestPricingWithASlashBehindAProxy:
    @pytest.mark.parametrize(
        ("address", "leads_to"),
        [
            ("/pricing/", "/pricing"),
            ("/pricing//?interval=year", "/pricing?interval=year"),
            ("/shop/", "/shop"),
            ("/payment/success/?session_id=cs_1", "/payment/success?session_id=cs_1"),
        ],
    )
    async def test_it_leads_to_the_page_on_the_host_that_the_browser_knows(
        self, tmp_path: Path, address: str, leads_to: str
    ) -> None:
        async with life(tmp_path) as ada:
            answer = await ada.browser.http_client.get(address, headers={"host": "front-7.internal:9999"})

            assert (answer.status_code, answer.headers["location"]) == (307, leads_to)

    @pytest.mark.parametrize("address", ["//evil.example/", "/nope/", "/\\evil.example/", "//pricing/"])
    async def test_it_leads_nowhere_else(self, tmp_path: Path, address: str) -> None:
        async with life(tmp_path) as ada:
            url = ada.browser.http_client.base_url.copy_with(raw_path=address.encode())
            answer = await ada.browser.http_client.get(url)

            assert (answer.status_code, answer.headers.get("location")) == (404, None)
