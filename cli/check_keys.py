"""What signs entitlements: can the key sign, and which keys do services get."""

from cli.findings import Finding, error, ok, warning
from services.entitlements.signing import SigningKey
from settings import Settings, SettingsError
from wiring.systems import signing_key


def look_at_keys(settings: Settings) -> list[Finding]:
    """Return what is wrong with the keys, or that they are sound."""
    try:
        key = signing_key(settings)
    except SettingsError as problem:
        return [error("entitlements_key", sentence) for sentence in problem.problems]
    if key.ephemeral:
        return [ok("entitlements_key", "It changes at each start; set one if other services verify entitlements.")]
    return [ok("entitlements_key", _sound(key)), *_repeated(settings, key)]


def _sound(key: SigningKey) -> str:
    count = len(key.published)
    return f"Entitlements are signed with {key.key_id}; {count} key{'s are' if count > 1 else ' is'} published."


def _repeated(settings: Settings, key: SigningKey) -> list[Finding]:
    """Return a warning where the previous or the next key is the one that signs, or both are one."""
    given = (settings.entitlements_key, settings.entitlements_key_previous, settings.entitlements_key_next)
    if len(key.published) == sum(pem is not None for pem in given):
        return []
    detail = "ENTITLEMENTS_KEY_PREVIOUS or ENTITLEMENTS_KEY_NEXT holds a key that is published already."
    return [warning("entitlements_key", detail, "Remove the one that repeats another.")]
