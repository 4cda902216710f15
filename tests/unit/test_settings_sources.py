"""Secrets in files, and names that are nearly a setting."""

from pathlib import Path

import pytest

from sandbox.settings import SandboxSettings
from settings import Settings, load_settings
from settings_sources import near_misses, secret_names
from tests.unit.refused_settings import problems

KEY = "proj_" + "k7Qz0" * 8 + "abc"
SECRET = "Zq8vR2mK5tX1wB9nL4pD7sF3hJ6gC0yA"
OTHER = "Xb4nM7cV1zQ9wE5rT2yU8iO3pA6sD0fG"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")


class TestSecretFiles:
    def test_each_secret_may_stand_in_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        texts = {
            **{name: f"{OTHER}{number}" for number, name in enumerate(sorted(secret_names(Settings)))},
            "payment_ms_api_key": KEY,
            "storage_secret": SECRET,
            "redis_url": f"redis://:{OTHER}@redis:6379/0",
            **{
                f"entitlements_key{which}": f"-----BEGIN {kind}-----\n{which}{OTHER}\n-----END {kind}-----"
                for which, kind in (("", "PRIVATE KEY"), ("_previous", "PUBLIC KEY"), ("_next", "PUBLIC KEY"))
            },
        }
        lines = []
        for number, (name, text) in enumerate(texts.items()):
            Path(name).write_text(text + "\n", encoding="utf-8")
            if number % 2:
                lines.append(f"{name.upper()}_FILE={name}")
            else:
                monkeypatch.setenv(f"{name.upper()}_FILE", name)
        Path(".env").write_text("\n".join(lines), encoding="utf-8")

        settings = load_settings()

        assert texts.keys() == secret_names(Settings)
        assert {secret.get_secret_value() for secret in settings.secrets} == set(texts.values())
        assert not settings.sandbox_enabled

    def test_a_list_of_secrets_may_stand_in_one_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("previous").write_text(f"{SECRET[::-1]},{OTHER}\n", encoding="utf-8")
        monkeypatch.setenv("STORAGE_SECRET_PREVIOUS_FILE", "previous")
        monkeypatch.setenv("STORAGE_SECRET_FALLBACKS", SECRET)

        found = [secret.get_secret_value() for secret in load_settings().earlier_storage_secrets]

        assert found == [SECRET, SECRET[::-1], OTHER]

    def test_a_file_that_cant_be_used_is_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PAYMENT_MS_API_KEY_FILE", "key")
        assert problems()[0].startswith("PAYMENT_MS_API_KEY_FILE names key, which can't be read (No such file")

        Path("key").write_bytes(b"\n")
        assert problems() == ("PAYMENT_MS_API_KEY_FILE names key, which is empty; put the secret alone into it.",)

        Path("key").write_bytes(b"\xff\xfe")
        assert "it is not UTF-8 text" in problems()[0]

    def test_of_a_value_and_a_file_one_has_to_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("key").write_text(KEY, encoding="utf-8")
        monkeypatch.setenv("PAYMENT_MS_API_KEY_FILE", "key")
        monkeypatch.setenv("PAYMENT_MS_API_KEY", KEY)

        assert problems() == ("PAYMENT_MS_API_KEY and PAYMENT_MS_API_KEY_FILE are both set; remove one of them.",)


class TestNearMisses:
    @pytest.mark.parametrize("name", ["PAYMENT_MS_APIKEY", "PAYMENT_API_KEY", "payment_ms_api_keys", "REDIS_URI"])
    def test_a_secrets_name_misspelt_refuses_the_start(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        monkeypatch.setenv(name, KEY)

        (sentence,) = problems()

        meant = "REDIS_URL" if "REDIS" in name else "PAYMENT_MS_API_KEY"
        assert sentence == f"{name.upper()} is no setting; if you mean {meant}, call it that, else remove it."

    def test_a_file_of_a_secret_misspelt_refuses_it_too(self) -> None:
        Path(".env").write_text("PAYMENT_MS_APIKEY_FILE=/run/secrets/key\n", encoding="utf-8")

        assert "if you mean PAYMENT_MS_API_KEY_FILE" in problems()[0]

    @pytest.mark.parametrize("where", ["environment", ".env"])
    def test_any_other_is_a_warning(self, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
        if where == "environment":
            monkeypatch.setenv("LIMIT_CHECKOUT", "3/minute")
        else:
            Path(".env").write_text("LIMIT_CHECKOUT=3/minute\n", encoding="utf-8")

        (sentence,) = load_settings().warnings()

        assert sentence.startswith("LIMIT_CHECKOUT is no setting; if you mean LIMIT_CHECKOUTS, call it that")

    def test_names_of_others_are_left_alone(self) -> None:
        systems = ("PATH", "HOME", "HOSTNAME", "LANGUAGE", "TERM", "PWD", "SHELL", "USER", "REDIS_PORT_6379_TCP")
        sandboxs = [f"SANDBOX_{name.upper()}" for name in SandboxSettings.model_fields]

        assert near_misses(Settings, [*systems, *sandboxs]) == ()

    def test_no_two_settings_are_taken_for_each_other(self) -> None:
        assert near_misses(Settings, Settings.model_fields) == ()
        assert {"payment_ms_api_key", "storage_secret_previous", "redis_url"} <= secret_names(Settings)
        assert not {"host", "service_tokens"} & secret_names(Settings)
