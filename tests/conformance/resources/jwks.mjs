import { check, equal, matches, section, test } from "../lib/harness.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";

section("jwks");

test("TOK-8 the SDK reads the key set", async () => {
  const { keys } = await server.clerk.jwks.getJwks();
  check(keys.length >= 1, "no key");
});

test("TOK-6 every key is an RSA-2048 signing key for RS256 with exponent 65537", async () => {
  const { keys } = await rawOk("GET", "/jwks");
  for (const key of keys) {
    equal([key.kty, key.alg, key.use, key.e], ["RSA", "RS256", "sig", "AQAB"], "kty, alg, use, e");
    equal(Buffer.from(key.n, "base64url").length, 256, "bytes of the modulus");
    matches(key.kid, /^\S+$/, "kid");
  }
  equal(new Set(keys.map((k) => k.kid)).size, keys.length, "distinct kids");
});

test("TOK-8 the key set holds no private part", async () => {
  const { keys } = await rawOk("GET", "/jwks");
  for (const key of keys) {
    const secret = ["d", "p", "q", "dp", "dq", "qi", "k"].filter((part) => part in key);
    equal(secret, [], "private parts");
  }
});

test("TOK-8 the key set is stable between calls", async () => {
  const [first, second] = [await raw("GET", "/jwks"), await raw("GET", "/jwks")];
  equal(first.json, second.json, "key set");
});

test("TOK-8 the public key set of the Frontend API holds the same keys", async () => {
  const response = await fetch(`${server.base}/.well-known/jwks.json`);
  equal(response.status, 200, "status");
  const kids = (await response.json()).keys.map((k) => k.kid);
  const { keys } = await rawOk("GET", "/jwks");
  equal(kids.sort(), keys.map((k) => k.kid).sort(), "kids");
});
