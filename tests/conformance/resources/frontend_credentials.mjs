import { check, equal, refused, section, test } from "../lib/harness.mjs";
import { Browser, ok } from "../lib/browser.mjs";
import { fill, OPERATIONS, specimens } from "../lib/frontend_operations.mjs";
import { rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("frontend_credentials");

let shared;
const things = () => (shared ??= specimens());
const call = (browser, { method, path, form }, made, options) => browser.send(method, fill(path, made), { form: form?.() ?? (method === "GET" ? undefined : {}), ...options });

function leaksNothing(exchange, { marks }) {
  equal(marks.filter((mark) => exchange.text.includes(mark)), [], "leaked");
}

/** A browser that has a cookie and never signed in. */
async function stranger() {
  const browser = new Browser();
  ok(await browser.put("/client"));
  return browser;
}

for (const operation of OPERATIONS) {
  const name = `${operation.method} ${operation.path}`;

  test(`Decision 10: ${name}: a page of a foreign origin is refused, whatever cookies it carries`, async () => {
    const specimen = await things();
    for (const origin of ["https://evil.test", "null", `${server.base}.evil.test`, `${server.base}0`]) {
      const foreign = new Browser({ origin });
      foreign.cookies = new Map(specimen.browser.cookies);
      await refused(() => call(foreign, operation, specimen.made), "400 origin_invalid");
      equal(last().headers.get("access-control-allow-origin"), null, "Access-Control-Allow-Origin");
      leaksNothing(last(), specimen);
    }
  });

  if (operation.open) {
    test(`DEC-29 ${name}: a browser without cookie learns nothing of another`, async () => {
      const specimen = await things();
      ok(await call(new Browser(), operation, specimen.made));
      leaksNothing(last(), specimen);
    });
  } else {
    test(`DEC-29 ${name}: nothing without cookie, with a wrong one, or with another browser's`, async () => {
      const specimen = await things();
      await refused(() => call(new Browser(), operation, specimen.made), "401 signed_out");
      leaksNothing(last(), specimen);
      const [, value] = [...specimen.browser.cookies].find(([cookie]) => cookie === "__client");
      // A nearly right secret, the id alone, and no secret at all.
      for (const wrong of [`${value}x`, value.slice(0, -1), value.split(".")[0], `${value.split(".")[0]}.`, "", "x.y"]) {
        const browser = new Browser();
        browser.cookies.set("__client", wrong);
        await refused(() => call(browser, operation, specimen.made), "401 signed_out");
        leaksNothing(last(), specimen);
      }
      const other = await stranger();
      other.sessionId = specimen.made.session;
      const isItsOwn = operation.method === "DELETE" && operation.path === "/client/sessions";
      if (isItsOwn) ok(await call(other, operation, specimen.made));
      else await refused(() => call(other, operation, specimen.made), operation.path.startsWith("/client/") ? "404 resource_not_found" : "401 signed_out");
      leaksNothing(last(), specimen);
    });
  }

  if (operation.text) {
    test(`ERR ${name}: a malformed body is refused`, async () => {
      const { browser, made } = await things();
      const send = (options) => browser.send(operation.method, fill(operation.path, made), options);
      const json = { "content-type": "application/json" };
      for (const text of ["{", "[]", "nonsense"]) await refused(() => send({ text, headers: json }), "400 request_body_invalid");
      for (const type of ["text/plain", "multipart/form-data; boundary=x"]) await refused(() => send({ text: "x=y", headers: { "content-type": type } }), "415 unsupported_content_type");
      await refused(() => send({ form: { [operation.text]: "x".repeat(1024 * 1024) } }), "413 request_body_too_large");
    });

    test(`ERR ${name}: a text with control characters, or too long a one, is refused by its name`, async () => {
      const { browser, made } = await things();
      const send = (value) => call(browser, { ...operation, form: () => ({ [operation.text]: value }) }, made);
      await refused(() => send("a\u0000b"), "422 form_param_value_invalid", { param: operation.text });
      await refused(() => send("x".repeat(1025)), "422 form_param_max_length_exceeded", { param: operation.text });
    });
  }
}

test("Decision 10: a mutation from another site that hides its origin is refused", async () => {
  const { browser, made } = await things();
  const cookie = [...browser.cookies].map((pair) => pair.join("=")).join("; ");
  for (const site of ["cross-site", "same-site"]) {
    const headers = { cookie, "sec-fetch-site": site, "content-type": "application/x-www-form-urlencoded" };
    await refused(() => fetch(`${server.base}/v1/client/sessions/${made.session}/end`, { method: "POST", headers }), "400 origin_invalid");
  }
});

test("API-5 a session token is no credential of a browser", async () => {
  const { browser, made } = await things();
  const { jwt } = ok(await browser.post(`/client/sessions/${made.session}/tokens`));
  const other = new Browser();
  for (const name of ["__session", "__client"]) other.cookies.set(name, jwt);
  await refused(() => other.get("/me", { headers: { authorization: `Bearer ${jwt}` } }), "401 signed_out");
  await refused(() => other.get("/me"), "401 signed_out");
});

test("a proxy is believed only with the secret key", async () => {
  const browser = new Browser();
  const proxied = (key) => browser.get("/client", { headers: { "clerk-proxy-url": "https://app.test/__clerk", ...(key && { "clerk-secret-key": key }) } });
  await refused(() => proxied(), "400 proxy_request_missing_secret_key");
  await refused(() => proxied("sk_live_wrongwrongwrongwrongwrongwrongwrongw"), "401 proxy_request_invalid_secret_key");
  ok(await proxied(server.secretKey));
});

test("DEC-29 refused calls changed nothing", async () => {
  const { browser, idp, who, made } = await things();
  equal((await rawOk("GET", `/sessions/${made.session}`)).status, "active", "session");
  const { response: client } = ok(await browser.get("/client"));
  equal([client.last_active_session_id, client.sign_in?.id, client.sign_up?.id], [made.session, made.signIn, made.signUp], "client");
  equal([client.sign_in.first_factor_verification, client.sign_up.first_name], [null, null], "attempts");
  equal(client.sessions[0].last_active_organization_id, made.organization, "organization");
  const { data } = await rawOk("GET", `/organizations/${made.organization}/memberships`);
  check(data.some((member) => member.public_user_data.identifier === who.email), `${who.email} is no member of ${idp.domain}`);
});
