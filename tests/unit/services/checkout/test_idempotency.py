"""What follows from an idempotency key."""

from services.checkout.idempotency import IdempotencyKey


def test_what_follows_from_a_key_is_the_same_in_each_release() -> None:
    """Stripe refuses a repeated key whose request differs: it holds our id and the success URL's key."""
    key = IdempotencyKey("attempt:user-1", "k" * 32)

    assert key.checkout_id == "5e318f8cf9cbe249"
    assert key.return_key == "f5d82769d1cdb779d108189f5754ee41"


def test_another_key_leads_to_another_checkout() -> None:
    one, other = IdempotencyKey("attempt", "a" * 32), IdempotencyKey("attempt", "b" * 32)

    assert one.checkout_id != other.checkout_id
    assert one.return_key != other.return_key
    assert one.return_key != one.checkout_id
