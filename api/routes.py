"""The JSON API under `/api`: the same use cases as the pages' buttons, with the same guards. `/api/docs` lists it.

The name of a route's function is what clients that are made from the document call the operation: `createCheckout`.
"""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI, Header, Path, Request, Response
from fastapi.routing import APIRoute

from api.access import Access, client_address
from api.docs import add_docs
from api.document.openapi import SIGNED_IN, VISITOR_OR_USER, publish
from api.events import events_routes
from api.problems import add_error_handlers, problem_docs
from api.schemas import (
    CartCheckoutRequest,
    CartView,
    CatalogView,
    CheckoutRequest,
    CheckoutStarted,
    EntitlementView,
    Me,
    MyData,
    PortalOpened,
    PortalRequest,
    QuantityRequest,
    SubscriptionsView,
)
from api.siblings.routes import service_routes
from api.strict_json import StrictRoute
from languages import Offered
from services.container import Container
from services.sessions.service import Session
from version import VERSION

Language = Annotated[str, Header(description="The language of the texts.", examples=["de"])]
Known = Annotated[str, Header(description="The `ETag` of the catalog that you have.")]
InCart = Annotated[str, Path(min_length=1, max_length=255, description="The price of an item.")]


def json_api(container: Container) -> FastAPI:
    """Return the app to mount at `/api`."""
    app = FastAPI(
        title="Billing API",
        version=VERSION,
        description="Errors are RFC 9457 problem documents. Browsers send their session cookie; state is changed "
        "from our own origin only (`Origin` or `Sec-Fetch-Site` says so). Other services send a token.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        root_path_in_servers=False,
        servers=[{"url": f"{container.settings.public_url}/api"}],
        responses=problem_docs(),
        generate_unique_id_function=operation_id,
    )
    add_error_handlers(app, container.settings.public_url)
    access = Access(container)
    for router in (
        shown_routes(container, access),
        service_routes(container),  # asked most often, so found early
        payment_routes(container, access),
        cart_routes(container, access),
        events_routes(container),
    ):
        app.include_router(router)
    publish(app, container.sessions.cookie_name)
    add_docs(app)
    return app


def operation_id(route: APIRoute) -> str:
    """Return an operation's name as clients that are made from the document call it: `getCatalog`."""
    first, *rest = route.name.split("_")
    return first + "".join(word.title() for word in rest)


def shown_routes(container: Container, access: Access) -> APIRouter:
    """What can be read: the catalog, who is signed in, what they have and are entitled to."""
    router = APIRouter(route_class=StrictRoute)
    signed_in = Depends(access.session)
    languages = Offered.by(container.settings.languages, container.settings.default_language)

    @router.get(
        "/catalog", tags=["catalog"], response_model=CatalogView,
        responses=problem_docs(422)
        | {304: {"description": "The catalog is the one whose `ETag` was sent as `If-None-Match`."}},
    )  # fmt: skip
    async def get_catalog(
        response: Response, accept_language: Language = "", if_none_match: Known = ""
    ) -> CatalogView | Response:
        """Everything that is sold: plans in display order, then items. Amounts are minor units.

        Texts are in the language of `Accept-Language`. Ask again with `If-None-Match`.
        """
        catalog = container.catalog
        locale = languages.choose(None, accept_language)
        headers = {
            "ETag": f'"{catalog.version}-{locale}"', "Vary": "Accept-Language",
            "Cache-Control": "no-cache", "Content-Language": locale,
        }  # fmt: skip
        if headers["ETag"] in if_none_match:
            return Response(status_code=304, headers=headers)
        response.headers.update(headers)
        return CatalogView.sold(catalog, locale)

    @router.get("/me", tags=["account"], responses=problem_docs(401), openapi_extra=SIGNED_IN)
    async def get_me(session: Annotated[Session, signed_in]) -> Me:
        """Who is signed in."""
        return Me.of(session)

    @router.get("/me/data", tags=["account"], responses=problem_docs(401), openapi_extra=SIGNED_IN)
    async def get_my_data(response: Response, session: Annotated[Session, signed_in]) -> MyData:
        """All that is kept of the signed-in user, as a file. docs/privacy.md says what each kind is for."""
        await container.limits.hit(container.policies.status, container.refresher.customer_of(session))
        response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
        return MyData.model_validate(await container.own_data.export(session))

    @router.get("/payment/subscriptions", tags=["payment"], responses=problem_docs(401), openapi_extra=SIGNED_IN)
    async def get_subscriptions(session: Annotated[Session, signed_in]) -> SubscriptionsView:
        """What the signed-in user has, asked of both services; an answer younger than a second is shared."""
        customer = container.refresher.customer_of(session)
        await container.limits.hit(container.policies.status, customer)
        customer_status = await container.refresher.ask(session, "shown")
        customer_status = await container.refresher.remembered(customer) or customer_status
        container.metrics.observe_age((datetime.now(UTC) - customer_status.as_of).total_seconds())
        return SubscriptionsView.of(customer_status, container.catalog, datetime.now(UTC))

    @router.get("/entitlements", tags=["entitlements"], responses=problem_docs(401), openapi_extra=SIGNED_IN)
    async def get_entitlements(session: Annotated[Session, signed_in]) -> EntitlementView:
        """What the signed-in user is entitled to, signed for sibling services and valid for a minute."""
        await container.limits.hit(container.policies.status, container.refresher.customer_of(session))
        entitlement = await container.entitlements.of(session)
        signed = container.entitlements.sign(session.user.user_id, entitlement)
        return EntitlementView(**entitlement.model_dump(), token=signed.token, expires_at=signed.expires_at)

    return router


