// SimpleSAMLphp signs a real user in over plain HTTP, in each of its signing styles.

import { checksOf, equal } from "../lib/report.mjs";
import { connect, members, serve } from "../lib/doorward.mjs";
import { ALICE } from "../lib/simplesamlphp.mjs";

/** Walks without a browser; answers where the last redirect leads and the session token's claims. */
async function signIn(server, idp, person) {
  let cookie = "";
  const post = async (path, form, headers = {}) => {
    const body = new URLSearchParams(form);
    const answer = await fetch(`${server.base}${path}`, { method: "POST", body, redirect: "manual", headers: { cookie, ...headers } });
    keep(answer);
    return answer;
  };
  const keep = (answer) => {
    const line = answer.headers.getSetCookie().find((text) => text.startsWith("__client="));
    if (line) cookie = line.split(";")[0];
  };
  const done = `${server.base}/sign-in`;
  const form = { strategy: "enterprise_sso", identifier: person.login, redirect_url: done, action_complete_redirect_url: `${done}?done=1` };
  const created = await (await post("/v1/client/sign_ins", form)).json();
  const answer = idp.login(created.response.first_factor_verification.external_verification_redirect_url, person);
  const acs = new URL(answer.action ?? answer.url);
  const posted = await post(acs.pathname, answer.fields ?? answer.form, { cookie: "" });
  equal(posted.status, 303, await posted.clone().text());
  const finished = await fetch(posted.headers.get("location"), { redirect: "manual", headers: { cookie } });
  keep(finished);
  const client = await (await fetch(`${server.base}/v1/client`, { headers: { cookie } })).json();
  const error = client.response.sign_in?.first_factor_verification?.error;
  equal(finished.headers.get("location"), `${done}?done=1`, `redirect (${JSON.stringify(error)})`);
  const [session] = client.response.sessions;
  return JSON.parse(Buffer.from(session.last_active_token.jwt.split(".")[1], "base64url").toString());
}

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function samlStyles(idp, binary, database) {
  const check = checksOf("SAML", database);
  const server = await serve(binary, {}, database);
  let number = 0;
  for (const SIGN of ["response", "assertion", "both"]) {
    for (const SIG_ALG of ["rsa-sha256", "rsa-sha384", "rsa-sha512"]) {
      await check(`SimpleSAMLphp signs ${SIGN} with ${SIG_ALG}`, async () => {
        number += 1;
        const { organization, connection } = await connect(server.api, idp, { domain: "acme.test", name: `Style ${number}` });
        idp.trust(connection, { SIGN, SIG_ALG });
        const claims = await signIn(server, idp, ALICE);
        equal(claims.o.id, organization.id);
        equal(await members(server.api, organization), [[ALICE.login, "org:member"]]);
        // The next style gets the domain for itself.
        await server.api("DELETE", `/enterprise_connections/${connection.id}`);
      });
    }
  }
  await check("one person stayed one user through all of it", async () => {
    equal((await server.api("GET", "/users/count")).total_count, 1);
  });
  await server.stop();
}
