// Session tokens, as an application without SDK checks them.

import { createPublicKey, verify } from "node:crypto";
import { equal, ok } from "./report.mjs";

/** The claims of a token whose signature the published keys confirm. */
export async function verified(server, jwt) {
  const [header, payload, signature] = jwt.split(".");
  const decode = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
  const { alg, kid } = decode(header);
  equal(alg, "RS256");
  const { keys } = await (await fetch(`${server.base}/.well-known/jwks.json`)).json();
  const key = keys.find((candidate) => candidate.kid === kid);
  ok(key, `no published key ${kid}`);
  const text = Buffer.from(`${header}.${payload}`);
  ok(verify("sha256", text, createPublicKey({ key, format: "jwk" }), Buffer.from(signature, "base64url")), "the signature is wrong");
  return decode(payload);
}
