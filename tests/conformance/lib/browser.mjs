// A browser that speaks to the Frontend API as clerk-js does: forms, cookies, and the queries it adds.
import { check, equal } from "./harness.mjs";
import { server } from "./server.mjs";
import { last } from "./traffic.mjs";

/** What clerk-js 6.40.0 adds to every request. */
const VERSIONS = { __clerk_api_version: "2026-08-20", _clerk_js_version: "6.40.0" };

export class Browser {
  cookies = new Map();
  /** The session that the page acts for. */
  sessionId = undefined;

  /** `origin` is the page's. */
  constructor({ origin = server.base } = {}) {
    this.origin = origin;
  }

  get = (path, options) => this.send("GET", path, options);
  post = (path, form = {}, options = {}) => this.send("POST", path, { form, ...options });
  put = (path, form = {}, options = {}) => this.send("PUT", path, { form, ...options });
  patch = (path, form = {}, options = {}) => this.send("PATCH", path, { form, ...options });
  delete = (path, form = {}, options = {}) => this.send("DELETE", path, { form, ...options });

  /** A page's request to `/v1` + path; returns the recorded exchange. `text` is sent instead of a form, as it is. */
  async send(method, path, { form, text, query = {}, headers = {} } = {}) {
    const url = new URL(`${server.base}/v1${path}`);
    const isForm = text === undefined && form !== undefined;
    const added = { ...VERSIONS, ...(!path.startsWith("/client") && this.sessionId && { _clerk_session_id: this.sessionId }) };
    // Only GET and POST are simple requests, for which a browser asks no leave.
    const override = method === "GET" || method === "POST" ? {} : { _method: method };
    for (const [name, value] of Object.entries({ ...added, ...override, ...query })) url.searchParams.set(name, value);
    const sent = {
      // A page on the server's own origin sends none when it only reads.
      ...((method !== "GET" || this.origin !== server.base) && { origin: this.origin }),
      ...(isForm && { "content-type": "application/x-www-form-urlencoded" }),
      ...headers,
    };
    return this.#fetch(url, { method: method === "GET" ? "GET" : "POST", headers: sent, body: isForm ? encoded(form) : text });
  }

  /** Goes to an address, as by the address bar or a redirect. */
  visit(address) {
    return this.#fetch(new URL(address, server.base), { method: "GET", headers: { "sec-fetch-site": "cross-site" } });
  }

  /** Posts the form of an identity provider's page: a request from another site, which takes no Lax cookie along. */
  async postFrom(origin, address, form) {
    const headers = { origin, "sec-fetch-site": "cross-site", "content-type": "application/x-www-form-urlencoded" };
    await fetch(new URL(address, server.base), { method: "POST", headers, body: encoded(form), redirect: "manual" });
    return last();
  }

  async #fetch(url, { headers, ...init }) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    await fetch(url, { ...init, headers: { ...(cookie && { cookie }), ...headers }, redirect: "manual" });
    const exchange = last();
    for (const line of exchange.headers.getSetCookie()) this.#keep(line);
    return exchange;
  }

  #keep(line) {
    const [pair, ...attributes] = line.split(/; */);
    const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }

  /** Begins a sign-in and prepares its trip; answers the sign-in, and where the browser is to go. */
  async beginSignIn(address) {
    const { response } = ok(await this.post("/client/sign_ins", { identifier: address }));
    const prepared = ok(await this.post(`/client/sign_ins/${response.id}/prepare_first_factor`, { strategy: "enterprise_sso", ...RETURN() }));
    return { id: response.id, redirect: prepared.response.first_factor_verification.external_verification_redirect_url };
  }

  /** Goes on from the redirect to the identity provider until the browser is back; answers where that is. */
  async comeBack(idp, redirect, who, options) {
    const posted = await this.postFrom(idp.origin, idp.acs.pathname, idp.answer(redirect, who, options));
    equal(posted.status, 303, "status of the ACS");
    const finished = await this.visit(posted.headers.get("location"));
    equal(finished.status, 303, "status behind the ACS");
    return finished.headers.get("location");
  }

  /** The whole way, from the typed address to the session that the page then acts for. */
  async signIn(idp, who) {
    const { redirect } = await this.beginSignIn(who.email);
    equal(await this.comeBack(idp, redirect, who), RETURN().action_complete_redirect_url, "where the browser is back");
    const { response: client } = ok(await this.get("/client"));
    this.sessionId = client.last_active_session_id;
    return client.sessions.find((session) => session.id === this.sessionId);
  }
}

/** Pages of the application: where a trip leads back to. */
export const RETURN = () => ({ redirect_url: `${server.base}/app/sso-callback`, action_complete_redirect_url: `${server.base}/app/done` });

/** What a token says, unverified. */
export function claims(jwt) {
  return JSON.parse(Buffer.from(jwt.split(".")[1], "base64url").toString("utf8"));
}

/** The JSON of an answer that must be a success. */
export function ok(exchange) {
  check(exchange.status < 300, `${exchange.method} ${exchange.path}: expected success, got ${exchange.status} ${exchange.text.slice(0, 300)}`);
  return exchange.json;
}

function encoded(form) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    for (const one of [value].flat()) body.append(name, String(one));
  }
  return body.toString();
}
