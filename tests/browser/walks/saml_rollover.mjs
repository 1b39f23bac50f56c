// SimpleSAMLphp changes the key it signs with, and wants its requests signed.

import { checksOf, equal } from "../lib/report.mjs";
import { connect, serve } from "../lib/doorward.mjs";
import { ALICE, startSimpleSamlPhp } from "../lib/identity_provider.mjs";
import { Visitor } from "../lib/visitor.mjs";

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function samlRollover(idps, binary, database) {
  const check = checksOf("SAML roll-over", database);
  const server = await serve(binary, {}, database);
  let idp = await startSimpleSamlPhp(idps, { ROLLOVER: "old", WANT_SIGNED_REQUESTS: "1" });
  const { connection } = await connect(server.api, idp, { domain: "acme.test" });
  const certificates = `/enterprise_connections/${connection.id}/certificates`;
  const signIn = () => new Visitor(server).signIn(idp, connection, ALICE);

  await check("metadata brings both certificates, and the wish for signed requests", async () => {
    equal(connection.saml_connection.sign_requests, true);
    equal((await server.api("GET", certificates)).total_count, 2);
    idp.trust(connection, { SP_WANT_SIGNED_REQUESTS: "1" });
  });
  await check("the old key signs, then the new one", async () => {
    await signIn();
    idp = await idp.again({ ROLLOVER: "new", WANT_SIGNED_REQUESTS: "1" });
    await signIn();
  });
  await check("the old certificate goes, and the new key goes on", async () => {
    const old = (await server.api("GET", certificates)).data.find(({ subject }) => subject.endsWith("test idp"));
    await server.api("DELETE", `${certificates}/${old.fingerprint}`);
    await signIn();
  });
  await check("the old key is of no use any more", async () => {
    idp = await idp.again({ ROLLOVER: "old", WANT_SIGNED_REQUESTS: "1" });
    let refusal = "";
    await signIn().catch((error) => (refusal = error.message));
    equal(refusal.includes("no configured certificate verifies it"), true, refusal);
  });
  await idp.stop();
  await server.stop();
}
