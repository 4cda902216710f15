"""A Stripe small enough to break on purpose: what the service asks of it, behind the official library's own client.

Objects have Stripe's shapes, as far as they are read. Idempotency keys, missing objects and closed sessions are as at
Stripe; `broken` says which call fails, and `log` what was asked.
"""

import itertools
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

MONTH = 30 * 86400
Thing = dict[str, Any]


class FakeStripe(BaseAdapter):
    """Mount it in a `requests.Session`."""

    def __init__(self, *, livemode: bool = False) -> None:
        super().__init__()
        self.livemode = livemode
        self.things: dict[str, dict[str, Thing]] = {}
        self.log: list[str] = []
        self.broken: Callable[[str], int | None] = lambda call: None
        """By a call such as `POST checkout/sessions`: a status to fail with, 0 for an answer that is lost."""
        self.meanwhile: Callable[[str], None] = lambda call: None
        """What happens elsewhere while a call is answered."""
        self._numbers = itertools.count(1)
        self._answered: dict[str, tuple[str, Thing]] = {}
        self.put("products", "prod_pro", name="Pro", active=True, metadata={"group": "main"}, created=1)
        self.put("products", "prod_basic", name="Basic", active=True, metadata={"group": "main"}, created=1)
        self.price("price_pro", "prod_pro", 2900)
        self.price("price_basic", "prod_basic", 900)

    def session(self) -> requests.Session:
        made = requests.Session()
        made.mount("https://", self)
        return made

    def close(self) -> None:
        pass

    def put(self, kind: str, own: str, **fields: Any) -> Thing:
        made = {"id": own, "object": kind.rstrip("s").split("/")[-1], "livemode": self.livemode, **fields}
        self.things.setdefault(kind, {})[own] = made
        return made

    def price(self, own: str, product: str, amount: int, **fields: Any) -> Thing:
        recurring = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
        given = {"unit_amount": amount, "currency": "usd", "active": True, "recurring": recurring, "lookup_key": None}
        if fields.get("recurring"):
            fields["recurring"] = {**recurring, **fields["recurring"]}
        return self.put("prices", own, **{**given, "product": product, **fields})

    def subscribe(
        self, customer: str, price: str = "price_pro", *, metadata: Thing | None = None, **over: Any
    ) -> Thing:
        number, now = next(self._numbers), int(time.time())
        own, sold = f"sub_{number}", self.things["prices"][price]
        item = {"id": f"si_{number}", "object": "subscription_item", "price": sold, "quantity": 1,
                "current_period_end": now + MONTH}  # fmt: skip
        fields = {
            "customer": customer, "status": "active", "created": now, "currency": sold["currency"], "schedule": None,
            "items": {"object": "list", "data": [item], "has_more": False}, "metadata": metadata or {},
            "cancel_at": None, "cancel_at_period_end": False, "canceled_at": None, "ended_at": None, "trial_end": None,
            "pause_collection": None, "collection_method": "charge_automatically", "discounts": [],
        }  # fmt: skip
        made = self.put("subscriptions", own, **{**fields, **over})
        intent = f"pi_{number}"
        self.put("invoices", f"in_{number}", subscription=own, customer=customer, amount_paid=sold["unit_amount"],
                 total=sold["unit_amount"], currency="usd", status="paid", number=f"N-{number}", created=now,
                 hosted_invoice_url="https://invoice.stripe.com/i/x",
                 parent={"type": "subscription_details", "subscription_details": {"subscription": own}})  # fmt: skip
        self.put("invoice_payments", f"inpay_{number}", invoice=f"in_{number}", status="paid",
                 payment={"type": "payment_intent", "payment_intent": intent})  # fmt: skip
        return made

    def pay(self, session_id: str) -> Thing:
        """Somebody pays an open session: it is complete, and a subscription is there."""
        session = self.things["checkout/sessions"][session_id]
        session |= {"status": "complete", "payment_status": "paid"}
        if session["mode"] == "subscription":
            made = self.subscribe(session["customer"], session["line_items"]["0"]["price"],
                                  metadata=session["subscription_data"]["metadata"])  # fmt: skip
            session["subscription"] = made["id"]
        return session

    def event(self, kind: str, about: Thing, own: str = "", **fields: Any) -> Thing:
        number = next(self._numbers)
        found = {
            "api_version": "2026-08-26.dahlia",
            "created": int(time.time()),
            "type": kind,
            "data": {"object": about},
        }
        return self.put("events", own or f"evt_{number}", **found, **fields)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        path = url.path.removeprefix("/v1/")
        text = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
        form = nested(parse_qsl(url.query, keep_blank_values=True) + parse_qsl(text, keep_blank_values=True))
        parts = path.split("/")
        named = "/".join("{id}" if part in self._ids() else part for part in parts)
        call = f"{request.method} {named}"
        self.log.append(call)
        self.meanwhile(call)
        status = self.broken(call)
        if status:
            return _response(request, status, _problem(status))
        key = str(request.headers.get("Idempotency-Key", "")) if request.method == "POST" else ""
        body = json.dumps([call, form], sort_keys=True)
        if key in self._answered and self._answered[key][0] != body:
            return _response(request, 400, {"error": {"type": "idempotency_error", "message": "other parameters"}})
        code, answer = (
            (200, self._answered[key][1]) if key in self._answered else self._answer(str(request.method), parts, form)
        )
        if key and code == 200:
            self._answered[key] = (body, json.loads(json.dumps(answer)))
        if status == 0:
            raise requests.exceptions.ReadTimeout("the answer was lost")
        return _response(request, code, answer)

    def _ids(self) -> set[str]:
        return {own for things in self.things.values() for own in things}

    def _answer(self, method: str, parts: list[str], form: Thing) -> tuple[int, Thing]:
        kind = "/".join(parts[:2]) if parts[0] in ("checkout", "billing_portal") else parts[0]
        rest = parts[kind.count("/") + 1 :]
        match method, kind, rest:
            case "POST", "invoices", ["create_preview"]:
                found = self.things["subscriptions"][form["subscription"]]
                amount = found["items"]["data"][0]["price"]["unit_amount"]
                return 200, {"id": "upcoming_in_1", "object": "invoice", "amount_due": amount, "currency": "usd",
                             "total_taxes": [], "total_discount_amounts": []}  # fmt: skip
            case "GET", "balance", []:
                return 200, {"object": "balance", "livemode": self.livemode}
            case "GET", "customers", ["search"]:
                wanted = [part.split(":", 1)[1].strip("'") for part in form["query"].split(" AND ")]
                known = self.things.get("customers", {}).values()
                names = ("user_id", "project")
                return 200, _list([one for one in known if [one["metadata"].get(name) for name in names] == wanted])
            case "POST", "checkout/sessions", [own, "expire"]:
                session = self.things[kind][own]
                if session["status"] != "open":
                    return 400, {"error": {"type": "invalid_request_error", "message": "Only open Checkout Sessions"}}
                session["status"] = "expired"
                return 200, session
            case "DELETE", "subscriptions", [own]:
                self.things[kind][own] |= {"status": "canceled", "ended_at": int(time.time())}
                self.event("customer.subscription.deleted", self.things[kind][own])
                return 200, self.things[kind][own]
            case "DELETE", "customers", [own]:
                return 200, {**self.things[kind].pop(own), "deleted": True}
            case "POST", "payment_methods", [own, "attach"]:
                return 200, {"id": own, "object": "payment_method", "customer": form["customer"]}
            case "GET", "customers", [_, "payment_methods"]:
                return 200, _list([{"id": "pm_1", "object": "payment_method"}])
            case "GET", _, [own]:
                return self._one(kind, own, form)
            case "GET", _, []:
                return 200, _list(self._listed(kind, form))
            case "POST", _, [own]:
                self.things[kind][own] |= form
                return self._one(kind, own, form)
            case "POST", _, []:
                return self._made(kind, form)
        raise AssertionError(f"{method} {parts}")

    def _one(self, kind: str, own: str, form: Thing) -> tuple[int, Thing]:
        found = self.things.get(kind, {}).get(own)
        if found is None:
            return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "param": "id"}}
        if kind == "prices" and "expand" in form:
            found = self._with_product(found)
        if kind == "subscriptions" and "expand" in form:
            items = [{**item, "price": self._with_product(item["price"])} for item in found["items"]["data"]]
            found = {**found, "items": {**found["items"], "data": items}}
        return 200, found

    def _with_product(self, price: Thing) -> Thing:
        return {**price, "product": self.things["products"][price["product"]]}

    def _listed(self, kind: str, form: Thing) -> list[Thing]:
        found = list(self.things.get(kind, {}).values())
        if "lookup_keys" in form:
            found = [one for one in found if one["lookup_key"] in form["lookup_keys"].values()]
            found = [self._with_product(one) for one in found]
        for name in ("customer", "subscription", "invoice", "code", "status"):
            if name in form and form[name] != "all":
                found = [one for one in found if one.get(name) == form[name]]
        if kind == "subscriptions" and "status" not in form:
            found = [one for one in found if one["status"] != "canceled"]
        return found

    def _made(self, kind: str, form: Thing) -> tuple[int, Thing]:
        number, now = next(self._numbers), int(time.time())
        if kind == "customers":
            return 200, self.put(kind, f"cus_{number}", created=now, **form)
        if kind == "products":
            return 200, self.put(kind, f"prod_{number}", **{"active": True, "created": now, "metadata": {}, **form})
        if kind == "prices":
            for other in self.things["prices"].values():
                if other["lookup_key"] == form.get("lookup_key"):
                    other["lookup_key"] = None
            amount, more = int(form["unit_amount"]), {key: form[key] for key in ("currency", "lookup_key")}
            return 200, self.price(f"price_{number}", form["product"], amount, recurring=form.get("recurring"), **more)
        if kind == "checkout/sessions":
            if form["customer"] not in self.things.get("customers", {}):
                return 400, {
                    "error": {"type": "invalid_request_error", "code": "resource_missing", "param": "customer"}
                }
            if form["line_items"]["0"]["price"] not in self.things["prices"]:
                param = "line_items[0][price]"
                return 400, {"error": {"type": "invalid_request_error", "code": "resource_missing", "param": param}}
            own = f"cs_{'live' if self.livemode else 'test'}_{number}"
            fields = {"url": f"https://checkout.stripe.com/c/{own}", "status": "open", "payment_status": "unpaid",
                      "expires_at": now + 86400, "subscription": None,
                      "amount_total": 2900, "currency": "usd"}  # fmt: skip
            return 200, {**self.put(kind, own, **{**form, **fields}), "object": "checkout.session"}
        if kind == "billing_portal/sessions":
            return 200, self.put(kind, f"bps_{number}", url=f"https://billing.stripe.com/p/{number}", **form)
        if kind == "subscriptions":
            made = self.subscribe(form["customer"], form["items"]["0"]["price"], metadata=form["metadata"])
            self.event("customer.subscription.created", made)
            return 200, made
        if kind == "refunds":
            return 200, self.put(kind, f"re_{number}", amount=2900, **form)
        raise AssertionError(kind)


def nested(pairs: list[tuple[str, str]]) -> Thing:
    """`a[b][0]=c` as `{"a": {"b": {"0": "c"}}}`: lists stay dictionaries by place."""
    found: Thing = {}
    for name, value in pairs:
        *path, last = name.replace("]", "").split("[")
        place = found
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return found


def _list(data: list[Thing]) -> Thing:
    return {"object": "list", "data": data, "has_more": False, "url": "/v1/x"}


def _problem(status: int) -> Thing:
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return {"error": {"type": kind, "message": "broken on purpose"}}


def _response(request: requests.PreparedRequest, status: int, body: Thing) -> requests.Response:
    made = requests.Response()
    made.status_code, made.request, made.url = status, request, str(request.url)
    date = formatdate(time.time(), usegmt=True)
    made.headers.update({"Content-Type": "application/json", "Date": date, "Stripe-Should-Retry": "false"})
    made._content = json.dumps(body).encode()
    return made
