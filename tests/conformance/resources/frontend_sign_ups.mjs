import { equal, refused, section, test } from "../lib/harness.mjs";
import { Browser, ok, RETURN } from "../lib/browser.mjs";
import { domain, newOrganization, OIDC_BY_HAND, unique, unknown } from "../lib/fixtures.mjs";
import { connected, person } from "../lib/identity_provider.mjs";
import { rawOk } from "../lib/server.mjs";

section("frontend_sign_ups");

const SSO = () => ({ strategy: "enterprise_sso", ...RETURN() });
const begin = async (browser, form) => ok(await browser.post("/client/sign_ups", form)).response;
const read = async (browser, id) => ok(await browser.get(`/client/sign_ups/${id}`)).response;
const redirectOf = (signUp) => signUp.verifications.external_account.external_verification_redirect_url;

test("DEC-10 a sign-up on a connection's domain needs the identity provider's word", async () => {
  const idp = await connected();
  const browser = new Browser();
  const { email } = idp.person();
  const signUp = await begin(browser, { email_address: email, locale: "en-GB" });
  equal([signUp.object, signUp.status, signUp.email_address, signUp.missing_fields], ["sign_up_attempt", "missing_requirements", email, ["enterprise_sso"]], "sign-up");
  equal([signUp.verifications.external_account, signUp.created_session_id, signUp.created_user_id], [null, null, null], "nothing yet");
  equal(await read(browser, signUp.id), signUp, "read back");
  const empty = await begin(browser, {});
  equal([empty.email_address, empty.missing_fields], [null, ["email_address"]], "without address");
  await refused(() => browser.patch(`/client/sign_ups/${empty.id}`, SSO()), "422 form_param_missing", { param: "email_address" });
});

for (const [name, change] of [
  ["PATCH", (browser, id, form) => browser.patch(`/client/sign_ups/${id}`, form)],
  ["prepare_verification", (browser, id, form) => browser.post(`/client/sign_ups/${id}/prepare_verification`, form)],
]) {
  test(`DEC-10 a sign-up prepared by ${name} makes user, membership and session`, async () => {
    const organization = await newOrganization();
    const idp = await connected({ organization });
    const who = idp.person();
    const browser = new Browser();
    const { id } = await begin(browser, { email_address: who.email });
    const named = ok(await browser.patch(`/client/sign_ups/${id}`, { first_name: "Ada", last_name: "Byron", unsafe_metadata: JSON.stringify({ source: "flyer" }) })).response;
    equal([named.first_name, named.last_name, named.unsafe_metadata], ["Ada", "Byron", { source: "flyer" }], "names");
    const { response: prepared, client } = ok(await change(browser, id, SSO()));
    equal([prepared.verifications.external_account.status, prepared.verifications.external_account.strategy], ["unverified", "saml"], "verification");
    equal(client.sign_up, prepared, "client.sign_up");
    equal(await browser.comeBack(idp, redirectOf(prepared), who), RETURN().action_complete_redirect_url, "where the browser is back");
    const done = await read(browser, id);
    const { response: after } = ok(await browser.get("/client"));
    equal([done.status, done.missing_fields, done.verifications.external_account.status], ["complete", [], "verified"], "sign-up");
    equal([done.created_session_id, done.created_user_id], [after.last_active_session_id, after.sessions[0].user.id], "what it made");
    equal(after.sessions[0].user.unsafe_metadata, { source: "flyer" }, "unsafe_metadata");
    equal((await rawOk("GET", `/organizations/${organization.id}/memberships`)).total_count, 1, "memberships");
    await refused(() => change(browser, id, SSO()), "404 resource_not_found");
    await refused(() => browser.post("/client/sign_ups", { email_address: who.email }), "400 identifier_already_signed_in");
  });
}

test("X-10 a sign-up through OpenID Connect is verified by the kind of provider", async () => {
  for (const [provider, strategy] of [["oidc_custom", "oauth_custom_oidc"], ["oidc_github_enterprise", "oauth_custom_github"], ["oidc_gitlab", "oauth_custom_gitlab"]]) {
    const name = domain();
    await rawOk("POST", "/enterprise_connections", { body: { name: unique("SSO "), provider, domains: [name], active: true, oidc: OIDC_BY_HAND } });
    const { verifications } = await begin(new Browser(), { email_address: `${unique("p")}@${name}`, ...SSO() });
    const { object, status, strategy: said } = verifications.external_account;
    equal([object, status, said], ["verification_oauth", "unverified", strategy], "verification");
  }
});

