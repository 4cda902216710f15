"""Values that a setting refuses, each with one sentence that names the setting and the cure."""

from pathlib import Path

import pytest

from tests.unit.refused_settings import problems


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


WRONG = {
    "port": ["http", "0", "65536", "8081.5"],
    "public_url": [
        "pay.example.com",
        "https://pay.example.com/a b",
        "https://pay.example.com/ä",
        "https://u:p@pay.example.com",
        "https://a:99999",
    ],
    "payment_ms_url": ["localhost:9000", "ftp://a", "http://a/../b", "http://a/%2e%2e/b", "http://a?b", "http://a\\b"],
    "payment_ms_max_in_flight": ["0", "many"],
    "payment_ms_status_deadline": ["0", "-1", "nan", "soon"],
    "auth_ms_providers": ["google,facebook", ","],
    "customer_id": ["name"],
    "checkout_hosts": ["https://checkout.stripe.com", "checkout.stripe.com/x", "*.stripe.com", "a b"],
    "terms_url": ["javascript:alert(1)", "/terms", "https://"],
    "app_url": ["app.example.com", "mailto:app@example.com", "https://app example.com", "javascript:alert(1)"],
    "home_page": ["start", "www.example.com", "javascript:alert(1)"],
    "languages": ["klingon", "de,xx", "../de"],
    "default_language": ["fr"],
    "theme": ["blue", "fixed-system"],
    "support_url": ["help@example.com", "mailto:help"],
    "trusted_proxies": ["proxy", "10.0.0.0/99"],
    "embed_origins": ["https://example.com/page", "example.com", "*"],
    "brand_color": ["blue", "#12345", "#gggggg"],
    "brand_logo": ["missing.svg", "logo.exe"],
    "brand_logo_dark": ["missing.png"],
    "brand_font": ["missing.woff2", "Inter; color: red", "'Inter'", "1"],
    "brand_radius": ["-1", "25", "round"],
    "brand_css": ["missing.css", "style.txt"],
    "limit_checkouts": ["10", "0/minute", "10/fortnight"],
    "log_level": ["LOUD"],
    "sandbox": ["perhaps"],
    "otel_exporter_url": ["collector:4318"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_wrong_value_in_the_environment_is_one_sentence_with_the_cure(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name.upper(), value)

    (sentence,) = problems()

    assert sentence.startswith((f"{name.upper()} must ", f"{name.upper()} is not valid "))
    assert "; correct it, or remove it to use " in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (value, *_) in WRONG.items():
        monkeypatch.setenv(name.upper(), value)

    named = {sentence.split()[0].lower() for sentence in problems()}

    assert named == set(WRONG)
