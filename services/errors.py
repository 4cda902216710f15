"""Every error the application raises on purpose, in one tree.

Each class carries what a caller may show (``title``, ``sentence``), what a program may read (``code``,
``status``, ``retryable``, ``money_moved``) and, as the exception's own text, what only the operator may
read (``detail``: the cause). A sentence never holds text that came from another system; ``{money}`` in it stands for
what a claim says of money.

::

    FrontendError                         the root
    ├── UpstreamError                     another service failed us; says which one and in which operation
    │   ├── UpstreamUnavailable      503  no connection (refused, DNS, TLS), circuit open, or the queue is full
    │   ├── UpstreamTimeout          504  no complete answer before the deadline
    │   ├── UpstreamFailed           502  it answered 5xx, or hung up in the middle
    │   │   ├── RequestFailed        502  it works, and could not do this one thing
    │   │   └── UpstreamBusy         503  it answered 429 or 503: come back later
    │   ├── UpstreamContractError    502  it answered what its contract does not allow
    │   ├── KeyRejected              502  it answered 401 or 403 to our API key
    │   │   └── KeyLost              502  to a key that worked before
    │   ├── RequestRefused           502  it answered another 4xx: our request was wrong
    │   └── CustomerUnknown          404  it has never seen this customer
    ├── CheckoutInProgress           409  a checkout may be paid, or may have been; carries it
    │   ├── PaymentUnknown           409  one of long ago may have been paid, and no service ever said
    │   └── PurchaseUnconfirmed      409  an earlier one was never confirmed by any service
    │       └── CheckoutUnreadable   409  another release wrote it, and whether it was paid is not known
    └── NothingCharged                    stopped before any money could move
        ├── InvalidIdentifier        502  an id that the service can't take; no call was made
        ├── EmailMissing             422  an account without an e-mail address; no call was made
        ├── UnsafeRedirect           502  a service named an address we don't send browsers to
        │   └── UnsafePortal         502  the same, for the customer portal
        ├── NotSignedIn              401  no user is signed in, or the session has ended
        ├── ServiceTokenRefused      401  a service without a token of ours
        ├── SignInFailed             401  the sign-in was refused or has expired
        ├── SignInUnavailable        503  the sign-in service could not be asked
        ├── SellingOff               503  the operator sells nothing just now
        ├── PriceNotSold             404  the catalog does not sell that price
        ├── InvalidQuantity          422  a quantity outside what the item is sold in
        ├── InvalidCart              422  a cart that can't be bought as it is
        │   ├── CartEmpty            422  nothing in it
        │   ├── CartFull             422  more lines than one checkout takes
        │   └── MixedCurrencies      422  two currencies in it
        ├── AlreadySubscribed        409  a live subscription of that plan group exists
        │   └── SubscriptionOnRecord 409  one is on record and no service says if it ended
        │       ├── PortalNewsDue    409  one may have been changed to this group in the portal, and nobody said so yet
        │       └── SubscriptionUnderEmail 409  one is on record under the user's e-mail address
        ├── StatusUnknown            503  no service could say what the user has
        │   ├── BillingUnavailable   503  because the Payment MS could not be asked
        │   └── BillingNotSetUp      502  because the Payment MS never took our key
        ├── StatusUnclear            409  the two services disagree, so nothing is sold
        ├── AccountChanged           409  the page was drawn for another user than is signed in now
        ├── CatalogChanged           409  the page was drawn from another version of the catalog
        │   ├── CartChanged          409  the page showed other lines than the cart holds
        │   └── TrialNotOffered      409  the page offered a trial to a customer who has had the plan
        ├── StoreUnavailable         503  our own storage can't be read or written
        │   ├── LockTimeout          503  another tab or replica held the lock for too long
        │   ├── LockLost             503  the lock ran out while it was held
        │   ├── StoreInUse           503  another process has the file; at the start only, for the operator
        │   └── StoreTooNew          503  a newer release wrote it; at the start, for the operator
        ├── ClockUnsure              503  nobody knows what time it is, so nothing is signed
        ├── RateLimited              429  too many requests by this user or address
        ├── PlanRequired             403  a page or route is for members of another plan
        │   └── FeatureRequired      403  it needs a feature that nothing the user has unlocks
        ├── PageNotFound             404  no page has this address
        └── UnusableSetting          500  a setting can't be used; at the start only, for the operator
            ├── WebhooksUnusable     500  the file of endpoints can't be used
            ├── KeyUnusable          500  the key for entitlements can't sign
            └── TracingNotInstalled  500  traces are asked for and their packages are missing
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol


def N_(message: str) -> str:
    """Mark ``message`` for translation and return it unchanged; whoever shows it translates it."""
    return message


NOTHING_CHARGED: Final = "Nothing was charged."
"""What is said of money to programs, in English, where a press was stopped here."""


def with_money(sentence: str, money: str) -> str:
    """Return an error's sentence with what is said of money in its place: words of a claim (`services/claims/`)."""
    return sentence.replace("{money}", money).replace("  ", " ").strip()


