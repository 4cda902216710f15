// Compiled, not run: what a service written in TypeScript says, and what the types forbid it.
import { Billing, NotEntitled, type BillingEvent, type Rights } from "../billing.js";

const billing = new Billing({ url: "https://billing.example.com", serviceToken: "bst_1", failOpenFor: 300 });

export async function mayExport(userId: string): Promise<number> {
  const rights: Rights = await billing.require(userId, "exports");
  return rights.has("exports") ? rights.limit("projects") : 0;
}

interface SignedIn {
  session: { userId: string };
}

export const guard = billing.requires("exports", (request: SignedIn) => request.session.userId);
export const told: BillingEvent = billing.event("whsec_AAAA", new Uint8Array(), { "webhook-id": "msg_1" });
export const needs = (error: unknown): string => (error instanceof NotEntitled ? error.feature : "");

export const behind = (request: Express.Request): number => request.rights?.limit("projects") ?? 0;

// @ts-expect-error: without an address there is nobody to ask
new Billing({ serviceToken: "bst_1" });
// @ts-expect-error: what a user may do comes from billing alone
billing.of("usr_1").then((rights) => (rights.plan = "premium"));
