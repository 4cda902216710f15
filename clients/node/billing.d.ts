export interface BillingOptions {
  /** The address at which the billing front end is asked. */
  url: string;
  /** Its PUBLIC_URL, which its tokens name as their issuer; by default the same address. */
  issuer?: string;
  /** What its ENTITLEMENTS_AUDIENCE names; by default the issuer. */
  audience?: string;
  /** A token of its SERVICE_TOKENS, to ask by a user's id. */
  serviceToken?: string;
  /** Seconds for which the last answer counts after its end, while billing can't be asked; by default not at all. */
  failOpenFor?: number;
  /** Seconds to wait for an answer; 6 by default. */
  timeout?: number;
  fetch?: typeof globalThis.fetch;
  /** The time, in seconds. */
  now?: () => number;
}

export type FeatureValue = boolean | number | string | null;

/** What one user may do. `stale`: billing could not ask its services, so this is memory of `asOf`. */
export class Rights {
  private constructor();
  readonly userId: string;
  readonly features: Readonly<Record<string, FeatureValue>>;
  /** In seconds since 1970. */
  readonly expiresAt: number;
  readonly plan: string | null;
  readonly state: string;
  readonly asOf: string;
  readonly stale: boolean;
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether the user has a feature; one that billing does not know nobody has. */
  has(feature: string): boolean;
  /** How much of a feature the user may have: Infinity without a limit, 0 for what billing does not know. */
  limit(feature: string): number;
}

/** An event of billing's (Standard Webhooks). More types, and more in `data`, may come. */
export interface BillingEvent {
  type: string;
  timestamp: string;
  data: { user_id?: string; [name: string]: unknown };
}

declare global {
  namespace Express {
    /** Behind `requires` and `events`. */
    interface Request {
      rights?: Rights;
      event?: BillingEvent;
    }
  }
}

declare class BillingError extends Error {
  readonly statusCode: number;
  readonly status: number;
}

/** The token or the event is not one to believe: forged, over, for somebody else, or of an unknown key. */
export class Refused extends BillingError {}

/** The billing front end can't be asked, and nothing that is known still counts. */
export class Unavailable extends BillingError {}

/** The user lacks a feature. */
export class NotEntitled extends BillingError {
  readonly feature: string;
}

type Headers = Record<string, string | string[] | undefined>;

/** A middleware of Express, and a hook (`preHandler`) of Fastify. */
type Guard<Request> = (request: Request, response: any, next: (error?: any) => void) => void;

/** The billing front end at `url`. */
export class Billing {
  constructor(options: BillingOptions);
  /** What a token says. Rejects with Refused, and Unavailable while there are no keys to verify it with. */
  verify(token: string): Promise<Rights>;
  /** What a user may do, asked by id with the service token. Rejects with Unavailable, and Refused. */
  of(userId: string): Promise<Rights>;
  /** Ask anew at the next question: an event said that something changed. */
  forget(userId: string): void;
  /** What a user may do if they have a feature; nobody (an empty id) has none. Rejects with NotEntitled, and as `of`. */
  require(userId: string, feature: string): Promise<Rights>;
  /** 403 without the feature, 503 where nobody can say. What the user may do is `request.rights` behind it. */
  requires<Request = any>(
    feature: string,
    userId: (request: Request) => string | null | undefined | Promise<string | null | undefined>,
  ): Guard<Request>;
  /** For the route of billing's events, whose body is left as bytes: `request.event`, or 401. */
  events(secret: string): Guard<any>;
  /** A verified event; what was known of its user is forgotten. Throws Refused. */
  event(secret: string, body: string | Uint8Array, headers: Headers): BillingEvent;
}
