// An Express service whose exports are for whoever has `audit_log`.
import express from "express";
import { Billing } from "../billing.js";

const { BILLING_URL, BILLING_TOKEN, BILLING_WEBHOOK_SECRET, PORT } = process.env;
const billing = new Billing({ url: BILLING_URL, serviceToken: BILLING_TOKEN, failOpenFor: 300 });
const app = express();

const userId = (request) => request.get("x-user-id"); // whoever your own sign-in says it is

app.get("/export", billing.requires("audit_log", userId), (request, response) => {
  response.json({ user: request.rights.userId, members: request.rights.limit("members") });
});

app.post("/hooks/billing", express.raw({ type: "*/*" }), billing.events(BILLING_WEBHOOK_SECRET), (_, response) => {
  response.sendStatus(204);
});

app.listen(PORT);
