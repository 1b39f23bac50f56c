// SimpleSAMLphp and samlp sign real users in over plain HTTP, in each of their styles.

import { checksOf, equal } from "../lib/report.mjs";
import { connect, members, serve } from "../lib/doorward.mjs";
import { ALICE, ZOE } from "../lib/identity_provider.mjs";
import { Visitor } from "../lib/visitor.mjs";

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
    try {
      await body(organization, connection);
    } finally {
      await server.api("DELETE", `/enterprise_connections/${connection.id}`);
    }
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
