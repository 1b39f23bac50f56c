// Every request that these tests cause, the SDK's included, passes through here.
//
// `globalThis.fetch` is wrapped before the SDK is loaded; the SDK itself is not changed.
const realFetch = globalThis.fetch;
const TIMEOUT_MS = 20_000;

let origin;
const exchanges = [];

/** All recorded exchanges, oldest first. */
export const recorded = exchanges;

export function startRecording(base) {
  origin = new URL(base).origin;
  globalThis.fetch = async (input, init) => {
    const request = new Request(input, init?.body && typeof init.body !== "string" ? { duplex: "half", ...init } : init);
    const url = new URL(request.url);
    const response = await realFetch(input, { signal: AbortSignal.timeout(TIMEOUT_MS), ...init });
    if (url.origin === origin && /^\/(v1|\.well-known)\//.test(url.pathname)) {
      exchanges.push(await record(request, url, response.clone()));
    }
    return response;
  };
}

async function record(request, url, response) {
  const text = await response.text();
  const surface = request.headers.get("authorization")?.startsWith("Bearer sk_") ? "backend" : "frontend";
  return {
    surface,
    method: effectiveMethod(request.method, surface, url),
    path: url.pathname.replace(/^\/v1/, ""),
    address: url.pathname,
    query: url.searchParams,
    key: request.headers.get("authorization")?.replace(/^Bearer /, ""),
    status: response.status,
    contentType: response.headers.get("content-type"),
    headers: response.headers,
    text,
    json: parse(text),
    test: currentTest,
  };
}

/** Browsers' SDKs send PATCH, PUT and DELETE as `POST ?_method=…` (API-2). */
function effectiveMethod(method, surface, url) {
  const named = surface === "frontend" && method === "POST" ? url.searchParams.get("_method") : null;
  return ["PATCH", "PUT", "DELETE"].includes(named) ? named : method;
}

let currentTest;
export function nowTesting(name) {
  currentTest = name;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The newest exchange. */
export function last() {
  return exchanges.at(-1);
}
