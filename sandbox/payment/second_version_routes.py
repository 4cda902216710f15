"""The calls that only the second version knows: one checkout session, its early end, and a customer's invoices."""

from typing import Final

from fastapi import FastAPI, Request, Response

from sandbox.payment.asking import ALL_METHODS, Refusal, is_second, require, to_docs
from sandbox.payment.go_json import go_json, problem
from sandbox.payment.second_version import invoices_of, session_object
from sandbox.state import SandboxState
from sandbox.stripe.objects import SessionStatus, StripeCheckoutSession

_MOST_INVOICES: Final = 100


def add_second_version(app: FastAPI, state: SandboxState) -> None:
    """Add the calls; a service of the first version answers them as any path that it does not know."""

    @app.api_route("/api/v1/checkout/sessions/{session_id}", methods=ALL_METHODS)
    async def session(session_id: str, request: Request) -> Response:
        if not is_second(state):
            return to_docs()
        require(state, request, "GET")
        return go_json(session_object(_session(state, session_id), state))

    @app.api_route("/api/v1/checkout/sessions/{session_id}/expire", methods=ALL_METHODS)
    async def expire(session_id: str, request: Request) -> Response:
        if not is_second(state):
            return to_docs()
        require(state, request, "POST")
        ended = state.checkout.expire(_session(state, session_id))
        told = session_object(ended, state)
        if ended.status is SessionStatus.COMPLETE:
            said = "The checkout session is complete"
            return problem(409, "conflict", "SESSION_NOT_OPEN", said, "It was paid", beside={"session": told})
        return go_json(told)

    @app.api_route("/api/v1/invoices/{user_id}", methods=ALL_METHODS)
    async def invoices(user_id: str, request: Request) -> Response:
        if not is_second(state):
            return to_docs()
        require(state, request, "GET")
        asked = request.query_params.get("limit", "24")
        return go_json(invoices_of(state, user_id, min(int(asked), _MOST_INVOICES) if asked.isdecimal() else 24))


def _session(state: SandboxState, session_id: str) -> StripeCheckoutSession:
    found = state.checkout.get(session_id)
    if found is None:
        description = "No checkout session of this project has that id"
        raise Refusal(problem(404, "not_found", "SESSION_NOT_FOUND", "Checkout session not found", description))
    return found