def payment_routes(container: Container, access: Access) -> APIRouter:
    """What starts at Stripe: checkouts of a plan, an item or the cart, and the portal."""
    router = APIRouter(prefix="/payment", route_class=StrictRoute, tags=["payment"])
    signed_in = Depends(access.session)

    @router.post("/checkout", responses=problem_docs(401, 404, 409, 502, 504, changes=True), openapi_extra=SIGNED_IN)
    async def create_checkout(
        request: Request, wanted: CheckoutRequest, session: Annotated[Session, signed_in]
    ) -> CheckoutStarted:
        """Start a checkout of one plan or item, or get the open one again. `success_url` and `cancel_url` are ours.

        To start a new one instead, name the open one's `checkout_id` in `instead_of`, once the user was asked: if its
        page is still open, they must not pay there too. Where another one may be paid, or may have been, the answer is
        a 409 with its `checkout_id`.
        """
        await access.count_press(request, session)
        purchase = wanted.purchase(container.catalog)
        return CheckoutStarted.of(await container.checkout.start(session, purchase, locale=wanted.locale or ""))

    @router.post("/cart", responses=problem_docs(401, 404, 409, 502, 504, changes=True), openapi_extra=SIGNED_IN)
    async def create_cart_checkout(
        request: Request,
        session: Annotated[Session, signed_in],
        wanted: Annotated[CartCheckoutRequest, Body(default_factory=CartCheckoutRequest)],
    ) -> CheckoutStarted:
        """Start a checkout of the user's cart, or get the open one of the same cart again; else as for a plan."""
        await access.count_press(request, session)
        cart = await container.cart.read(await access.cart_owner(request, Response()))
        purchase = wanted.purchase(cart)
        return CheckoutStarted.of(await container.checkout.start(session, purchase, locale=wanted.locale or ""))

    @router.post("/portal", responses=problem_docs(401, 404, 502, 504, changes=True), openapi_extra=SIGNED_IN)
    async def create_portal_session(
        request: Request,
        session: Annotated[Session, signed_in],
        wanted: Annotated[PortalRequest, Body(default_factory=PortalRequest)],
    ) -> PortalOpened:
        """Open Stripe's customer portal, or one page of it; the user comes back to `return_to` on this site."""
        await access.count_press(request, session)
        url = await container.portal.open(session, wanted.return_to, wanted.way, locale=wanted.locale or "")
        return PortalOpened(portal_url=url)

    return router


def cart_routes(container: Container, access: Access) -> APIRouter:
    """The cart of whoever asks: a visitor's, or a user's."""
    router = APIRouter(prefix="/cart", route_class=StrictRoute, tags=["cart"])
    owner = Depends(access.cart_owner)

    @router.get("", openapi_extra=VISITOR_OR_USER)
    async def get_cart(whose: Annotated[str, owner]) -> CartView:
        """What the cart holds."""
        return CartView.of(await container.cart.read(whose))

    @router.put("/{price_id}", responses=problem_docs(404, changes=True), openapi_extra=VISITOR_OR_USER)
    async def set_cart_item(
        request: Request, price_id: InCart, wanted: QuantityRequest, whose: Annotated[str, owner]
    ) -> CartView:
        """Make the cart hold that many of an item."""
        await container.limits.hit(container.policies.carts_by_address, client_address(request))
        return CartView.of(await container.cart.set_quantity(whose, price_id, wanted.quantity))

    @router.delete("/{price_id}", responses=problem_docs(404, changes=True), openapi_extra=VISITOR_OR_USER)
    async def remove_cart_item(request: Request, price_id: InCart, whose: Annotated[str, owner]) -> CartView:
        """Take an item out of the cart."""
        await container.limits.hit(container.policies.carts_by_address, client_address(request))
        return CartView.of(await container.cart.remove(whose, price_id))

    @router.delete("", responses=problem_docs(changes=True), openapi_extra=VISITOR_OR_USER)
    async def clear_cart(request: Request, whose: Annotated[str, owner]) -> CartView:
        """Empty the cart."""
        await container.limits.hit(container.policies.carts_by_address, client_address(request))
        await container.cart.clear(whose)
        return CartView.of(await container.cart.read(whose))

    return router
