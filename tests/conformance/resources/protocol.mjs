import http from "node:http";
import { check, equal, matches, refused, section, test } from "../lib/harness.mjs";
import { newOrganization, newUser, unique } from "../lib/fixtures.mjs";
import { fill, LISTS, OPERATIONS, specimens } from "../lib/operations.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("protocol");

let shared;
const things = () => (shared ??= specimens());
const BAD_BODY = "400 request_body_invalid";
const BAD_NUMBER = "422 form_param_value_invalid | 422 form_param_value_too_large | 422 form_param_type_invalid | 422 form_param_format_invalid";

// --- errors

test("ERR an error has a message, a long message, a code and a trace id", async () => {
  const { json, contentType } = await raw("GET", "/users/user_2nobody");
  const [error] = json.errors;
  equal([error.code, contentType], ["resource_not_found", "application/json"], "code and content type");
  for (const field of ["message", "long_message"]) matches(error[field], /\S/, field);
  matches(json.clerk_trace_id, /^[0-9A-Za-z_-]{16,}$/, "clerk_trace_id");
});

test("ERR every answer has its own trace id", async () => {
  const [one, two] = [await raw("GET", "/users/user_2nobody"), await raw("GET", "/users/user_2nobody")];
  check(one.json.clerk_trace_id !== two.json.clerk_trace_id, "the same trace id twice");
});

test("ERR the SDK reads code, message and trace id", async () => {
  try {
    await server.clerk.users.getUser("user_2nobody");
  } catch (error) {
    equal([error.status, error.errors[0].code, typeof error.clerkTraceId], [404, "resource_not_found", "string"], "error");
    return;
  }
  check(false, "no error");
});

test("ERR an unknown route is not found", async () => {
  for (const path of ["/no_such_thing", "/users/a/b/c/d", "/", "/organizationz"]) {
    await refused(() => raw("GET", path), "404 resource_not_found");
  }
  await refused(() => raw("POST", "/no_such_thing", { body: {} }), "404 resource_not_found");
});

test("ERR an unknown method of a known route is refused in the envelope", async () => {
  for (const [method, path] of [["DELETE", "/users"], ["PUT", "/users"], ["POST", "/jwks"], ["PUT", "/enterprise_connections"]]) {
    await refused(() => raw(method, path, { body: {} }), "404 resource_not_found | 405 *");
  }
});

// --- bodies

const BODIES = OPERATIONS.filter((operation) => operation.body && operation.method !== "GET");

for (const operation of BODIES) {
  test(`ERR ${operation.method} ${operation.template}: malformed JSON is refused`, async () => {
    const { made } = await things();
    for (const text of ["{", '{"name": }', "nonsense", '{"a":1} trailing']) {
      await refused(() => raw(operation.method, fill(operation.template, made), { text }), BAD_BODY);
    }
  });
}

test("ERR a body that is no object is refused", async () => {
  for (const text of ["[]", "7", '"text"', "true"]) {
    await refused(() => raw("POST", "/organizations", { text }), `${BAD_BODY} | 422 *`);
  }
});