test("DEC-12 the connections to choose from are listed", async () => {
  const name = domain();
  const idps = [await connected({ domain: name }), await connected({ domain: name })];
  const who = person(`${unique("p")}@${name}`);
  const browser = new Browser();
  const { id } = await begin(browser, { email_address: who.email });
  const { response: listed } = ok(await browser.get(`/client/sign_ups/${id}/enterprise_connections`));
  equal(listed, idps.map(({ connection }) => ({ id: connection.id, name: connection.name })), "connections");
  await refused(() => browser.patch(`/client/sign_ups/${id}`, SSO()), "422 enterprise_connection_id_is_required_with_multiple_connections", { param: "enterprise_connection_id" });
  await refused(() => browser.post(`/client/sign_ups/${id}/prepare_verification`, { ...SSO(), enterprise_connection_id: unknown("entconn") }), "404 resource_not_found");
  const { response } = ok(await browser.patch(`/client/sign_ups/${id}`, { ...SSO(), enterprise_connection_id: listed[1].id }));
  await browser.comeBack(idps[1], redirectOf(response), who);
  equal((await read(browser, id)).status, "complete", "status");
});

test("DEC-15 a sign-up of somebody with an account is transferred to a sign-in, once", async () => {
  const organization = await newOrganization();
  const idp = await connected({ organization });
  const who = idp.person();
  const { user } = await new Browser().signIn(idp, who);
  const browser = new Browser();
  const signUp = await begin(browser, { email_address: who.email, ...SSO() });
  equal(await browser.comeBack(idp, redirectOf(signUp), who), RETURN().redirect_url, "DEC-9 where the browser is back");
  const { external_account: verification } = (await read(browser, signUp.id)).verifications;
  equal([verification.status, verification.error.code], ["transferable", "external_account_exists"], "verification");
  await refused(() => new Browser().post("/client/sign_ins", { transfer: true }), "400 account_transfer_invalid");
  const { response, client } = ok(await browser.post("/client/sign_ins", { transfer: true }));
  equal([response.status, response.first_factor_verification.status], ["complete", "verified"], "sign-in");
  equal([client.sessions[0].id, client.sessions[0].user.id], [response.created_session_id, user.id], "session");
  await refused(() => browser.post("/client/sign_ins", { transfer: true }), "400 account_transfer_invalid");
});

test("DEC-17 what went wrong is kept on the sign-up", async () => {
  const idp = await connected();
  const browser = new Browser();
  const signUp = await begin(browser, { email_address: idp.person().email, ...SSO() });
  equal(await browser.comeBack(idp, redirectOf(signUp), person(`${unique("p")}@elsewhere.test`)), RETURN().redirect_url, "where the browser is back");
  const { status, verifications } = await read(browser, signUp.id);
  equal([status, verifications.external_account.status, verifications.external_account.error.code], ["missing_requirements", "failed", "saml_email_address_domain_mismatch"], "sign-up");
});

test("DEC-11 DEC-23 without a connection nobody signs up", async () => {
  const idp = await connected();
  const browser = new Browser();
  const address = `${unique("p")}@nowhere.test`;
  await refused(() => browser.post("/client/sign_ups", { email_address: address }), "403 sign_up_mode_restricted");
  await refused(() => browser.post("/client/sign_ups", { email_address: address, ...SSO() }), "422 enterprise_sso_sign_up_connection_missing", { param: "email_address" });
  await refused(() => browser.post("/client/sign_ups", { email_address: idp.person().email, password: "x" }), "403 sign_up_mode_restricted");
  const { id } = await begin(browser, { email_address: idp.person().email });
  await refused(() => browser.patch(`/client/sign_ups/${id}`, { email_address: address }), "403 sign_up_mode_restricted");
  await refused(() => browser.patch(`/client/sign_ups/${id}`, { strategy: "email_code" }), "403 sign_up_mode_restricted");
});

test("a sign-up's parameters are checked by name", async () => {
  const idp = await connected();
  const browser = new Browser();
  for (const malformed of ["a@", "nonsense"]) {
    await refused(() => browser.post("/client/sign_ups", { email_address: malformed }), "422 form_param_format_invalid", { param: "email_address" });
  }
  await refused(() => browser.post("/client/sign_ups", { unsafe_metadata: "no json" }), "422 form_param_type_invalid", { param: "unsafe_metadata" });
  const { id } = await begin(browser, { email_address: idp.person().email });
  await refused(() => browser.patch(`/client/sign_ups/${id}`, { ...SSO(), redirect_url: "https://evil.test/" }), "400 resource_missmatch");
  await refused(() => browser.patch(`/client/sign_ups/${id}`, { strategy: "enterprise_sso", action_complete_redirect_url: RETURN().redirect_url }), "422 form_param_missing", { param: "redirect_url" });
});

test("Decision 7: newcomers are made in the callback, so no sign-in waits for a transfer", () =>
  refused(() => new Browser().post("/client/sign_ups", { transfer: true }), "400 account_transfer_invalid"));
