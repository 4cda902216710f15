"""The calls about customers."""

from collections.abc import Iterable

from sandbox.state import SandboxState
from sandbox.stripe.objects import StripeCustomer
from sandbox.stripe.rest.forms import Many
from sandbox.stripe.rest.gate import ApiCall, call
from sandbox.stripe.rest.lists import page_of
from sandbox.stripe.rest.params import CallParams, ListParams, Metadata, merged
from sandbox.stripe.rest.problems import bad_request, no_such
from sandbox.stripe.rest.searches import SearchParams, found
from sandbox.stripe.rest.shapes import Shape
from sandbox.stripe.rest.shapes.customers import customer_metadata, customer_shape


class CustomerParams(CallParams):
    """What is absent stays, an empty text unsets."""

    email: str | None = None
    name: str | None = None
    description: str | None = None
    preferred_locales: Many[str] | None = None
    metadata: Metadata | None = None


class ListCustomers(ListParams):
    email: str = ""


def customer_calls(state: SandboxState) -> Iterable[ApiCall]:
    def create(params: CustomerParams, _: str) -> Shape:
        _check_email(params.email)
        made = state.customers.create((params.metadata or {}).get("user_id", ""), params.email or "")
        return customer_shape(state.customers.keep(_changed(made, params)))

    def retrieve(_: CallParams, key: str) -> Shape:
        known = state.customers.get(key)
        return _gone(key) if known and known.deleted else customer_shape(customer_or_404(state, key))

    def delete(_: CallParams, key: str) -> Shape:
        """What they have ends at once, as at Stripe."""
        customer = customer_or_404(state, key)
        for subscription in state.subscriptions.of_customer(key):
            if subscription.live:
                state.subscriptions.cancel_now(subscription)
        state.customers.delete(customer)
        return _gone(key)

    def update(params: CustomerParams, key: str) -> Shape:
        customer = customer_or_404(state, key)
        _check_email(params.email)
        changed = _changed(customer, params)
        return customer_shape(state.customers.change(changed) if changed != customer else customer)

    def search(params: SearchParams, _: str) -> Shape:
        return found(params, state.customers.newest(), "/v1/customers/search", customer_shape, state.clock.now())

    def every(params: ListCustomers, _: str) -> Shape:
        customers = [
            one
            for one in state.customers.newest()
            if params.created.holds(one.created) and params.email in ("", one.email)
        ]
        return page_of(customers, params, "/v1/customers", lambda one: one.id, customer_shape)

    return (
        call("POST", "/customers", CustomerParams, create),
        call("GET", "/customers", ListCustomers, every),
        call("GET", "/customers/search", SearchParams, search),
        call("GET", "/customers/{key}", CallParams, retrieve),
        call("POST", "/customers/{key}", CustomerParams, update),
        call("DELETE", "/customers/{key}", CallParams, delete),
    )


def customer_or_404(state: SandboxState, key: str, param: str = "") -> StripeCustomer:
    customer = state.customers.get(key)
    if customer is None or customer.deleted:
        raise no_such("customer", key, param)
    return customer


def _gone(key: str) -> Shape:
    return {"id": key, "object": "customer", "deleted": True}


def _changed(customer: StripeCustomer, params: CustomerParams) -> StripeCustomer:
    given = params.model_dump(include={"email", "name", "description", "preferred_locales"}, exclude_none=True)
    metadata = merged(customer_metadata(customer), params.metadata)
    user_id = customer.user_id or metadata.get("user_id", "")
    return customer.model_copy(update={**given, "metadata": metadata, "user_id": user_id})


def _check_email(email: str | None) -> None:
    if email and ("@" not in email or " " in email):
        raise bad_request(f"Invalid email address: {email}", "email_invalid", "email")