class AlreadySaid(StrEnum):
    """What an error's sentence says besides what happened, so that whoever puts words together says nothing twice."""

    TITLE = "title"
    """It begins with the title's words, or means the same."""
    MONEY = "money"
    """Whether something was charged: `{money}` stands for it."""
    RETRY = "retry"
    """To try again."""


class FrontendError(Exception):
    """The root: catch it where an error becomes a page, a notice or a problem document.

    ``retry_after`` is in seconds. ``money_moved`` is False when it is certain that nothing was charged,
    True when something was, None when this error can't know. ``says`` is what ``sentence`` says of that itself.
    """

    code: str = "internal_error"
    status: int = 500
    title: str = N_("Something went wrong")
    sentence: str = N_(
        "Something went wrong on our side. Try again once; if that fails too, contact us and quote the reference."
    )
    says: frozenset[AlreadySaid] = frozenset({AlreadySaid.TITLE, AlreadySaid.RETRY})
    retryable: bool = False
    money_moved: bool | None = None

    def __init__(self, detail: str = "", *, request_id: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.detail or self.code


class UpstreamError(FrontendError):
    """Another service failed us. Raised only as one of the classes below.

    ``reason`` is the one-word cause that logs and metrics use (``refused``, ``dns``, ``schema`` …).
    ``upstream_status``, ``upstream_code`` and ``upstream_request_id`` are what the service itself said.
    """

    code = "upstream_error"
    status = 502
    title = N_("Payments are unavailable")
    sentence = N_("Payments are unavailable right now. {money}")
    says = frozenset({AlreadySaid.TITLE, AlreadySaid.MONEY})
    retryable = True
    money_moved: bool | None = False

    def __init__(
        self,
        service: str,
        operation: str,
        detail: str = "",
        *,
        reason: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        upstream_status: int | None = None,
        upstream_code: str | None = None,
        upstream_request_id: str | None = None,
    ) -> None:
        super().__init__(detail, request_id=request_id, retry_after=retry_after)
        self.service = service
        self.operation = operation
        self.reason = reason or self.code
        self.upstream_status = upstream_status
        self.upstream_code = upstream_code
        self.upstream_request_id = upstream_request_id

    def __str__(self) -> str:
        return f"{self.service} {self.operation}: {self.detail or self.reason}"


class UpstreamUnavailable(UpstreamError):
    """No request was answered because none could be made: refused, DNS, TLS, open circuit, full queue."""

    code = "upstream_unavailable"
    status = 503


class UpstreamTimeout(UpstreamError):
    """The deadline passed before the whole answer was here; the service may still have done the work."""

    code = "upstream_timeout"
    status = 504


class UpstreamFailed(UpstreamError):
    """The service answered 5xx or 429, or closed the connection in the middle of an answer."""

    code = "upstream_failed"


class RequestFailed(UpstreamFailed):
    """The service answered 5xx about this one request (`STRIPE_ERROR`, `CUSTOMER_ERROR`): waiting does not cure it."""

    code = "upstream_request_failed"
    title = N_("That didn't work")
    sentence = N_(
        "Our payment service couldn't do this. {money} Try again once; if that fails too, contact us and "
        "quote the reference."
    )
    says = frozenset({AlreadySaid.MONEY, AlreadySaid.RETRY})


class UpstreamBusy(UpstreamFailed):
    """The service answered 429 or 503: it may be asked again, after ``retry_after`` where it said so."""

    code = "upstream_busy"
    status = 503


class UpstreamContractError(UpstreamError):
    """The answer breaks the contract: a redirect, HTML, bad JSON, a wrong shape, too many bytes.

    That is a fault of the service or of what stands before it, which passes only when somebody mends it.
    ``fields`` names what was wrong in a JSON answer, as dotted paths; never the values.
    """

    code = "upstream_contract"
    title = N_("Our payment service gave an unexpected answer")
    sentence = N_("Our payment service gave an answer that we can't use. {money} Contact us and quote the reference.")
    says = frozenset({AlreadySaid.MONEY})
    retryable = False

    fields: tuple[str, ...] = ()


class KeyRejected(UpstreamError):
    """The service answered 401 or 403 to our API key, or the key can't even be sent.

    ``worked_before`` tells the two cases apart: a key that never worked may be wrong, or the service has lost its
    database connection; for one that worked, in this process or an earlier one, there is ``KeyLost``.
    """

    code = "upstream_key_rejected"
    title = N_("Payments aren't set up")
    sentence = N_("Payments aren't set up yet.")
    says = frozenset({AlreadySaid.TITLE})
    retryable = False

    def __init__(
        self,
        service: str,
        operation: str,
        detail: str = "",
        *,
        worked_before: bool,
        reason: str = "upstream_auth",
        request_id: str | None = None,
        upstream_status: int | None = 401,
    ) -> None:
        super().__init__(
            service, operation, detail, reason=reason, request_id=request_id, upstream_status=upstream_status
        )
        self.worked_before = worked_before


class KeyLost(KeyRejected):
    """The service answered 401 or 403 to a key that worked before: the service itself is broken."""

    code = "upstream_key_lost"
    title = N_("Payments are unavailable")
    sentence = N_("Payments are unavailable right now.")


class RequestRefused(UpstreamError):
    """The service answered 400, 404, 409 or 422: what we sent was wrong, and sending it again won't help."""

    code = "upstream_refused"
    title = N_("Your request wasn't accepted")
    sentence = N_("Our payment service didn't accept this request. {money} Contact us and quote the reference.")
    says = frozenset({AlreadySaid.MONEY})
    retryable = False


class CustomerUnknown(UpstreamError):
    """The Payment MS knows no customer by this id: this person has never bought anything."""

    code = "no_billing_account"
    status = 404
    title = N_("No billing history yet")
    sentence = N_("You have no billing history yet. It starts with your first purchase.")
    says = frozenset({AlreadySaid.TITLE})
    retryable = False


class NothingCharged(FrontendError):
    """Stopped before any money could move. Raised only as one of the classes below."""

    money_moved: bool | None = False


class InvalidIdentifier(NothingCharged):
    """An id that can't be one path segment of the service's address; raised before any call is made."""

    code = "invalid_identifier"
    status = 502
    title = N_("We can't look up your billing")
    sentence = N_("Billing can't use your account's ID, and trying again won't help. {money} Contact us.")
    says = frozenset({AlreadySaid.MONEY})


class EmailMissing(NothingCharged):
    """The account has no e-mail address, which the Payment MS requires; raised before any call is made."""

    code = "email_missing"
    status = 422
    title = N_("Your account has no email address")
    sentence = N_("Checkout needs one. Add it where you sign in, then sign in again.")
    says = frozenset()


class UnsafeRedirect(NothingCharged):
    """A service named an address that is not on the list of places a browser may be sent to."""

    code = "unsafe_redirect"
    status = 502
    title = N_("Checkout didn't open")
    sentence = N_("We couldn't open checkout safely, so we stopped. {money} Contact us.")
    says = frozenset({AlreadySaid.MONEY})


class UnsafePortal(UnsafeRedirect):
    """The same for the customer portal."""

    code = "unsafe_portal"
    title = N_("The billing portal didn't open")
    sentence = N_("We couldn't open the billing portal safely, so we stopped. {money} Contact us.")


class NotSignedIn(NothingCharged):
    """No user is signed in, or the session at the sign-in service has ended."""

    code = "not_signed_in"
    status = 401
    title = N_("You're not signed in")
    sentence = N_("Sign in to continue.")
    says = frozenset()


class ServiceTokenRefused(NothingCharged):
    """A service asks without a token, or with one of nobody."""

    code = "service_token_refused"
    status = 401
    title = N_("This needs a service token")
    sentence = N_("Send your service's own token.")
    says = frozenset()


class SignInFailed(NothingCharged):
    """The sign-in code was refused: used, expired, or not from a sign-in that this browser started."""

    code = "sign_in_failed"
    status = 401
    title = N_("Sign-in didn't work")
    sentence = N_("That sign-in link has expired or was already used. Sign in again.")
    says = frozenset()


class SignInUnavailable(NothingCharged):
    """The sign-in service could not be asked, or its answer could not be used."""

    code = "sign_in_unavailable"
    status = 503
    title = N_("Sign-in is unavailable")
    sentence = N_("Sign-in is unavailable right now. Try again in a minute.")
    retryable = True


class SellingOff(NothingCharged):
    """The operator sells nothing just now; `words` are their own for it, shown instead of ours."""

    code = "selling_off"
    status = 503
    title = N_("Not for sale right now")
    sentence = N_("Nothing can be bought here right now. {money} What you already have isn't affected.")
    says = frozenset({AlreadySaid.MONEY})

    def __init__(
        self, detail: str = "", *, request_id: str | None = None, retry_after: float | None = None, words: str = ""
    ) -> None:
        super().__init__(detail, request_id=request_id, retry_after=retry_after)
        if words:
            self.sentence, self.says = words, frozenset()


class PriceNotSold(NothingCharged):
    """The catalog sells no such price."""

    code = "price_not_sold"
    status = 404
    title = N_("Not for sale")
    sentence = N_("That price isn't available. {money} Choose again on the pricing page.")
    says = frozenset({AlreadySaid.MONEY})


class InvalidQuantity(NothingCharged):
    """A quantity below the item's minimum or above its maximum."""

    code = "invalid_quantity"
    status = 422
    title = N_("Check the quantity")
    sentence = N_("We don't sell this item in that quantity. {money} Choose another quantity.")
    says = frozenset({AlreadySaid.MONEY})


class InvalidCart(NothingCharged):
    """A cart that can't be bought as it is."""

    code = "invalid_cart"
    status = 422
    title = N_("Check your cart")
    sentence = N_("You can't check out with this cart as it is. {money} Review it, then continue.")
    says = frozenset({AlreadySaid.MONEY})


class CartEmpty(InvalidCart):
    """A checkout of a cart with nothing in it."""

    code = "cart_empty"
    sentence = N_("Your cart is empty.")
    says = frozenset()


class CartFull(InvalidCart):
    """More lines than the Payment MS takes in one checkout (20)."""

    code = "cart_full"
    sentence = N_("A cart holds at most 20 different items. Remove one, then try again.")
    says = frozenset({AlreadySaid.RETRY})


class MixedCurrencies(InvalidCart):
    """Two currencies in one cart."""

    code = "mixed_currencies"
    sentence = N_("All items in a cart must be in one currency. Buy these items separately.")
    says = frozenset()


class AlreadySubscribed(NothingCharged):
    """A live subscription of that plan group exists; changing it is the portal's job."""

    code = "already_subscribed"
    status = 409
    title = N_("You already have a subscription")
    sentence = N_("You already have a subscription. Change it in the billing portal. {money}")
    says = frozenset({AlreadySaid.TITLE, AlreadySaid.MONEY})


class SubscriptionOnRecord(AlreadySubscribed):
    """Billing has a subscription on record whose status no service says; the user can say that it has ended."""

    code = "subscription_on_record"
    title = N_("We found a subscription")
    sentence = N_("We found a subscription and can't tell if it has ended. Check the billing portal first. {money}")
    also_open: "OpenCheckout | None" = None
    """A checkout that may be paid too: whoever goes on gives it up as well."""


class PortalNewsDue(SubscriptionOnRecord):
    """A subscription of another group may have been changed to a plan of this one in the portal; nobody said so yet."""

    code = "portal_news_due"
    title = N_("Did you change your plan in the portal?")
    sentence = N_(
        "Changes in the billing portal can take a while to show here. If you chose another plan there, a new "
        "subscription would be charged on top of it. Check there first. {money}"
    )
    says = frozenset({AlreadySaid.MONEY})


class SubscriptionUnderEmail(SubscriptionOnRecord):
    """Billing has a subscription under the user's e-mail address, as another front end made it."""

    code = "subscription_under_email"
    title = N_("There's a subscription under your email address")
    sentence = N_(
        "Billing has a subscription under your email address, from before you signed in here. A new one would be "
        "charged on top of it. Contact us first. {money}"
    )
    says = frozenset({AlreadySaid.MONEY})


class StatusUnclear(NothingCharged):
    """The two services disagree about what the user has, so nothing is sold until they agree."""

    code = "status_conflict"
    status = 409
    title = N_("We're checking your plan")
    sentence = N_(
        "Your account and billing disagree about your plan, so we didn't start a checkout. {money} Contact us."
    )
    says = frozenset({AlreadySaid.MONEY})


class OpenCheckout(Protocol):
    """What an error has to know of a checkout that was started and not finished."""

    @property
    def id(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def price_id(self) -> str: ...
    @property
    def started_at(self) -> datetime: ...


class CheckoutInProgress(FrontendError):
    """A checkout of the same thing may be paid, or may have been: the user is asked before there is a second one.

    ``checkout`` is the one to go on with, or to give up by name (None: known by its code only).
    """

    code = "checkout_in_progress"
    status = 409
    title = N_("You already started a checkout")
    sentence = N_(
        "You already started a checkout. Continue with that one, or start a new one: if the other page is still open, "
        "don't pay there too."
    )
    says = frozenset({AlreadySaid.TITLE})

    def __init__(self, checkout: OpenCheckout | None = None, detail: str = "") -> None:
        super().__init__(detail)
        self.checkout = checkout


class StatusUnknown(NothingCharged):
    """No service could say what the user has, so nothing is sold that might be a second subscription."""

    code = "status_unknown"
    status = 503
    title = N_("We can't check your subscription")
    sentence = N_("We can't check your subscription right now, so we didn't start a checkout. {money}")
    says = frozenset({AlreadySaid.TITLE, AlreadySaid.MONEY})
    retryable = True


class BillingUnavailable(StatusUnknown):
    """Nothing is sold because the Payment MS could not say what the user has."""

    code = "billing_unavailable"
    title = N_("Payments are unavailable")
    sentence = N_("Payments are unavailable right now. {money}")


class BillingNotSetUp(StatusUnknown):
    """Nothing is sold because the Payment MS has never taken our key."""

    code = "billing_not_set_up"
    status = 502
    title = N_("Payments aren't set up")
    sentence = N_("Payments aren't set up yet.")
    says = frozenset({AlreadySaid.TITLE})
    retryable = False


class PaymentUnknown(CheckoutInProgress):
    """The user was sent to a checkout long ago and never came back; no service will say any more whether it was paid.

    A Payment MS can lose the news of a purchase for good, so its silence answers nothing: the user does.
    """

    code = "payment_unknown"
    title = N_("You started a checkout earlier")
    sentence = N_(
        "You started a checkout earlier, and we don't know if you paid. If you were charged, contact us before you "
        "start a new one."
    )
    says = frozenset({AlreadySaid.TITLE})


class PurchaseUnconfirmed(CheckoutInProgress):
    """The user is back from a checkout, or it went through, and no service ever confirmed what it sold: the next one
    needs a plain answer."""

    code = "purchase_unconfirmed"
    title = N_("An earlier checkout was never confirmed")
    sentence = N_(
        "You started a checkout earlier that was never confirmed. If you were charged, contact us before you subscribe "
        "again."
    )
    says = frozenset()
    also_open: OpenCheckout | None = None
    """Another checkout that may be paid too: whoever goes on gives it up as well."""


def asked_about(error: FrontendError) -> OpenCheckout | None:
    """Return the checkout that whoever goes on gives up, by naming it in `instead_of`; None if there is none."""
    if isinstance(error, SubscriptionOnRecord | PurchaseUnconfirmed):
        return error.also_open
    return error.checkout if isinstance(error, CheckoutInProgress) else None


class CheckoutUnreadable(PurchaseUnconfirmed):
    """The record of an earlier checkout can't be read by this release, so the next one needs a plain answer."""

    code = "checkout_unreadable"
    title = N_("We can't read an earlier checkout")
    sentence = N_(
        "We can no longer read a checkout that you started earlier. If you were charged for it, contact us before you "
        "subscribe again."
    )


class AccountChanged(NothingCharged):
    """The page was drawn for another user: another account has signed in in this browser since."""

    code = "account_changed"
    status = 409
    title = N_("Another account is signed in")
    sentence = N_(
        "Someone signed in to another account in this browser after you opened the page. {money} Check "
        "which account it is, then choose again."
    )
    says = frozenset({AlreadySaid.MONEY})


class CatalogChanged(NothingCharged):
    """The page was drawn from another version of the catalog: its price may no longer be true."""

    code = "catalog_changed"
    status = 409
    title = N_("The price has changed")
    sentence = N_("Our prices changed while this page was open. Review the new price. {money}")
    says = frozenset({AlreadySaid.MONEY})


class CartChanged(CatalogChanged):
    """The page showed another cart than the one that would be bought: it was changed in another tab."""

    code = "cart_changed"
    title = N_("Your cart has changed")
    sentence = N_("Your cart changed while this page was open. Review it, then continue. {money}")


class TrialNotOffered(CatalogChanged):
    """The page offered a free trial, and by now a trial or a subscription of that plan is on record for this user."""

    code = "trial_not_offered"
    title = N_("The free trial isn't included")
    sentence = N_("A free trial is for new customers. Review what is due today. {money}")


class StoreUnavailable(NothingCharged):
    """Our own storage can't be read or written; what it guards is refused, never done unguarded."""

    code = "store_unavailable"
    status = 503
    title = N_("We can't do that right now")
    sentence = N_("We can't do that right now. {money} Try again in a minute.")
    says = frozenset({AlreadySaid.TITLE, AlreadySaid.MONEY, AlreadySaid.RETRY})
    retryable = True


class LockTimeout(StoreUnavailable):
    """Another holder (a tab, a replica) held the lock for longer than we wait."""

    code = "lock_timeout"
    sentence = N_("Another tab of yours is doing the same thing. {money} Try again in a moment.")
    says = frozenset({AlreadySaid.MONEY, AlreadySaid.RETRY})


class LockLost(StoreUnavailable):
    """The lock ran out while it was held (a stalled process or Redis): what was done under it was not guarded."""

    code = "lock_lost"


class StoreInUse(StoreUnavailable):
    """Another process has the SQLite file. Raised when the store is opened; its text is a sentence for the operator."""

    code = "store_in_use"


class StoreTooNew(StoreUnavailable):
    """A newer release wrote the store, and this one can't read it; its text is a sentence for the operator."""

    code = "store_too_new"


class ClockUnsure(NothingCharged):
    """This machine's clock and those of the services contradict each other, so nothing with a time in it is signed."""

    code = "clock_unsure"
    status = 503
    title = N_("We can't confirm your access right now")
    sentence = N_("We can't confirm your access right now. This site works as before.")
    says = frozenset({AlreadySaid.TITLE})


class RateLimited(NothingCharged):
    """Too many requests by this user or from this address; ``retry_after`` says when to come back."""

    code = "rate_limited"
    status = 429
    title = N_("Too many requests")
    sentence = N_("We got a lot of requests in a short time. Wait a moment, then try again.")
    says = frozenset({AlreadySaid.RETRY})
    retryable = True


class PlanRequired(NothingCharged):
    """A page or route is for members of a plan to which this user has no access."""

    code = "plan_required"
    status = 403
    title = N_("This needs another plan")
    sentence = N_("This isn't part of your plan. See what each plan includes on the pricing page.")
    says = frozenset()


class FeatureRequired(PlanRequired):
    """A page or route needs a feature that nothing this user has unlocks."""

    code = "feature_required"


class PageNotFound(NothingCharged):
    """No page has this address."""

    code = "page_not_found"
    status = 404
    title = N_("This page doesn't exist")
    sentence = N_("The address may be mistyped, or the page has moved.")
    says = frozenset()


class UnusableSetting(NothingCharged):
    """A setting can't be used. Raised at the start only; its text is a sentence for the operator."""

    code = "unusable_setting"
    title = N_("This site isn't set up")
    sentence = N_("This site isn't set up yet.")
    says = frozenset({AlreadySaid.TITLE})


class KeyUnusable(UnusableSetting):
    """ENTITLEMENTS_KEY is no private key that can sign."""

    code = "key_unusable"


class WebhooksUnusable(UnusableSetting):
    """WEBHOOKS_PATH names a file that can't be used."""

    code = "webhooks_unusable"


class TracingNotInstalled(UnusableSetting):
    """OTEL_EXPORTER_URL is set, but the packages that send traces are missing."""

    code = "tracing_not_installed"
