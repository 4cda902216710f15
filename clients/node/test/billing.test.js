// What every client must do, by the vectors that all of them share; then what Express and Fastify make of it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import express from "express";
import fastify from "fastify";
import { Billing, NotEntitled, Refused, Unavailable } from "../billing.js";

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors.json", import.meta.url)));
const GOOD = VECTORS.tokens.find((one) => one.name === "good").token;
const UNKNOWN = VECTORS.tokens.find((one) => one.name === "unknown kid").token;
const KEYS = "/.well-known/jwks.json";

/** Answers with the vectors' keys and good token, is gone, or lets whoever asks wait. */
class FrontEnd {
  gone = false;
  status = 200;
  now = VECTORS.now;
  asked = [];
  open = Promise.resolve();

  fetch = async (url, { headers }) => {
    const { pathname } = new URL(url);
    this.asked.push(pathname);
    await this.open;
    if (this.gone) throw new TypeError("fetch failed");
    if (pathname === KEYS) return Response.json(VECTORS.keys);
    assert.equal(headers.authorization, "Bearer bst_1");
    return Response.json({ token: GOOD }, { status: this.status });
  };

  billing(more = {}) {
    return new Billing({ url: VECTORS.issuer, serviceToken: "bst_1", fetch: this.fetch, now: () => this.now, ...more });
  }
}

for (const { name, token, good } of VECTORS.tokens) {
  test(`a token is ${good ? "taken" : "refused"}: ${name}`, async () => {
    const verified = new FrontEnd().billing().verify(token);
    if (good) assert.equal((await verified).userId, "usr_1");
    else await assert.rejects(verified, Refused);
  });
}

for (const { name, headers, body, good } of VECTORS.webhooks.posts) {
  test(`a webhook is ${good ? "taken" : "refused"}: ${name}`, (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: VECTORS.now * 1000 });
    const billing = new FrontEnd().billing();
    const verified = () => billing.event(VECTORS.webhooks.secret, Buffer.from(body), headers);
    if (good) assert.equal(verified().data.user_id, "usr_1");
    else assert.throws(verified, Refused);
  });
}

test("features are what they say", async () => {
  const rights = await new FrontEnd().billing().verify(GOOD);
  for (const [name, has] of Object.entries(VECTORS.features.has)) assert.equal(rights.has(name), has, name);
  for (const [name, most] of Object.entries(VECTORS.features.limit)) {
    assert.equal(rights.limit(name), most ?? Infinity, name);
  }
  assert.equal(rights.has("constructor"), false);
});

test("an answer is kept until it ends, and keys longer", async () => {
  const frontEnd = new FrontEnd();
  const billing = frontEnd.billing();
  for (let i = 0; i < 3; i++) await billing.of("usr_1");
  assert.deepEqual(frontEnd.asked, ["/api/entitlements/usr_1", KEYS]);
  billing.forget("usr_1");
  await billing.of("usr_1");
  assert.deepEqual(frontEnd.asked.slice(2), ["/api/entitlements/usr_1"]);
});

test("who asks meanwhile waits for the same answer", async () => {
  const frontEnd = new FrontEnd();
  const billing = frontEnd.billing();
  await Promise.all([billing.of("usr_1"), billing.of("usr_1"), billing.of("usr_1")]);
  assert.deepEqual(frontEnd.asked, ["/api/entitlements/usr_1", KEYS]);
});

test("an answer that an event overtook is not kept", async () => {
  const frontEnd = new FrontEnd();
  let openDoor;
  frontEnd.open = new Promise((resolve) => (openDoor = resolve));
  const billing = frontEnd.billing();
  const early = billing.of("usr_1");
  billing.forget("usr_1");
  openDoor();
  await early;
  await billing.of("usr_1");
  assert.equal(frontEnd.asked.filter((path) => path !== KEYS).length, 2);
});

for (const [failOpenFor, after, counts] of [[0, 54, true], [0, 56, false], [60, 110, true], [60, 116, false]]) {
  test(`while billing is gone the stated policy holds: ${failOpenFor} s, after ${after} s`, async () => {
    const frontEnd = new FrontEnd();
    const billing = frontEnd.billing({ failOpenFor });
    await billing.of("usr_1");
    frontEnd.gone = true;
    frontEnd.now += after;
    const required = billing.require("usr_1", "exports");
    if (counts) assert.equal((await required).plan, "premium");
    else await assert.rejects(required, Unavailable);
  });
}

test("a front end that fails is not asked again at once", async () => {
  const frontEnd = new FrontEnd();
  const billing = frontEnd.billing();
  frontEnd.status = 503;
  await assert.rejects(billing.of("usr_1"), Unavailable);
  frontEnd.status = 200;
  await assert.rejects(billing.of("usr_1"), Unavailable);
  frontEnd.now += 3;
  assert.equal((await billing.of("usr_1")).userId, "usr_1");
  assert.equal(frontEnd.asked.filter((path) => path !== KEYS).length, 2);
});

test("billing may be asked at another address than its public one", async () => {
  const billing = new FrontEnd().billing({ url: "http://billing:8081", issuer: VECTORS.issuer });
  assert.equal((await billing.of("usr_1")).plan, "premium");
});

