"""The calls by which a service sees that its key works."""

from collections.abc import Iterable

from sandbox.state import SandboxState
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.params import CallParams
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.account import account_shape, balance_shape


def account_calls(state: SandboxState) -> Iterable[ApiCall]:
    def account(_: CallParams, key: str) -> Shape:
        return account_shape()

    def balance(_: CallParams, key: str) -> Shape:
        return balance_shape(state.invoices.newest())

    return (call("GET", "/account", CallParams, account), call("GET", "/balance", CallParams, balance))
