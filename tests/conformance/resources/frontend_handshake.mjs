import { createPublicKey, verify } from "node:crypto";
import { check, equal, matches, refused, section, test } from "../lib/harness.mjs";
import { Browser, claims } from "../lib/browser.mjs";
import { newOrganization } from "../lib/fixtures.mjs";
import { connected } from "../lib/identity_provider.mjs";
import { rawOk, server } from "../lib/server.mjs";

section("frontend_handshake");

const handshake = (browser, target) => browser.visit(`/v1/client/handshake?format=nonce&redirect_url=${encodeURIComponent(target)}`);

/** The cookies of a handshake whose signature the published keys verify. */
async function directives(jwt) {
  const [header, payload, signature] = jwt.split(".");
  const { keys } = await rawOk("GET", "/jwks");
  const { kid } = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
  const key = createPublicKey({ key: keys.find((found) => found.kid === kid), format: "jwk" });
  check(verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url")), "the signature is wrong");
  return new Map(claims(jwt).handshake.map((line) => [line.split("=")[0], line]));
}

test("TOK-14 an application on the server's site gets its cookies by cookie", async () => {
  const target = `${server.base}/app?page=2`;
  const organization = await newOrganization();
  const idp = await connected({ organization });
  const browser = new Browser();
  const answer = await handshake(browser, target);
  equal([answer.status, answer.headers.get("location"), answer.headers.get("cache-control")], [307, target, "no-store"], "answer");
  const before = await directives(browser.cookies.get("__clerk_handshake"));
  matches(before.get("__session"), /^__session=; .*Max-Age=0/, "__session of nobody");
  matches(before.get("__client_uat"), /^__client_uat=0;/, "__client_uat of nobody");
  const session = await browser.signIn(idp, idp.person());
  await handshake(browser, target);
  const cookies = await directives(browser.cookies.get("__clerk_handshake"));
  const value = (name) => cookies.get(name).split(";")[0].slice(name.length + 1);
  const token = claims(value("__session"));
  equal([token.sid, token.o.id, token.azp], [session.id, organization.id, server.base], "token");
  check(Number(value("__client_uat")) > 0 && Number(value("__client_uat")) <= token.iat, "__client_uat is later than the token");
  equal(cookies.size, 4, "cookies, each with and without the instance's suffix");
});

test("TOK-14 an application on another site gets them in its address", async () => {
  const { allowed_origins: before } = await rawOk("GET", "/instance");
  const origin = "https://app.handshake.test";
  try {
    await rawOk("PATCH", "/instance", { body: { allowed_origins: [...(before ?? []), origin] } });
    const { status, headers } = await handshake(new Browser(), `${origin}/home?a=1`);
    const location = new URL(headers.get("location"));
    equal([status, location.origin, location.pathname, location.searchParams.get("a")], [307, origin, "/home", "1"], "redirect");
    equal((await directives(location.searchParams.get("__clerk_handshake"))).size, 4, "cookies");
  } finally {
    await rawOk("PATCH", "/instance", { body: { allowed_origins: before ?? [] } });
  }
});

test("TOK-14 a handshake leads only to allowed origins, also where a page is a listed redirect URL", async () => {
  const listed = await rawOk("POST", "/redirect_urls", { body: { url: "https://partner.handshake.test/in" } });
  const browser = new Browser();
  for (const target of ["https://evil.test/", listed.url, `https://${new URL(server.base).hostname}.evil.test/`]) await refused(() => handshake(browser, target), "400 resource_missmatch");
  for (const target of ["", "/relative", "nonsense"]) await refused(() => handshake(browser, target), "422 invalid_redirect_url");
  await refused(() => handshake(browser, "javascript:alert(1)"), "422 invalid_url_scheme");
  await rawOk("DELETE", `/redirect_urls/${listed.id}`);
});
