import { equal } from "./report.mjs";

/** A browser of which only the cookies are needed. */
export class Visitor {
  cookies = new Map();

  constructor(server) {
    this.server = server;
  }

  async fetch(path, options = {}) {
    const url = new URL(path, this.server.base);
    const answer = await fetch(url, { redirect: "manual", headers: this.headers(), ...options });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      this.cookies.set(name, value);
    }
    return answer;
  }

  headers() {
    return { cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ") };
  }

  post(path, form, headers = this.headers()) {
    return this.fetch(path, { method: "POST", body: new URLSearchParams(form), headers });
  }

  /** Brings the identity provider's answer, without cookies as from another site; answers where it leads in the end. */
  async deliver(answer) {
    const posted = await this.post(new URL(answer.action).pathname, answer.fields, {});
    equal(posted.status, 303, await posted.clone().text());
    const finished = await this.fetch(posted.headers.get("location"));
    const client = (await (await this.fetch("/v1/client")).json()).response;
    const error = client.sign_in?.first_factor_verification?.error;
    return { location: finished.headers.get("location"), session: client.sessions[0], error };
  }

  /** The form on a page of ours that posts itself to an identity provider. */
  async form(url) {
    const page = await (await this.fetch(url)).text();
    const text = (html) => html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)).replaceAll("&amp;", "&");
    const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, text(value)]);
    return { url: text(page.match(/<form method="post" action="([^"]*)"/)[1]), fields: Object.fromEntries(fields) };
  }

  /** Where a typed address leads: the identity provider's URL, and the form to post there if the request goes by form. */
  async begin(connection, address) {
    const done = `${this.server.base}/sign-in`;
    const form = { strategy: "enterprise_sso", identifier: address, redirect_url: done, action_complete_redirect_url: `${done}?done=1` };
    const created = await (await this.post("/v1/client/sign_ins", form)).json();
    equal(created.errors?.[0].code, undefined, JSON.stringify(created.errors));
    const url = created.response.first_factor_verification.external_verification_redirect_url;
    const isForm = url.startsWith(this.server.base);
    equal(isForm, connection.saml_connection.idp_sso_binding === "post", `the request goes by ${url}`);
    return isForm ? this.form(url) : { url };
  }

  /** From the typed address to the session. */
  async signIn(idp, connection, person) {
    const request = await this.begin(connection, person.login);
    const { location, session, error } = await this.deliver(idp.login(request.url, person, request.fields));
    equal(location, `${this.server.base}/sign-in?done=1`, `redirect (${JSON.stringify(error)})`);
    return session;
  }
}
