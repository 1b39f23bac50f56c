import { equal, matches, refused, section, test } from "../lib/harness.mjs";
import { Browser, ok } from "../lib/browser.mjs";
import { unknown } from "../lib/fixtures.mjs";
import { connected } from "../lib/identity_provider.mjs";
import { rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("frontend_public");

test("DEC-23 the environment offers single sign-on, and sign-up to those it lets in", async () => {
  const { user_settings: user, auth_config: auth } = ok(await new Browser().get("/environment"));
  equal([user.enterprise_sso.enabled, user.saml.enabled, user.sign_up.mode], [true, true, "public"], "offered");
  equal([user.attributes.password.enabled, user.attributes.phone_number.enabled, user.social], [false, false, {}], "not offered");
  equal(auth.first_factors, ["enterprise_sso"], "first factors");
});

test("API-3 the environment is bare, also when it is asked for by PATCH", async () => {
  const browser = new Browser();
  const read = ok(await browser.get("/environment"));
  equal("response" in read, false, "an envelope");
  equal(ok(await browser.patch("/environment")), read, "by PATCH");
  equal([...browser.cookies.keys()], [], "cookies");
});

test("ORG-11 the environment follows the organization settings", async () => {
  const before = await rawOk("GET", "/instance/organization_settings");
  try {
    await rawOk("PATCH", "/instance/organization_settings", { body: { max_allowed_memberships: 7, domains_enabled: true, domains_enrollment_modes: ["automatic_invitation", "automatic_suggestion"] } });
    // Another node may hold the old settings for two seconds, this one does not.
    const { organization_settings: seen } = ok(await new Browser().get("/environment"));
    equal([seen.enabled, seen.max_allowed_memberships, seen.domains.enabled], [true, 7, true], "organization settings");
  } finally {
    const { max_allowed_memberships, domains_enabled, domains_enrollment_modes } = before;
    await rawOk("PATCH", "/instance/organization_settings", { body: { max_allowed_memberships, domains_enabled, domains_enrollment_modes } });
  }
});

test("Decision 12: missing, old and future versions are welcome", async () => {
  for (const version of ["", "2021-02-05", "2026-05-12", "2099-01-01", "nonsense"]) {
    equal((await new Browser().get("/client", { query: { __clerk_api_version: version } })).status, 200, version);
  }
});

test("the server says that it is healthy", async () => {
  equal(ok(await new Browser().visit("/v1/health")).status, "healthy", "status");
});

test("SML-2 the service provider's metadata is public and names entity and ACS", async () => {
  const { connection } = await connected();
  const saml = connection.saml_connection;
  const { text, status } = await new Browser().visit(`/v1/saml/metadata/${saml.id}.xml`);
  equal(status, 200, "status");
  for (const part of [`entityID="${saml.sp_entity_id}"`, `Location="${saml.acs_url}"`]) equal(text.includes(part), true, part);
  equal(saml.sp_metadata_url, `${server.base}/v1/saml/metadata/${saml.id}.xml`, "sp_metadata_url");
  for (const other of [`${unknown("samlc")}.xml`, saml.id, `${saml.id}.json`]) {
    await refused(() => new Browser().visit(`/v1/saml/metadata/${other}`), "404 resource_not_found");
  }
});

test("ERR an address does not take every method", async () => {
  const browser = new Browser();
  await refused(() => browser.get("/client/sign_ins"), "404 resource_not_found");
  await refused(() => browser.put("/environment"), "404 resource_not_found");
  await refused(() => browser.patch("/me/organization_memberships"), "404 resource_not_found");
  matches(last().json.clerk_trace_id, /^\S{16,}$/, "clerk_trace_id");
});

test("Decision 10: pages of allowed origins may read the answers, others get none", async () => {
  const origin = "https://app.frontend-origin.test";
  const { allowed_origins: before } = await rawOk("GET", "/instance");
  const browser = new Browser({ origin });
  const shared = ({ headers }) => [headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")];
  await refused(() => browser.get("/client"), "400 origin_invalid");
  equal(shared(last()), [null, null], "headers of a refusal");
  try {
    await rawOk("PATCH", "/instance", { body: { allowed_origins: [...(before ?? []), origin] } });
    ok(await browser.get("/client"));
    equal(shared(last()), [origin, "true"], "headers");
    equal([last().headers.get("cache-control"), last().headers.get("vary").includes("Origin")], ["no-store", true], "caches");
    await refused(() => browser.post("/client/sign_ins", { identifier: "nobody@nowhere.test" }), "422 form_identifier_not_found");
    equal(shared(last()), [origin, "true"], "headers of a refusal");
    const preflight = await fetch(`${server.base}/v1/client`, { method: "OPTIONS", headers: { origin, "access-control-request-method": "PATCH" } });
    equal([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, origin], "preflight");
  } finally {
    await rawOk("PATCH", "/instance", { body: { allowed_origins: before ?? [] } });
  }
});
