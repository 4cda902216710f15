"""Addresses as people and proxies write them.

Each class is a row of complaints found in public threads; the source stands above it.
"""

from pathlib import Path

from tests.complaints.life import life

MEANT = {
    "/pricing/": "/pricing",
    "/pricing//?interval=year": "/pricing?interval=year",
    "/shop/": "/shop",
    "/payment/success/?session_id=cs_1": "/payment/success?session_id=cs_1",
}
UNKNOWN = ("//evil.example/", "/nope/", "/\\evil.example/", "//pricing/")


# project-zeno#333
class TestPricingWithASlashBehindAProxy:
    async def test_it_leads_to_the_page_on_the_host_that_the_browser_knows(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            for address, page in MEANT.items():
                answer = await ada.browser.http_client.get(address, headers={"host": "front-7.internal:9999"})

                assert (answer.status_code, answer.headers["location"]) == (307, page)

    async def test_it_leads_nowhere_else(self, tmp_path: Path) -> None:
        async with life(tmp_path) as ada:
            for address in UNKNOWN:
                url = ada.browser.http_client.base_url.copy_with(raw_path=address.encode())
                answer = await ada.browser.http_client.get(url)

                assert (answer.status_code, answer.headers.get("location")) == (404, None), address
