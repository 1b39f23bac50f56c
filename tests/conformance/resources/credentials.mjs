import { randomBytes } from "node:crypto";
import { check, equal, refused, section, test } from "../lib/harness.mjs";
import { fill, OPERATIONS, sharedWithFrontend, specimens } from "../lib/operations.mjs";
import { clientWith, raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("credentials");

const letters = (count) => randomBytes(count).toString("hex").slice(0, count);
const wrongKey = () => `sk_live_${letters(40)}`;

let shared;
const things = () => (shared ??= specimens());

function leaksNothing(exchange, { made, marks }) {
  const leaked = [...marks, ...Object.values(made)].filter((mark) => exchange.text.includes(mark) && !exchange.path.includes(mark));
  equal(leaked, [], "leaked");
}

for (const operation of OPERATIONS) {
  const name = `${operation.method} ${operation.template}`;

  test(`API-1 ${name}: nothing without a key`, async () => {
    const specimen = await things();
    const call = () => raw(operation.method, fill(operation.template, specimen.made), { body: operation.body?.(specimen.made), key: null });
    const expected = "401 authentication_invalid | 401 authorization_header_format_invalid";
    await refused(call, sharedWithFrontend(operation) ? `${expected} | 401 signed_out` : expected);
    leaksNothing(last(), specimen);
  });

  test(`API-1 ${name}: nothing with a wrong key`, async () => {
    const specimen = await things();
    await refused(() => raw(operation.method, fill(operation.template, specimen.made), { body: operation.body?.(specimen.made), key: wrongKey() }), "401 clerk_key_invalid");
    leaksNothing(last(), specimen);
  });
}

test("API-1 refused calls changed nothing", async () => {
  const { made, marks } = await things();
  for (const operation of OPERATIONS.filter(({ method }) => method !== "GET")) {
    const path = fill(operation.template, made);
    await raw(operation.method, path, { body: operation.body?.(made), key: null });
    await raw(operation.method, path, { body: operation.body?.(made), key: wrongKey() });
  }
  const user = await rawOk("GET", `/users/${made.user}`);
  equal([user.first_name, user.public_metadata], ["Ada", {}], "user");
  const organization = await rawOk("GET", `/organizations/${made.organization}`, { query: { include_members_count: true } });
  equal([organization.name, organization.public_metadata, organization.members_count], [marks[1], {}, 1], "organization");
  equal((await rawOk("GET", `/sessions/${made.session}`)).status, "active", "session");
  check((await rawOk("GET", `/enterprise_connections/${made.connection}`)).name !== "Intruder", "connection");
  equal((await rawOk("GET", `/redirect_urls/${made.redirectUrl}`)).id, made.redirectUrl, "redirect URL");
  check(!((await rawOk("GET", "/instance")).allowed_origins ?? []).includes("https://intruder.test"), "allowed_origins");
});

test("API-1 the SDK reports a wrong key", () => refused(() => clientWith(wrongKey()).users.getUserList(), "401 clerk_key_invalid"));

test("API-1 nearly right keys are wrong", async () => {
  const key = server.secretKey;
  const flipped = key.slice(0, -1) + (key.endsWith("a") ? "b" : "a");
  for (const wrong of [`${key}x`, key.slice(0, -1), flipped, key.toUpperCase().replace("SK_LIVE_", "sk_live_"), key.replace("sk_live_", "sk_test_"), "sk_live_"]) {
    if (wrong === key) continue;
    await refused(() => raw("GET", "/users", { key: wrong }), "401 clerk_key_invalid");
  }
});

test("API-1 the header must read Bearer and the key", async () => {
  const bad = "401 authorization_header_format_invalid | 401 authentication_invalid";
  for (const authorization of [server.secretKey, `Basic ${Buffer.from(`${server.secretKey}:`).toString("base64")}`, "Bearer", `Token ${server.secretKey}`]) {
    await refused(() => raw("GET", "/users", { headers: { authorization } }), bad);
    equal(Array.isArray(last().json), false, "users");
  }
});

test("API-1 a key elsewhere than in the header counts for nothing", async () => {
  const absent = "401 authentication_invalid | 401 authorization_header_format_invalid";
  await refused(() => raw("GET", "/users", { key: null, query: { secret_key: server.secretKey, authorization: `Bearer ${server.secretKey}` } }), absent);
  await refused(() => raw("GET", "/users", { key: null, headers: { cookie: `__session=${server.secretKey}`, "clerk-secret-key": server.secretKey } }), absent);
});

test("API-1 a publishable key opens nothing", () =>
  refused(() => raw("GET", "/users", { key: server.publishableKey }), "401 clerk_key_invalid | 401 authentication_invalid | 401 authorization_header_format_invalid"));

test("API-1 a session token opens nothing", async () => {
  const { made } = await things();
  const { jwt } = await rawOk("POST", `/sessions/${made.session}/tokens`, { body: {} });
  await refused(() => raw("GET", "/users", { key: jwt }), "401 clerk_key_invalid | 401 authentication_invalid | 401 authorization_header_format_invalid");
});

test("API-1 a wrong key answers before the resource is looked up", async () => {
  const { made } = await things();
  const key = wrongKey();
  const known = await raw("GET", `/users/${made.user}`, { key });
  const unknownUser = await raw("GET", "/users/user_2nobody", { key });
  const body = (exchange) => exchange.json.errors;
  equal(body(known), body(unknownUser), "answers");
});

test("API-1 a wrong key answers before the body is read", () => refused(() => raw("POST", "/users", { key: wrongKey(), text: "{" }), "401 clerk_key_invalid"));

test("API-1 HEAD and OPTIONS without a key give no data", async () => {
  const specimen = await things();
  for (const method of ["HEAD", "OPTIONS"]) {
    const exchange = await raw(method, `/users/${specimen.made.user}`, { key: null });
    check(method === "OPTIONS" || exchange.status >= 400, `${method}: status ${exchange.status}`);
    leaksNothing(exchange, specimen);
  }
});

test("API-1 _method does not open the Backend API", async () => {
  const { made } = await things();
  await raw("POST", `/users/${made.user}`, { key: null, query: { _method: "DELETE" } });
  await raw("POST", `/organizations/${made.organization}`, { key: null, query: { _method: "DELETE" } });
  equal((await raw("GET", `/users/${made.user}`)).status, 200, "user");
  equal((await raw("GET", `/organizations/${made.organization}`)).status, 200, "organization");
});
