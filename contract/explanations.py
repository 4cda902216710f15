"""The likely causes of what a check finds, in the terms of the service's own code, and what would cure each.

Written for those who own the service: they know their code, and not this front end. A cause is what was seen to be
behind such an answer; where several can be, all are named.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """What is likely behind a finding."""

    NO_CUSTOMER = "no_customer"
    UNKNOWN_PRICE = "unknown_price"
    CUSTOMER_AS_OBJECT = "customer_as_object"
    ONE_CONNECTION = "one_connection"
    FAILED_WRITES_ANSWER_200 = "failed_writes_answer_200"
    UNSIGNED_WEBHOOKS = "unsigned_webhooks"
    ACCOUNT_NOT_TOLD = "account_not_told"
    OLD_PRODUCT = "old_product"
    NO_STATUS = "no_status"
    NO_IDEMPOTENCY = "no_idempotency"
    UNCHECKED_INPUT = "unchecked_input"
    CATCH_ALL = "catch_all"
    KEY_REFUSED = "key_refused"
    UNREACHABLE = "unreachable"
    OTHER_FORM = "other_form"


@dataclass(frozen=True)
class Explanation:
    """A cause by its name, what the code likely does, and the cure."""

    title: str
    cause: str
    cure: str


EXPLANATIONS: Final = {
    Cause.NO_CUSTOMER: Explanation(
        "No customer is created at Stripe",
        "The checkout handler sends `customer: <id of its own row in customers>` to Stripe without ever having "
        "called `customer.New`: the row's `stripe_customer_id` stays empty, and Stripe answers `resource_missing`, "
        "“No such customer”, for the first checkout and for every later one.",
        "Where the row has no `stripe_customer_id`: create the customer at Stripe (e-mail, and the user id as "
        "metadata), store its `cus_…` id, and pass that. Or pass `customer_email` and let Checkout create one.",
    ),
    Cause.UNKNOWN_PRICE: Explanation(
        "Stripe knows no such price",
        "The price that was asked with is not in the Stripe account whose key the service has: another account, test "
        "mode instead of live, or a price that was archived.",
        "Ask with ids of that account (--price, --product, --item-price, --item-product), or put them into "
        "products.json.",
    ),
    Cause.CUSTOMER_AS_OBJECT: Explanation(
        "`customer.subscription.created` is dropped",
        "The webhook handler reads `customer` as an object (`subscription.Customer.ID` of an expanded one). Stripe "
        "sends it as text (`cus_…`) unless a call expands it, and webhooks expand nothing: the handler finds no "
        "customer and returns 200 without writing.",
        "Read `customer` as text or object, find the user by `stripe_customer_id` (or `metadata.user_id`), and "
        "insert the subscription. Answer 5xx where the user can't be found, so that Stripe sends the event again.",
    ),
    Cause.ONE_CONNECTION: Explanation(
        "One database connection for all requests",
        "One `pgx.Conn` made at the start serves every request and every webhook. It is not safe for concurrent "
        "use: two at once fail with “conn busy”, a client that leaves cancels its context and closes it, and "
        "nothing opens it again. The key's look-up then fails, which is answered as 401 `Invalid API key`, while "
        "/health asks no database.",
        "Use a pool (`pgxpool.New`), which opens connections again by itself. Answer 503, not 401, when the key "
        "can't be looked up, and let /health run `SELECT 1`.",
    ),
    Cause.FAILED_WRITES_ANSWER_200: Explanation(
        "Webhooks are answered 200 although nothing was written",
        "The webhook handler logs the error of its write and goes on to answer 200: Stripe counts the event as "
        "delivered and never sends it again. A renewal, a cancellation or a purchase is lost for good.",
        "Return 500 when a write fails; Stripe repeats it for three days. Make the write idempotent by the event's id.",
    ),
    Cause.UNSIGNED_WEBHOOKS: Explanation(
        "Webhook signatures are not checked",
        "The webhook route decodes the body without `webhook.ConstructEvent`: whoever knows its address can grant "
        "or delete subscriptions.",
        "Verify `Stripe-Signature` against the endpoint's secret over the raw body, with Stripe's tolerance of "
        "five minutes, and answer 400 to anything else.",
    ),
    Cause.ACCOUNT_NOT_TOLD: Explanation(
        "The account hears of no subscription",
        "Either the Payment MS tells nobody: a project's `webhook_url` is stored and never called, and no call "
        "goes to the Auth MS. Or the Auth MS keeps no plan: `subscription_status`, `subscription_plan` and "
        "`expires_at` are not in its `user_context`.",
        "After each write of a subscription post it, signed, to the project's `webhook_url` and to the Auth MS, "
        "with retries; and have the Auth MS answer the three fields beside the name or under `projects`.",
    ),
    Cause.OLD_PRODUCT: Explanation(
        "The record stays under the product that was bought first",
        "At `customer.subscription.updated` the handler updates status and period by the subscription's id and "
        "leaves the product column as it was, so a change of plan in the portal is never seen.",
        "Take product and price from `items.data[0].price` of each event and write them too.",
    ),
    Cause.NO_STATUS: Explanation(
        "The status answer has no `status`",
        "The handler answers `exists`, the subscription's id and `period_end`, and leaves out the status column: "
        "active, past due, paused and canceled look alike, and `exists` is true for ended ones.",
        "Add `status` with Stripe's word, and `cancel_at_period_end`, to the answer.",
    ),
    Cause.NO_IDEMPOTENCY: Explanation(
        "`Idempotency-Key` is not passed on",
        "The checkout handler opens a session for each call, also for one that repeats a lost answer.",
        "Pass the request's `Idempotency-Key` to Stripe (`params.SetIdempotencyKey`): two lines, and a lost answer "
        "opens no second session.",
    ),
    Cause.UNCHECKED_INPUT: Explanation(
        "Fields are passed to Stripe unchecked",
        "The handler validates only some fields: a subscription without `product_id`, an item with quantity 0 or a "
        "user id of more than 200 characters goes on to Stripe, and what Stripe refuses comes back as 500 "
        "`STRIPE_ERROR`.",
        "Refuse them with 400 `VALIDATION_FAILED` and the field's name.",
    ),
    Cause.CATCH_ALL: Explanation(
        "Unknown paths are redirected to a page",
        "The router's catch-all answers every unknown path, also below /api, with a redirect to /docs.",
        "Answer 404 with the JSON error below /api and /admin.",
    ),
    Cause.KEY_REFUSED: Explanation(
        "The key is refused",
        "The key is not this service's, its project is inactive, or the service has lost its database connection: "
        "that, too, is answered as 401.",
        "Compare the key with the project's row; if it is right, restart the service.",
    ),
    Cause.UNREACHABLE: Explanation(
        "Nothing answers",
        "No connection, or no whole answer.",
        "Start it, look at address, port and firewall; a 5xx with a body is better than a closed connection.",
    ),
    Cause.OTHER_FORM: Explanation(
        "The answer has another form than relied on",
        "Another version of the service, or an answer that its documents don't have: what differs stands with the "
        "check.",
        "Answer in the form that docs/contract.md of the front end names, or tell its owners of the new one.",
    ),
}
