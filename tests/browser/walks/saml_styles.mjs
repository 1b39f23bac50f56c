// SimpleSAMLphp and samlp sign real users in over plain HTTP, in each of their styles.

import { checksOf, equal } from "../lib/report.mjs";
import { connect, members, serve } from "../lib/doorward.mjs";
import { ALICE, ZOE } from "../lib/identity_provider.mjs";

const SIGN = ["response", "assertion", "both"];
/** Requests by redirect and by form, signed for an identity provider that insists on it, and not. */
const REQUESTS = ["redirect", "post"].flatMap((idp_sso_binding) => [
  { idp: {}, saml: { idp_sso_binding } },
  { idp: { SP_WANT_SIGNED_REQUESTS: "1" }, saml: { idp_sso_binding, sign_requests: true } },
]);
/** Whatever the identity provider calls them. */
const OID = {
  email_address: "urn:oid:0.9.2342.19200300.100.1.3",
  first_name: "urn:oid:2.5.4.42",
  last_name: "urn:oid:2.5.4.4",
};

/** The styles of each product: what its administrator sets, and what ours sets to match. */
const STYLES = {
  SimpleSAMLphp: [
    ...SIGN.flatMap((SIGN) => ["rsa-sha256", "rsa-sha384", "rsa-sha512"].map((SIG_ALG) => ({ idp: { SIGN, SIG_ALG } }))),
    ...SIGN.map((SIGN) => ({ idp: { SIGN, ENCRYPT: "aes128-cbc" } })),
    ...["persistent", "transient", "unspecified"].map((NAMEID) => ({ idp: { NAMEID } })),
    { idp: { ATTR_STYLE: "oid" }, saml: { attribute_mapping: OID } },
    { idp: { ATTR_STYLE: "claims" }, provider: "saml_microsoft" },
    ...REQUESTS,
  ],
  samlp: [
    ...SIGN.flatMap((SIGN) => ["none", "aes128-gcm", "aes256-gcm", "aes128-cbc", "aes256-cbc"].map((ENCRYPT) => ({ idp: { SIGN, ENCRYPT } }))),
    ...["persistent", "transient", "unspecified"].map((NAMEID) => ({ idp: { NAMEID } })),
    { idp: { ATTR_STYLE: "oid" }, saml: { attribute_mapping: OID } },
    { idp: { ATTR_STYLE: "claims" }, provider: "saml_microsoft" },
    ...REQUESTS,
  ],
};

/** A browser of which only the cookie is needed. */
class Visitor {
  cookie = "";

  constructor(server) {
    this.server = server;
  }

  async fetch(path, options = {}) {
    const url = new URL(path, this.server.base);
    const answer = await fetch(url, { redirect: "manual", headers: { cookie: this.cookie }, ...options });
    const line = answer.headers.getSetCookie().find((text) => text.startsWith("__client="));
    if (line) this.cookie = line.split(";")[0];
    return answer;
  }

  post(path, form, headers = { cookie: this.cookie }) {
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

  /** From the typed address to the session. */
  async signIn(idp, connection, person) {
    const done = `${this.server.base}/sign-in`;
    const form = { strategy: "enterprise_sso", identifier: person.login, redirect_url: done, action_complete_redirect_url: `${done}?done=1` };
    const created = await (await this.post("/v1/client/sign_ins", form)).json();
    const url = created.response.first_factor_verification.external_verification_redirect_url;
    const isForm = url.startsWith(this.server.base);
    equal(isForm, connection.saml_connection.idp_sso_binding === "post", `the request goes by ${url}`);
    const request = isForm ? await this.form(url) : { url };
    const { location, session, error } = await this.deliver(idp.login(request.url, person, request.fields));
    equal(location, `${done}?done=1`, `redirect (${JSON.stringify(error)})`);
    return session;
  }
}

const claims = (session) => JSON.parse(Buffer.from(session.last_active_token.jwt.split(".")[1], "base64url").toString());

/** The walk, on SQLite unless a PostgreSQL database is given. `idps` are running, by the names of the products. */
export async function samlStyles(idps, binary, database) {
  const check = checksOf("SAML", database);
  const server = await serve(binary, {}, database);
  let number = 0;
  /** A connection for one check; the next gets the domain for itself. */
  const connected = async (idp, settings, body) => {
    number += 1;
    const { organization, connection } = await connect(server.api, idp, { domain: "acme.test", name: `Style ${number}`, ...settings });
    await body(organization, connection);
    await server.api("DELETE", `/enterprise_connections/${connection.id}`);
  };
  for (const [product, styles] of Object.entries(STYLES)) {
    const idp = idps[product];
    for (const { idp: options, ...settings } of styles) {
      const style = Object.entries({ ...options, ...settings.saml }).filter(([name]) => name !== "attribute_mapping")
        .map(([name, value]) => `${name} ${value}`).join(", ");
      await check(`${product} with ${style}`, () => connected(idp, settings, async (organization, connection) => {
        for (const [name, value] of Object.entries(settings.saml ?? {})) {
          if (name !== "attribute_mapping") equal(connection.saml_connection[name], value, name);
        }
        idp.trust(connection, options);
        const session = await new Visitor(server).signIn(idp, connection, ALICE);
        equal(claims(session).o.id, organization.id);
        equal([session.user.first_name, session.user.last_name], ["Alice", "Archer"]);
        equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
      }));
    }
    await check(`${product}: names arrive intact`, () => connected(idp, {}, async (_, connection) => {
      idp.trust(connection);
      const { user } = await new Visitor(server).signIn(idp, connection, ZOE);
      equal([user.first_name, user.last_name], ['Zoë "Zed" <z>', "Müller & Søn 山田"]);
    }));
    await check(`${product}: who starts there is signed in where that is allowed`, () => connected(idp, {}, async (organization, connection) => {
      idp.trust(connection, { ENCRYPT: "aes128-cbc" });
      const landing = `${server.base}/sign-in?from=the+portal`;
      const start = () => idp.login(idp.startUrl(connection, landing), ALICE);
      const refused = await new Visitor(server).post(new URL(start().action).pathname, start().fields, {});
      equal(refused.status, 401, await refused.clone().text());
      await server.api("PATCH", `/enterprise_connections/${connection.id}`, { saml: { allow_idp_initiated: true } });
      const { location, session } = await new Visitor(server).deliver(start());
      equal(location, landing);
      equal(claims(session).o.id, organization.id);
    }));
  }
  await check("the two stayed two users through all of it", async () => {
    equal((await server.api("GET", "/users/count")).total_count, 2);
  });
  await server.stop();
}
