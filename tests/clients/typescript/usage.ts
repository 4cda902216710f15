// What a page of a sibling writes with the generated types: compiled, never run.
import type { components, operations, paths } from "./billing";

type Schemas = components["schemas"];
type Answer<Name extends keyof operations> = operations[Name] extends {
  responses: { 200: { content: { "application/json": infer Body } } };
}
  ? Body
  : never;

const wanted: Schemas["CheckoutRequest"] = { price_id: "price_1", interval: "month" };
// @ts-expect-error: prices are charged by the month or the year
export const refused: Schemas["CheckoutRequest"] = { price_id: "price_1", interval: "week" };

export function cheapest(catalog: Answer<"getCatalog">): Schemas["Price"] | undefined {
  const plans = catalog.plans.filter((plan) => plan.kind === "paid");
  return plans.flatMap((plan) => plan.prices).sort((one, other) => one.amount - other.amount)[0];
}

export function mayExport(entitlement: Answer<"getUserEntitlements">): boolean {
  return !entitlement.stale && entitlement.features["exports"] === true;
}

export function whereTo(answer: Answer<"createCheckout"> | Schemas["Problem"]): string | null | undefined {
  if ("code" in answer) return answer.code === "already_subscribed" ? answer.manage_url : answer.checkout_url;
  return answer.checkout_url;
}

export function headline(had: Answer<"getSubscriptions">): string {
  const { state, until } = had.current;
  return state === "active" && until !== null ? `Paid until ${until}` : state;
}

export const pressed: paths["/payment/checkout"]["post"]["requestBody"]["content"]["application/json"] = wanted;
