// The server under test: the SDK's client for it, and plain requests for what the SDK has no method for.
import { check } from "./harness.mjs";
import { last } from "./traffic.mjs";

/** Set by `connect` before any test runs. */
export const server = { base: "", secretKey: "", publishableKey: "", sdk: undefined, clerk: undefined };

export async function connect({ base, secretKey, publishableKey }) {
  const sdk = await import("@clerk/backend");
  Object.assign(server, { base, secretKey, publishableKey, sdk });
  server.clerk = clientWith(secretKey);
}

export function clientWith(secretKey) {
  return server.sdk.createClerkClient({
    secretKey,
    publishableKey: server.publishableKey,
    apiUrl: server.base,
    telemetry: { disabled: true },
  });
}

/**
 * One plain request to `/v1` + path. `body` is sent as JSON, `text` as it is; `query` may hold arrays;
 * `key` null sends no Authorization header. Returns the recorded exchange.
 */
export async function raw(method, path, { body, text, query, headers = {}, key = server.secretKey } = {}) {
  const url = new URL(`${server.base}/v1${path}`);
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of [value].flat()) url.searchParams.append(name, String(one));
  }
  const sent = new Headers(headers);
  if (key !== null && !sent.has("authorization")) sent.set("authorization", `Bearer ${key}`);
  const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
  if (payload !== undefined && !sent.has("content-type")) sent.set("content-type", "application/json");
  await fetch(url, { method, headers: sent, body: payload, redirect: "manual" });
  return last();
}

/** A plain request that must succeed; returns the JSON. */
export async function rawOk(method, path, options) {
  const exchange = await raw(method, path, options);
  check(exchange.status < 300, `${method} ${path}: expected success, got ${exchange.status} ${exchange.text.slice(0, 300)}`);
  return exchange.json;
}

/** The host that the publishable key names; session tokens are issued by https://<host>. */
export function frontendHost() {
  const encoded = server.publishableKey.replace(/^pk_(live|test)_/, "");
  return Buffer.from(encoded, "base64").toString("utf8").replace(/\$$/, "");
}
