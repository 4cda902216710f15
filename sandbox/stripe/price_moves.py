"""What an operator does to prices at Stripe, with those who pay them: a raise for all, a product that replaces one."""

from sandbox.state import SandboxState
from sandbox.stripe.objects import StripeSubscription
from sandbox.stripe.subscriptions import line_fields


def raise_for_all(state: SandboxState, price_id: str) -> int:
    """Have everyone who has a price pay what it costs now from their next renewal on; returns how many."""
    line = next((line for line in state.prices.lines() if line.price_id == price_id), None)
    payers = [one for one in _live(state) if one.price_id == price_id] if line else []
    for subscription in payers:
        if line:
            state.subscriptions.change(subscription, line_fields(line, subscription.quantity))
    return len(payers)


def replace_product(state: SandboxState, old: str, new: str, *, move: bool) -> tuple[dict[str, str], int]:
    """Retire a product and sell another one at copies of its prices.

    Returns the new price id for each old one, and how many subscriptions moved along.
    """
    with state.database.transaction():
        retired = state.prices.retire(old)
        copies = {line.price_id: f"{line.price_id}_{new}" for line in retired}
        for line in retired:
            copy = line.model_copy(update={"product_id": new, "price_id": copies[line.price_id]})
            state.prices.register(f"replacement/{new}", copy)
        lines = {line.price_id: line for line in state.prices.lines()}
        movers = [one for one in _live(state) if one.price_id in copies] if move else []
        for subscription in movers:
            line = lines[copies[subscription.price_id]]
            state.subscriptions.change(subscription, line_fields(line, subscription.quantity))
    return copies, len(movers)


def _live(state: SandboxState) -> list[StripeSubscription]:
    return [one for one in state.subscriptions.newest(10_000) if one.live]
