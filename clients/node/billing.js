/**
 * What a user may do, for Node services beside the billing front end. One file: copy it with `billing.d.ts`.
 *
 * Needs `jose`, and `standardwebhooks` for events. A token is verified offline against the published keys, which are
 * kept; by a user's id the billing front end is asked once a minute and user. While it is gone the last answer counts
 * until it ends, and `failOpenFor` seconds longer: by default not at all.
 */
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { Webhook } from "standardwebhooks";

/** Seconds for which keys are kept, and at least between two questions: an unknown key is asked for at once. */
const KEYS_KEPT_FOR = 300;
const KEYS_ASKED_EVERY = 10;
/** Seconds for which nobody is asked after a failure: who waits for a front end that hangs, waits once. */
const RESTS_FOR = 2;
/** Seconds that clocks may be apart. */
const LEEWAY = 10;
const MOST_KEPT = 10_000;

class BillingError extends Error {
  constructor(message, statusCode) {
    super(message);
    this.name = new.target.name;
    this.statusCode = statusCode; // for Fastify
    this.status = statusCode; // for Express
  }
}

/** The token or the event is not one to believe: forged, over, for somebody else, or of an unknown key. */
export class Refused extends BillingError {
  constructor(why) {
    super(why, 401);
  }
}

/** The billing front end can't be asked, and nothing that is known still counts. */
export class Unavailable extends BillingError {
  constructor(why) {
    super(why, 503);
  }
}

/** The user lacks a feature. */
export class NotEntitled extends BillingError {
  constructor(feature) {
    super(`This needs ${feature}.`, 403);
    this.feature = feature;
  }
}

/** What one user may do. `stale`: billing could not ask its services, so this is memory of `asOf`. */
export class Rights {
  constructor(claims) {
    this.userId = claims.sub;
    this.features = claims.features;
    this.expiresAt = claims.exp;
    this.plan = claims.plan ?? null;
    this.state = claims.state ?? "";
    this.asOf = claims.as_of ?? "";
    this.stale = Boolean(claims.stale);
    this.claims = claims;
  }

  /** Whether the user has a feature; one that billing does not know nobody has. */
  has(feature) {
    return Boolean(this.#value(feature));
  }

  /** How much of a feature the user may have: Infinity without a limit, 0 for what billing does not know. */
  limit(feature) {
    const value = this.#value(feature);
    if (value === "unlimited") return Infinity;
    return typeof value === "number" ? Math.trunc(value) : Number(value === true);
  }

  #value(feature) {
    return Object.hasOwn(this.features, feature) ? this.features[feature] : undefined;
  }
}

/**
 * The billing front end at `url`. `issuer` is its PUBLIC_URL, where it is asked at another address; `audience` is what
 * its ENTITLEMENTS_AUDIENCE names, by default the issuer.
 */
export class Billing {
  #url;
  #issuer;
  #audience;
  #headers;
  #failOpenFor;
  #timeout;
  #fetch;
  #now;
  #keys = null;
  #keysAt = -Infinity;
  #keysOnTheirWay = null;
  #restsUntil = -Infinity;
  #known = new Map();
  #asking = new Map();

  constructor({ url, issuer, audience, serviceToken, failOpenFor = 0, timeout = 6, fetch = globalThis.fetch, now }) {
    this.#url = url.replace(/\/+$/, "");
    this.#issuer = issuer ?? this.#url;
    this.#audience = audience ?? this.#issuer;
    this.#headers = serviceToken ? { authorization: `Bearer ${serviceToken}` } : {};
    this.#failOpenFor = failOpenFor;
    this.#timeout = timeout;
    this.#fetch = fetch;
    this.#now = now ?? (() => Date.now() / 1000);
  }