/** The 99th percentile of so many calls, in microseconds. */
async function p99(called, times) {
  const took = [];
  for (let i = 0; i < times; i++) {
    const began = process.hrtime.bigint();
    await called();
    took.push(Number(process.hrtime.bigint() - began) / 1000);
  }
  return took.sort((a, b) => a - b)[Math.ceil(0.99 * times) - 1];
}

test("a check of what is known takes no millisecond", async (t) => {
  const billing = new FrontEnd().billing();
  await billing.of("usr_1");
  const nothing = async () => {};
  const required = () => billing.require("usr_1", "exports");
  for (const called of [nothing, required]) await p99(called, 20_000); // until they are compiled
  const empty = await p99(nothing, 20_000);
  const check = await p99(required, 20_000);
  const before = process.cpuUsage();
  for (let i = 0; i < 1000; i++) await billing.verify(GOOD);
  const { user, system } = process.cpuUsage(before);
  t.diagnostic(`in microseconds: ${JSON.stringify({ empty, check, verify: (user + system) / 1000 })}`);
  assert.ok(check < 1000, `${check} µs`);
});

test("another user's answer is not believed", async () => {
  await assert.rejects(new FrontEnd().billing().of("usr_2"), Refused);
});

test("who lacks a feature is refused, and who is nobody", async () => {
  const frontEnd = new FrontEnd();
  await assert.rejects(frontEnd.billing().require("usr_1", "audit_log"), NotEntitled);
  await assert.rejects(frontEnd.billing().require("", "exports"), NotEntitled);
});

test("unknown keys are asked for at most each ten seconds", async () => {
  const frontEnd = new FrontEnd();
  const billing = frontEnd.billing();
  for (let i = 0; i < 5; i++) await assert.rejects(billing.verify(UNKNOWN), Refused);
  assert.deepEqual(frontEnd.asked, [KEYS]);
  frontEnd.now += 11;
  await assert.rejects(billing.verify(UNKNOWN), Refused);
  assert.deepEqual(frontEnd.asked, [KEYS, KEYS]);
});

test("old keys count on while billing is gone", async () => {
  const frontEnd = new FrontEnd();
  const billing = frontEnd.billing();
  frontEnd.now -= 350;
  await assert.rejects(billing.verify(UNKNOWN), Refused);
  frontEnd.gone = true;
  frontEnd.now += 350;
  assert.equal((await billing.verify(GOOD)).userId, "usr_1");
  assert.deepEqual(frontEnd.asked, [KEYS, KEYS]);
});

test("a secret that is none is noticed at the start", () => {
  for (const secret of [undefined, "", "whsec_"]) assert.throws(() => new FrontEnd().billing().events(secret));
});

test("a webhook without a body is refused, and one that was parsed before is a mistake", () => {
  const billing = new FrontEnd().billing();
  const { headers } = VECTORS.webhooks.posts[0];
  assert.throws(() => billing.event(VECTORS.webhooks.secret, undefined, headers), Refused);
  assert.throws(() => billing.event(VECTORS.webhooks.secret, { type: "x" }, headers), TypeError);
});

const userId = (request) => request.headers["x-user-id"];

/** Calls a guarded server: what it answers a user with the feature, one without it, nobody, and while billing is gone. */
async function walk(base, frontEnd, billing) {
  const ask = async (path, who) => {
    const response = await fetch(base + path, { headers: who ? { "x-user-id": who } : {} });
    return [response.status, await response.json()];
  };
  assert.deepEqual(await ask("/exports", "usr_1"), [200, { user: "usr_1" }]);
  assert.deepEqual(await ask("/audit", "usr_1"), [403, { detail: "This needs audit_log." }]);
  assert.deepEqual(await ask("/exports"), [403, { detail: "This needs exports." }]);
  frontEnd.gone = true;
  billing.forget("usr_1");
  assert.deepEqual(await ask("/exports", "usr_1"), [503, { detail: "What you may do can't be checked right now." }]);
  const forged = await fetch(`${base}/hooks`, { method: "POST", body: "{}", headers: { "content-type": "text/plain" } });
  assert.deepEqual([forged.status, await forged.json()], [401, { detail: "Not signed by billing." }]);
}

test("it guards an Express app", async () => {
  const frontEnd = new FrontEnd();
  const billing = frontEnd.billing();
  const app = express();
  app.get("/exports", billing.requires("exports", userId), (req, res) => res.json({ user: req.rights.userId }));
  app.get("/audit", billing.requires("audit_log", userId), (req, res) => res.json({}));
  app.post("/hooks", express.raw({ type: "*/*" }), billing.events("whsec_AAAA"), (req, res) => res.sendStatus(204));
  const server = app.listen(0);
  await once(server, "listening");
  try {
    await walk(`http://localhost:${server.address().port}`, frontEnd, billing);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("it guards a Fastify app", async () => {
  const frontEnd = new FrontEnd();
  const billing = frontEnd.billing();
  const app = fastify();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body, done) => done(null, body));
  app.get("/exports", { preHandler: billing.requires("exports", userId) }, (req) => ({ user: req.rights.userId }));
  app.get("/audit", { preHandler: billing.requires("audit_log", userId) }, () => ({}));
  app.removeContentTypeParser(["text/plain", "application/json"]);
  app.post("/hooks", { preHandler: billing.events("whsec_AAAA") }, (req, reply) => reply.code(204).send());
  try {
    await walk(await app.listen({ port: 0 }), frontEnd, billing);
  } finally {
    await app.close();
  }
});