test("ERR a body that is no UTF-8 is refused", async () => {
  const response = await fetch(`${server.base}/v1/organizations`, {
    method: "POST",
    headers: { authorization: `Bearer ${server.secretKey}`, "content-type": "application/json" },
    body: Buffer.from([...Buffer.from('{"name":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
  });
  check(response.status === 400 || response.status === 422, `status ${response.status}`);
});

test("ERR strange text never breaks the server", async () => {
  for (const name of ["nul \u0000 inside", "\ud800 lone surrogate", "\u202Ertl", "a\r\nb", "🚀".repeat(50), "' OR 1=1 --", "${jndi:ldap://x}"]) {
    const { status, json } = await raw("POST", "/organizations", { body: { name } });
    check(status === 200 || status === 400 || status === 422, `status ${status}`);
    if (status === 200) equal(json.name.trim(), name.trim(), "name");
  }
  const { status } = await raw("POST", "/users", { body: { email_address: [`${unique()}@people.test`], public_metadata: { "nul\u0000": "\u0000" } } });
  check(status === 200 || status === 400 || status === 422, `status ${status}`);
});

test("ERR deeply nested JSON is refused", async () => {
  const deep = 20_000;
  const { status } = await raw("POST", "/organizations", { text: `{"name":"Deep","public_metadata":{"a":${"[".repeat(deep)}${"]".repeat(deep)}}}` });
  check(status === 400 || status === 413 || status === 422, `status ${status}`);
  equal((await raw("GET", "/jwks")).status, 200, "still alive");
});

test("ERR another content type is refused", async () => {
  for (const type of ["text/plain", "application/xml", "application/octet-stream"]) {
    await refused(() => raw("POST", "/organizations", { text: '{"name":"Typed"}', headers: { "content-type": type } }), "415 unsupported_content_type");
  }
});

test("ERR a charset in the content type is welcome", async () => {
  const { status } = await raw("POST", "/organizations", { text: '{"name":"Typed"}', headers: { "content-type": "application/json; charset=utf-8" } });
  equal(status, 200, "status");
});

test("ERR calls without any body work where none is needed", async () => {
  const user = await newUser();
  const session = await rawOk("POST", "/sessions", { body: { user_id: user.id } });
  const json = { headers: { "content-type": "application/json" } };
  equal((await raw("POST", `/sessions/${session.id}/tokens`)).status, 200, "tokens without a content type");
  equal((await raw("POST", `/sessions/${session.id}/tokens`, json)).status, 200, "tokens with a content type");
  equal((await raw("POST", `/sessions/${session.id}/revoke`, json)).status, 200, "revoke");
  equal((await raw("DELETE", `/users/${user.id}`, json)).status, 200, "delete");
});

test("ERR a body that is too large is refused", async () => {
  const answer = await postEndless("/v1/organizations", 64 * 1024 * 1024);
  equal(answer.status, 413, "status");
  equal([JSON.parse(answer.text).errors[0].code, answer.contentType], ["request_body_too_large", "application/json"], "code and content type");
});

/** Announces and sends a huge body; stops as soon as there is an answer. */
function postEndless(path, size) {
  return new Promise((resolve, reject) => {
    const url = new URL(server.base);
    const request = http.request({
      host: url.hostname,
      port: url.port,
      path,
      method: "POST",
      headers: { authorization: `Bearer ${server.secretKey}`, "content-type": "application/json", "content-length": size },
    });
    let answered = false;
    let sent = 0;
    request.setTimeout(20_000, () => request.destroy(new Error("no answer to a large body")));
    request.on("error", (error) => answered || reject(error));
    request.on("response", (response) => {
      answered = true;
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("error", () => {});
      response.on("close", () => {
        request.destroy();
        resolve({ status: response.statusCode, contentType: response.headers["content-type"], text });
      });
      response.on("end", () => request.destroy());
    });
    const send = () => {
      while (!answered && sent < size) {
        sent += 65_536;
        if (!request.write(" ".repeat(65_536))) {
          request.once("drain", send);
          return;
        }
      }
    };
    send();
  });
}

// --- versions

test("API-4 an unknown, newer or missing API version is treated as the newest", async () => {
  const organization = await newOrganization();
  for (const version of ["2026-05-12", "2025-11-10", "2026-08-20", "2099-01-01"]) {
    const { status, json } = await raw("GET", `/organizations/${organization.id}`, { headers: { "clerk-api-version": version } });
    equal([status, json.id], [200, organization.id], version);
  }
  equal((await raw("GET", `/organizations/${organization.id}`)).status, 200, "no version");
  equal((await raw("GET", `/organizations/${organization.id}`, { query: { __clerk_api_version: "2099-01-01" } })).status, 200, "in the query");
});

test("API-4 the newest rules hold for every version", () =>
  newOrganization().then((organization) =>
    refused(() => raw("PATCH", `/organizations/${organization.id}`, { body: { public_metadata: {} }, headers: { "clerk-api-version": "2099-01-01" } }), "422 form_param_deprecated"),
  ));

// --- paging

for (const template of LISTS) {
  test(`API GET ${template}: limit is 1 to 500, offset 0 or more`, async () => {
    const { made } = await things();
    const path = fill(template, made);
    const query = template === "/sessions" ? { user_id: made.user } : {};
    for (const limit of [0, -1, 501, "ten", "1.5"]) {
      await refused(() => raw("GET", path, { query: { ...query, limit } }), BAD_NUMBER, { param: "limit" });
    }
    for (const offset of [-1, "x", "1.5"]) {
      await refused(() => raw("GET", path, { query: { ...query, offset } }), BAD_NUMBER, { param: "offset" });
    }
    for (const fine of [{ limit: 1 }, { limit: 500 }, { offset: 0 }, { limit: 101, offset: 1_000_000 }]) {
      equal((await raw("GET", path, { query: { ...query, ...fine } })).status, 200, JSON.stringify(fine));
    }
    const { json } = await raw("GET", path, { query: { ...query, limit: 1 } });
    const rows = Array.isArray(json) ? json : json.data;
    check(rows.length <= 1, `${rows.length} rows for limit=1`);
  });
}

test("API strange queries never break the server", async () => {
  for (const query of ["limit=1&limit=2", "limit=99999999999999999999", "offset=99999999999999999999", "offset=9223372036854775807", "%00=1", "query=%00", "query=%ff%fe", "user_id[]=x", "user_id=%2B", "order_by=%00", "&&&=&", "query=" + "a".repeat(5000)]) {
    const response = await fetch(`${server.base}/v1/users?${query}`, { headers: { authorization: `Bearer ${server.secretKey}` } });
    check(response.status < 500, `?${query.slice(0, 40)}: status ${response.status}`);
  }
});

test("API unknown query parameters are ignored", async () => {
  equal((await raw("GET", "/organizations", { query: { utm_source: "x", _clerk_js_version: "6" } })).status, 200, "status");
});

test("API strange paths never break the server", async () => {
  for (const path of ["/users/%00", "/users/%ff", "/users/..%2f..%2fetc", "/users/%2e%2e/jwks", `/users/${"a".repeat(4000)}`, "/users/", "//users", "/organizations/%27%20OR%201%3D1", "/role_sets/role_set%3A%25"]) {
    const response = await fetch(`${server.base}/v1${path}`, { headers: { authorization: `Bearer ${server.secretKey}` } });
    check(response.status < 500, `${path.slice(0, 40)}: status ${response.status}`);
  }
});

// --- methods

test("API HEAD answers like GET, without a body", async () => {
  const exchange = await raw("HEAD", "/jwks");
  check([200, 404, 405].includes(exchange.status), `status ${exchange.status}`);
  equal(exchange.text, "", "body");
});

test("API OPTIONS gives no data", async () => {
  const { made, marks } = await things();
  const exchange = await raw("OPTIONS", `/users/${made.user}`, { key: null, headers: { origin: "https://app.example.test", "access-control-request-method": "GET" } });
  check(exchange.status < 500, `status ${exchange.status}`);
  check(!exchange.text.includes(marks[0]), "an email address");
});

test("API the Backend API gives no browser of another origin the right to read", async () => {
  await raw("GET", "/users", { headers: { origin: "https://evil.example.test" }, query: { limit: 1 } });
  const allowed = last().headers.get("access-control-allow-origin");
  check(allowed !== "https://evil.example.test" || last().headers.get("access-control-allow-credentials") !== "true", `Access-Control-Allow-Origin: ${allowed}`);
});

test("API times are Unix milliseconds", async () => {
  const user = await newUser();
  check(user.createdAt > 1_600_000_000_000 && user.createdAt < 10_000_000_000_000, `created_at: ${user.createdAt}`);
});

test("API answers to a crowd are whole", async () => {
  const organization = await newOrganization();
  const answers = await Promise.all(Array.from({ length: 40 }, () => server.clerk.organizations.getOrganization({ organizationId: organization.id })));
  equal(new Set(answers.map((o) => o.id)).size, 1, "organizations");
});
