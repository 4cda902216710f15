"""Settings: what is refused, in which words, and what the sandbox changes."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from sandbox.settings import SANDBOX_API_KEY as KEY_OF_THE_SANDBOX
from sandbox.settings import SandboxSettings
from settings import SANDBOX_API_KEY, Settings, defaults, load_settings
from tests.unit.refused_settings import problems

KEY = "proj_" + "k7Qz0" * 8 + "abc"
SECRET = "Zq8vR2mK5tX1wB9nL4pD7sF3hJ6gC0yA"


def live(**values: object) -> Settings:
    """Settings as in production, but for `values`."""
    return load_settings(
        **{"payment_ms_api_key": KEY, "storage_secret": SECRET, "public_url": "https://pay.example.com", **values}
    )


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class TestSandboxMode:
    def test_starts_without_any_setting_on_this_machine_only(self) -> None:
        settings = load_settings()

        assert settings.sandbox_enabled
        assert settings.host == "127.0.0.1"
        assert settings.public_url == "http://localhost:8081"
        assert settings.payment_ms_url == "http://127.0.0.1:9000"
        assert settings.auth_ms_url == "http://127.0.0.1:8080"
        assert settings.payment_ms_api_key == SecretStr(SANDBOX_API_KEY)

    def test_allows_the_sandboxs_pages_beside_stripes(self) -> None:
        settings = load_settings(sandbox_stripe_port=5555)

        assert settings.checkout_hosts == ("checkout.stripe.com", "127.0.0.1:5555", "localhost:5555")
        assert settings.portal_hosts == ("billing.stripe.com", "127.0.0.1:5555", "localhost:5555")
        assert settings.http_hosts == {"127.0.0.1:5555", "localhost:5555"}

    def test_follows_the_sandboxs_ports(self) -> None:
        settings = load_settings(sandbox_payment_port=1111, sandbox_auth_port=2222, port=3333)

        assert settings.payment_ms_url.endswith(":1111")
        assert settings.auth_ms_url.endswith(":2222")
        assert settings.public_url.endswith(":3333")

    def test_speaks_the_key_that_the_sandbox_takes(self) -> None:
        assert SANDBOX_API_KEY == KEY_OF_THE_SANDBOX
        assert len(SANDBOX_API_KEY) == 48

    @pytest.mark.parametrize("name", ["payment_port", "auth_port", "stripe_port"])
    def test_has_the_ports_that_the_sandbox_opens(self, name: str) -> None:
        ours = Settings.model_fields[f"sandbox_{name}"].default

        assert ours == SandboxSettings.model_fields[name].default

    def test_makes_a_storage_secret_once_for_its_owners_eyes(self) -> None:
        first = load_settings().storage_secret
        second = load_settings().storage_secret

        assert first is not None
        assert first == second
        assert len(first.get_secret_value()) >= 32
        assert stat.S_IMODE(Path(".data/storage_secret").stat().st_mode) == 0o600
        assert [path.name for path in Path(".data").iterdir()] == ["storage_secret"]

    def test_keeps_a_storage_secret_of_the_operator(self) -> None:
        settings = load_settings(storage_secret=SECRET)

        assert settings.storage_secret == SecretStr(SECRET)
        assert not Path(".data").exists()

    def test_says_which_secret_file_is_unusable(self) -> None:
        Path(".data").mkdir()
        Path(".data/storage_secret").write_text("short")

        assert problems() == (".data/storage_secret holds no usable secret; remove that file and a new one is made.",)

    def test_says_where_it_can_not_keep_its_secret(self) -> None:
        Path(".data").write_text("a file where a folder should be")

        (sentence,) = problems()
        assert sentence.startswith(".data/storage_secret can't be used (")
        assert "STORAGE_PATH" in sentence

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "billing.example.com"])
    def test_refuses_to_be_reached_from_elsewhere(self, host: str) -> None:
        (sentence,) = problems(host=host)

        assert sentence.startswith(f"HOST is {host}, ")
        assert sentence.endswith("set the key, or HOST=127.0.0.1.")

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.5"])
    def test_listens_on_any_loopback_address(self, host: str) -> None:
        assert load_settings(host=host).host == host

    def test_refuses_a_service_address_that_it_would_not_use(self) -> None:
        (sentence,) = problems(payment_ms_url="https://payments.example.com")

        assert sentence.startswith("PAYMENT_MS_URL is set but PAYMENT_MS_API_KEY is not")

    def test_refuses_one_port_for_two(self) -> None:
        assert problems(port=8080) == ("PORT and SANDBOX_AUTH_PORT are both 8080; give each its own port.",)

    def test_can_not_be_switched_off_without_a_key(self) -> None:
        assert problems(sandbox=False) == (
            "SANDBOX is false but PAYMENT_MS_API_KEY is not set; set the key, or remove SANDBOX to use the sandbox.",
        )


class TestWithAKey:
    @pytest.mark.parametrize("sandbox", [None, False])
    def test_never_uses_the_sandbox(self, sandbox: bool | None) -> None:
        settings = live(sandbox=sandbox)

        assert settings.sandbox is False
        assert settings.payment_ms_url == "http://localhost:9000"
        assert settings.checkout_hosts == ("checkout.stripe.com",)
        assert settings.http_hosts == frozenset()

    def test_refuses_the_sandbox(self) -> None:
        assert problems(payment_ms_api_key=KEY, storage_secret=SECRET, sandbox=True) == (
            "SANDBOX is true but PAYMENT_MS_API_KEY is set; remove one of them: the sandbox takes no real key.",
        )

    def test_needs_a_storage_secret(self) -> None:
        (sentence,) = problems(payment_ms_api_key=KEY)

        assert sentence.startswith("STORAGE_SECRET is not set; set it to 32 or more random characters")

    def test_a_previous_key_alone_starts_no_sandbox(self) -> None:
        assert problems(payment_ms_api_key_previous=KEY)[0].startswith("PAYMENT_MS_API_KEY_PREVIOUS is set but")

    def test_a_previous_key_is_looked_at_like_the_key(self) -> None:
        (sentence,) = problems(payment_ms_api_key=KEY, storage_secret=SECRET, payment_ms_api_key_previous="proj x")

        assert sentence.startswith("PAYMENT_MS_API_KEY_PREVIOUS holds a space")

    @pytest.mark.parametrize("name", ["storage_secret_previous", "storage_secret_fallbacks"])
    def test_refuses_a_guessable_earlier_storage_secret(self, name: str) -> None:
        weak = "changeme" * 8

        (sentence,) = problems(payment_ms_api_key=KEY, storage_secret=SECRET, **{name: f"{SECRET[::-1]},{weak}"})

        assert sentence.startswith(f"{name.upper()} can be guessed")
        assert weak not in sentence

    @pytest.mark.parametrize(
        "secret", ["Kq7vB2", "a" * 64, "change-me-change-me-0123456789-abcdef", "my very long Secret 0123456789 abcdef"]
    )
    def test_refuses_a_guessable_storage_secret_without_showing_it(self, secret: str) -> None:
        (sentence,) = problems(payment_ms_api_key=KEY, storage_secret=secret)

        assert sentence.startswith("STORAGE_SECRET can be guessed")
        assert secret not in sentence

    def test_refuses_a_key_that_no_header_can_carry(self) -> None:
        (sentence,) = problems(payment_ms_api_key="proj_ä", storage_secret=SECRET)

        assert sentence.startswith("PAYMENT_MS_API_KEY holds a space or a character")
        assert "proj_ä" not in sentence

    def test_says_everything_that_contradicts_at_once(self) -> None:
        found = problems(payment_ms_api_key="a b", sandbox=True, redis_url="http://redis", ops_token="1234")

        assert [sentence.split()[0] for sentence in found] == [
            "SANDBOX", "PAYMENT_MS_API_KEY", "STORAGE_SECRET", "REDIS_URL", "OPS_TOKEN", "REDIS_URL",
        ]  # fmt: skip

    def test_makes_cookies_secure_behind_https_only(self) -> None:
        assert live().secure_cookies
        assert not live(public_url="http://pay.example.com").secure_cookies


def test_deadline_below_the_connect_timeout_is_refused() -> None:
    (sentence,) = problems(payment_ms_connect_timeout=4)

    assert sentence.startswith("PAYMENT_MS_STATUS_DEADLINE is shorter than PAYMENT_MS_CONNECT_TIMEOUT;")


def test_provider_named_twice_is_refused() -> None:
    assert problems(auth_ms_providers="google,google") == (
        "AUTH_MS_PROVIDERS names a provider twice; remove one of them.",
    )


def test_entitlements_key_must_be_a_private_key_and_is_not_shown() -> None:
    (sentence,) = problems(entitlements_key="-----BEGIN PUBLIC KEY-----")

    assert sentence.startswith("ENTITLEMENTS_KEY is no private key in PEM form")
    assert "BEGIN" not in sentence


@pytest.mark.parametrize("name", ["entitlements_key_previous", "entitlements_key_next"])
def test_a_key_beside_the_present_one_must_be_one_and_is_not_shown(name: str) -> None:
    (sentence,) = problems(**{name: "no key"})

    assert sentence.startswith(f"{name.upper()} is no key in PEM form")


@pytest.mark.parametrize("name", ["entitlements_key_previous", "entitlements_key_next"])
def test_the_public_half_of_a_key_beside_the_present_one_is_enough(name: str) -> None:
    assert getattr(load_settings(**{name: "-----BEGIN PUBLIC KEY-----"}), name) is not None


def test_replicas_do_not_start_without_the_key_that_they_share() -> None:
    (sentence,) = problems(redis_url="redis://redis:6379/0")

    assert sentence.startswith("REDIS_URL is set but ENTITLEMENTS_KEY is not")
    assert "python app.py keys new" in sentence


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_MS_PROVIDERS", "github, google")
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8,::1")
    monkeypatch.setenv("EMBED_ORIGINS", "https://www.example.com/,")

    settings = load_settings()

    assert settings.auth_ms_providers == ("github", "google")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")
    assert settings.embed_origins == ("https://www.example.com",)


def test_environment_wins_over_the_file_and_unknown_keys_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("my.env").write_text("PORT=1234\nBRAND_NAME=From file\nSOMETHING_ELSE=1\nTERMS_URL=\n")
    monkeypatch.setenv("PORT", "4321")

    settings = load_settings(_env_file="my.env")

    assert (settings.port, settings.brand_name, settings.terms_url) == (4321, "From file", "")


def test_file_that_is_no_text_is_named_without_a_stack_trace() -> None:
    Path("my.env").write_bytes(b"BRAND_NAME=\xff\xfe")

    assert problems(_env_file="my.env") == (
        ".env can't be read (it is not UTF-8 text); make it readable or remove it.",
    )


def test_addresses_lose_their_trailing_slash() -> None:
    assert (
        live(payment_ms_url="https://payments.example.com/base/").payment_ms_url == "https://payments.example.com/base"
    )


def test_secrets_are_in_no_text_of_the_settings() -> None:
    secrets = {
        "payment_ms_api_key": KEY,
        "storage_secret": SECRET,
        "storage_secret_previous": SECRET[::-1],
        "storage_secret_fallbacks": "before-" + SECRET,
        "payment_ms_api_key_previous": KEY[::-1],
        "payment_ms_webhook_secret": "webhook-" + SECRET,
        "ops_token": "token-" + SECRET,
        "redis_url": f"redis://:{SECRET}@redis:6379/0",
        "entitlements_key": "-----BEGIN PRIVATE KEY-----" + SECRET,
    }

    settings = load_settings(**secrets)

    for secret in secrets.values():
        assert secret not in repr(settings) + str(settings) + settings.model_dump_json()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]


class TestWarnings:
    def test_none_for_the_sandbox_and_none_for_a_sound_production(self) -> None:
        assert load_settings().warnings() == ()
        assert live().warnings() == ()

    @pytest.mark.parametrize(
        ("values", "named"),
        [
            ({"public_url": "http://pay.example.com"}, "PUBLIC_URL is not https"),
            ({"public_url": ""}, "PUBLIC_URL is this machine's own address"),
            ({"payment_ms_api_key": "key"}, "PAYMENT_MS_API_KEY does not look like"),
            ({"checkout_hosts": "localhost:4242"}, "CHECKOUT_HOSTS or PORTAL_HOSTS names this machine"),
        ],
    )
    def test_one_for_what_is_probably_not_meant(self, values: dict[str, object], named: str) -> None:
        (sentence,) = live(**values).warnings()

        assert sentence.startswith(named)

    def test_one_for_a_sandbox_at_a_public_address(self) -> None:
        (sentence,) = load_settings(public_url="https://pay.example.com").warnings()

        assert sentence.startswith("PUBLIC_URL is a public address but the sandbox is on")


def test_start_stops_with_sentences_and_no_stack_trace_in_a_process_of_its_own() -> None:
    root = Path(__file__).resolve().parents[2]
    script = (
        "import sys, settings\n"
        "try: settings.load_settings()\n"
        "except settings.SettingsError as error: sys.exit(str(error))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(root), "PORT": "x", "CUSTOMER_ID": "y"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "PORT must be a whole number; correct it, or remove it to use the default 8081.",
        "CUSTOMER_ID must be 'user_id' or 'email'; correct it, or remove it to use the default user_id.",
    ]


def test_defaults_written_out_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "defaults.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in defaults().items()))

    assert load_settings(_env_file=file) == load_settings()


class TestLanguagesAndThemes:
    def test_one_language_twice_is_told(self) -> None:
        assert problems(languages="de,en,de") == ("LANGUAGES names a language twice; remove one of them.",)

    def test_a_default_that_is_not_offered_is_told_with_the_cure(self) -> None:
        (sentence,) = problems(languages="de,ar", default_language="en")

        assert sentence.startswith("DEFAULT_LANGUAGE is en, which LANGUAGES does not offer; ")

    def test_a_language_is_named_as_its_folder_or_as_browsers_do(self) -> None:
        assert load_settings(languages="de, EN_gb").languages == ("de", "en-GB")

    def test_a_fixed_theme_is_light_unless_it_is_dark(self) -> None:
        assert load_settings(theme="fixed").fixed_theme == "light"
        assert load_settings(theme="fixed-dark").fixed_theme == "dark"
        assert load_settings(theme="dark").fixed_theme is None


@pytest.mark.parametrize(
    ("home", "address"),
    [("page", "/"), ("pricing", "/pricing"), ("https://www.example.com/start", "https://www.example.com/start")],
)
def test_home_is_a_page_of_ours_or_another_site(home: str, address: str) -> None:
    assert load_settings(home_page=home).home_address == address
