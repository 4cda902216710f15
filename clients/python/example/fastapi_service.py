"""A FastAPI service whose exports are for whoever has `audit_log`."""

import os
from typing import Annotated

from billing_entitlements import Billing, Rights
from fastapi import Depends, FastAPI, Header

billing = Billing(os.environ["BILLING_URL"], service_token=os.environ["BILLING_TOKEN"], fail_open_for=300)
events = billing.events(os.environ["BILLING_WEBHOOK_SECRET"])
app = FastAPI()


def user_id(x_user_id: Annotated[str, Header()] = "") -> str:
    return x_user_id  # whoever your own sign-in says it is


@app.get("/export")
def export(rights: Annotated[Rights, Depends(billing.requires("audit_log", user_id))]) -> dict[str, object]:
    return {"user": rights.user_id, "members": rights.limit("members")}


@app.post("/hooks/billing", status_code=204, dependencies=[Depends(events)])
def told() -> None:
    """What was known of the user is forgotten."""
