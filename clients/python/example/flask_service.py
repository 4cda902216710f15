"""A Flask service whose exports are for whoever has `audit_log`."""

import os

from billing_entitlements import Billing
from flask import Flask, g, request

billing = Billing(os.environ["BILLING_URL"], service_token=os.environ["BILLING_TOKEN"], fail_open_for=300)
app = Flask(__name__)


def user_id() -> str | None:
    return request.headers.get("x-user-id")  # whoever your own sign-in says it is


@app.get("/export")
@billing.flask_requires("audit_log", user_id)
def export() -> dict[str, object]:
    return {"user": g.rights.user_id, "members": g.rights.limit("members")}


app.post("/hooks/billing")(billing.flask_events(os.environ["BILLING_WEBHOOK_SECRET"]))