  /** What a token says. Throws Refused, and Unavailable while there are no keys to verify it with. */
  async verify(token) {
    const keys = await this.#keysFor(token);
    try {
      const { payload } = await jwtVerify(token, keys.find, {
        algorithms: ["ES256"],
        issuer: this.#issuer,
        audience: this.#audience,
        clockTolerance: LEEWAY,
        currentDate: new Date(this.#now() * 1000),
        requiredClaims: ["sub", "iat", "exp"],
      });
      if (payload.iat > this.#now() + LEEWAY) throw new Refused("issued in the future");
      if (typeof payload.features !== "object" || payload.features === null) throw new Refused("no features");
      return new Rights(payload);
    } catch (error) {
      throw error instanceof Refused ? error : new Refused(error.code ?? error.name);
    }
  }

  /** What a user may do, asked by id with the service token. Throws Unavailable, and Refused. */
  async of(userId) {
    const known = this.#known.get(userId);
    if (known && this.#now() < known.expiresAt) return known;
    try {
      return await (this.#asking.get(userId) ?? this.#askFor(userId));
    } catch (error) {
      if (!(error instanceof Unavailable) || !known) throw error;
      if (this.#now() < known.expiresAt + this.#failOpenFor) return known;
      throw error;
    }
  }

  /** Ask anew at the next question: an event said that something changed. */
  forget(userId) {
    this.#known.delete(userId);
    this.#asking.delete(userId); // an answer that is on its way may be older than the change
  }

  /** What a user may do if they have a feature; nobody (an empty id) has none. Throws NotEntitled, and what `of` throws. */
  async require(userId, feature) {
    const rights = userId ? await this.of(userId) : null;
    if (!rights?.has(feature)) throw new NotEntitled(feature);
    return rights;
  }

  /**
   * A middleware of Express, and a hook (`preHandler`) of Fastify: 403 without the feature, 503 where nobody can say.
   * `userId(request)` says who asks; what they may do is `request.rights` from there on.
   */
  requires(feature, userId) {
    return (request, response, next) => {
      Promise.resolve()
        .then(() => userId(request))
        .then((id) => this.require(String(id ?? ""), feature))
        .then(
          (rights) => {
            request.rights = rights;
            next();
          },
          (error) => {
            if (error instanceof NotEntitled) answer(response, 403, error.message);
            else if (error instanceof BillingError) answer(response, 503, "What you may do can't be checked right now.");
            else next(error);
          },
        );
    };
  }

  /** A middleware for billing's events, behind whatever leaves the body as bytes: it becomes `request.event`. */
  events(secret) {
    new Webhook(secret); // a secret that is none stops the start
    return (request, response, next) => {
      try {
        request.event = this.event(secret, request.body, request.headers);
      } catch (error) {
        return error instanceof Refused ? answer(response, 401, "Not signed by billing.") : next(error);
      }
      next();
    };
  }

  /** A verified event; what was known of its user is forgotten. Throws Refused. */
  event(secret, body, headers) {
    const webhook = new Webhook(secret);
    let found;
    try {
      found = webhook.verify(textOf(body), headers);
    } catch (error) {
      throw error instanceof TypeError ? error : new Refused(error.name);
    }
    this.forget(String(found?.data?.user_id ?? ""));
    return found;
  }

  /** Whoever asks about a user meanwhile waits for the same answer. */
  #askFor(userId) {
    const asking = this.#ask(userId).then(
      (rights) => {
        if (this.#asking.get(userId) === asking) {
          this.#asking.delete(userId);
          this.#keep(userId, rights);
        }
        return rights;
      },
      (error) => {
        if (this.#asking.get(userId) === asking) this.#asking.delete(userId);
        throw error;
      },
    );
    this.#asking.set(userId, asking);
    return asking;
  }

  async #ask(userId) {
    if (this.#now() < this.#restsUntil) throw new Unavailable("asked a moment ago");
    const { token } = await this.#get(`/api/entitlements/${encodeURIComponent(userId)}`, this.#headers);
    const rights = await this.verify(token);
    if (rights.userId !== userId) throw new Refused("of another user");
    return rights;
  }

  #keep(userId, rights) {
    this.#known.delete(userId);
    if (this.#known.size >= MOST_KEPT) this.#known.delete(this.#known.keys().next().value);
    this.#known.set(userId, rights);
  }

  async #get(path, headers = {}) {
    let response;
    try {
      const signal = AbortSignal.timeout(this.#timeout * 1000);
      response = await this.#fetch(this.#url + path, { headers, signal, redirect: "error" });
      if (response.ok) return await response.json();
    } catch {
      response = null;
    }
    if (!response || response.status >= 500) this.#restsUntil = this.#now() + RESTS_FOR;
    throw new Unavailable(response ? `answered ${response.status}` : "not reached");
  }

  /** The keys, asked for anew where they are old or lack the token's; old ones that have it are not waited for. */
  async #keysFor(token) {
    let kid;
    try {
      kid = decodeProtectedHeader(token).kid;
    } catch {
      throw new Refused("no token");
    }
    if (!kid) throw new Refused("no key named");
    const known = this.#keys?.ids.has(kid) ?? false;
    const age = this.#now() - this.#keysAt;
    if (age > (known ? KEYS_KEPT_FOR : KEYS_ASKED_EVERY) || (!known && this.#keysOnTheirWay)) {
      this.#keysOnTheirWay ??= this.#askForKeys().finally(() => (this.#keysOnTheirWay = null));
      if (!known) await this.#keysOnTheirWay;
    }
    if (!this.#keys) throw new Unavailable("no keys");
    return this.#keys;
  }

  async #askForKeys() {
    this.#keysAt = this.#now();
    try {
      const set = await this.#get("/.well-known/jwks.json");
      this.#keys = { find: createLocalJWKSet(set), ids: new Set(set.keys.map((key) => key.kid)) };
    } catch {
      // the old keys count on
    }
  }
}

function textOf(body) {
  if (typeof body === "string") return body;
  if (body === undefined || body === null) return ""; // none was sent
  if (!(body instanceof Uint8Array)) throw new TypeError('the body is parsed already: put express.raw({ type: "*/*" }) before');
  return Buffer.from(body).toString();
}

function answer(response, status, detail) {
  const sent = { detail };
  if (typeof response.code === "function") response.code(status).send(sent); // Fastify
  else response.status(status).json(sent);
}
