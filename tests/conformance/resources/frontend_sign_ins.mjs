import { check, equal, refused, section, test } from "../lib/harness.mjs";
import { Browser, ok, RETURN } from "../lib/browser.mjs";
import { domain, newOrganization, newUser, OIDC_BY_HAND, unique, unknown } from "../lib/fixtures.mjs";
import { connected, person } from "../lib/identity_provider.mjs";
import { rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("frontend_sign_ins");

const SSO = () => ({ strategy: "enterprise_sso", ...RETURN() });
const begin = async (browser, form) => ok(await browser.post("/client/sign_ins", form)).response;
const prepare = (browser, signIn, form) => browser.post(`/client/sign_ins/${signIn.id ?? signIn}/prepare_first_factor`, form);
const read = async (browser, id) => ok(await browser.get(`/client/sign_ins/${id}`)).response;

test("DEC-4 an address on a connection's domain is offered nothing but single sign-on, account or not", async () => {
  const idp = await connected();
  const [known, strange] = [idp.person(), idp.person()];
  await newUser({ emailAddress: [known.email] });
  for (const { email } of [known, strange]) {
    const browser = new Browser();
    const signIn = await begin(browser, { identifier: email, locale: "en-GB", timezone: "Europe/Athens" });
    equal([signIn.object, signIn.status, signIn.identifier], ["sign_in_attempt", "needs_first_factor", email], "sign-in");
    equal([signIn.supported_first_factors, signIn.supported_second_factors, signIn.user_data], [[{ strategy: "enterprise_sso" }], null, null], "offered");
    equal(signIn.first_factor_verification, null, "verification");
    check(signIn.abandon_at > Date.now(), "abandon_at");
    equal(await read(browser, signIn.id), signIn, "read back");
  }
});

test("DEC-3 an address elsewhere is offered no single sign-on", async () => {
  const user = await newUser();
  const address = user.emailAddresses[0].emailAddress;
  const signIn = await begin(new Browser(), { identifier: address });
  equal([signIn.status, signIn.supported_first_factors], ["needs_first_factor", []], "sign-in");
  await refused(() => new Browser().post("/client/sign_ins", { identifier: address, ...SSO() }), "422 enterprise_sso_sign_in_connection_missing");
  await refused(() => prepare(new Browser(), unknown("sia"), SSO()), "401 signed_out");
});

test("an empty form begins a sign-in without address", async () => {
  const browser = new Browser();
  const signIn = await begin(browser, {});
  equal([signIn.status, signIn.identifier, signIn.supported_first_factors], ["needs_identifier", null, null], "sign-in");
  await refused(() => prepare(browser, signIn, SSO()), "422 form_param_missing", { param: "identifier" });
});

test("DEC-7 a prepared sign-in leads to the identity provider", async () => {
  const idp = await connected();
  const browser = new Browser();
  const signIn = await begin(browser, { identifier: idp.person().email });
  for (const strategy of ["enterprise_sso", "saml"]) {
    const { response, client } = ok(await prepare(browser, signIn, { ...SSO(), strategy }));
    const verification = response.first_factor_verification;
    equal([verification.object, verification.status, verification.strategy, verification.error], ["verification_saml", "unverified", "enterprise_sso", null], "verification");
    const url = new URL(verification.external_verification_redirect_url);
    equal(`${url.origin}${url.pathname}`, `${idp.origin}/sso`, "redirect");
    for (const name of ["SAMLRequest", "RelayState"]) check(url.searchParams.get(name), `${name} is missing`);
    equal(client.sign_in, response, "client.sign_in");
  }
});

test("X-10 a sign-in through OpenID Connect is verified by it", async () => {
  const name = domain();
  await rawOk("POST", "/enterprise_connections", { body: { name: unique("SSO "), provider: "oidc_custom", domains: [name], active: true, oidc: OIDC_BY_HAND } });
  const signIn = await begin(new Browser(), { identifier: `${unique("p")}@${name}`, ...SSO() });
  const verification = signIn.first_factor_verification;
  equal([verification.object, verification.status, verification.strategy, verification.error], ["verification_oauth", "unverified", "enterprise_sso", null], "verification");
  const url = new URL(verification.external_verification_redirect_url);
  equal([`${url.origin}${url.pathname}`, url.searchParams.get("response_type")], [OIDC_BY_HAND.auth_url, "code"], "redirect");
});

test("DEC-8 one form begins the trip, and its end completes the sign-in", async () => {
  const organization = await newOrganization();
  const idp = await connected({ organization });
  const who = idp.person();
  const browser = new Browser();
  const signIn = await begin(browser, { identifier: who.email, ...SSO() });
  const back = await browser.comeBack(idp, signIn.first_factor_verification.external_verification_redirect_url, who);
  equal(back, RETURN().action_complete_redirect_url, "DEC-9 where the browser is back");
  const done = await read(browser, signIn.id);
  equal([done.status, done.first_factor_verification.status, done.first_factor_verification.error], ["complete", "verified", null], "sign-in");
  const { response: client } = ok(await browser.get("/client"));
  equal(done.created_session_id, client.last_active_session_id, "created_session_id");
  await refused(() => prepare(browser, signIn, SSO()), "404 resource_not_found");
  await refused(() => browser.post("/client/sign_ins", { identifier: who.email }), "400 identifier_already_signed_in");
  equal(last().json.errors[0].meta.session_id, client.last_active_session_id, "DEC-24 meta.session_id");
});

test("LNK-6 the next sign-in of the same person makes no second user and no second membership", async () => {
  const organization = await newOrganization();
  const idp = await connected({ organization });
  const who = idp.person();
  const first = await new Browser().signIn(idp, who);
  const second = await new Browser().signIn(idp, { ...who, lastName: "Murray" });
  equal([second.user.id, second.user.last_name], [first.user.id, "Murray"], "user");
  const { total_count } = await rawOk("GET", `/organizations/${organization.id}/memberships`);
  equal(total_count, 1, "memberships");
});

test("DEC-5 with several connections the person chooses", async () => {
  const name = domain();
  const idps = [await connected({ domain: name }), await connected({ domain: name })];
  const who = person(`${unique("p")}@${name}`);
  const browser = new Browser();
  const signIn = await begin(browser, { identifier: who.email });
  const offered = signIn.supported_first_factors;
  equal(offered.map((factor) => [factor.strategy, factor.enterprise_connection_id, factor.enterprise_connection_name]), idps.map(({ connection }) => ["enterprise_sso", connection.id, connection.name]), "factors");
  await refused(() => prepare(browser, signIn, SSO()), "422 enterprise_connection_id_is_required_with_multiple_connections", { param: "enterprise_connection_id" });
  await refused(() => prepare(browser, signIn, { ...SSO(), enterprise_connection_id: unknown("entconn") }), "404 resource_not_found");
  const { response } = ok(await prepare(browser, signIn, { ...SSO(), enterprise_connection_id: idps[1].connection.id }));
  await browser.comeBack(idps[1], response.first_factor_verification.external_verification_redirect_url, who);
  const { response: client } = ok(await browser.get("/client"));
  equal(client.sessions[0]?.user.enterprise_accounts[0].enterprise_connection_id, idps[1].connection.id, "connection of the account");
});

test("an address that nobody has, or that is none, is told by the field", async () => {
  const browser = new Browser();
  await refused(() => browser.post("/client/sign_ins", { identifier: `${unique()}@nowhere.test` }), "422 form_identifier_not_found", { param: "identifier" });
  await refused(() => browser.post("/client/sign_ins", { identifier: unique() }), "422 form_identifier_not_found", { param: "identifier" });
  for (const malformed of ["a@", "@b.test", "a b@c.test"]) {
    await refused(() => browser.post("/client/sign_ins", { identifier: malformed }), "422 form_param_format_invalid", { param: "identifier" });
  }
  equal(browser.cookies.has("__client"), false, "a refused first call leaves no cookie");
});

test("DEC-13 passwords and other strategies are refused on a connection's domain", async () => {
  const idp = await connected();
  const browser = new Browser();
  const { email } = idp.person();
  await refused(() => browser.post("/client/sign_ins", { identifier: email, password: "x" }), "400 strategy_for_user_invalid");
  const signIn = await begin(browser, { identifier: email });
  for (const strategy of ["email_code", "password", "oauth_google"]) {
    await refused(() => browser.post("/client/sign_ins", { identifier: email, strategy }), "400 strategy_for_user_invalid");
    await refused(() => prepare(browser, signIn, { ...SSO(), strategy }), "400 strategy_for_user_invalid");
  }
  const { strategy, ...without } = SSO();
  await refused(() => prepare(browser, signIn, without), "422 form_param_missing", { param: "strategy" });
  await refused(() => prepare(browser, signIn, { strategy }), "422 form_param_missing", { param: "redirect_url" });
  await refused(() => browser.post("/client/sign_ins", { strategy: "enterprise_sso" }), "422 form_param_missing", { param: "identifier" });
});

test("DEC-14 the username of somebody with single sign-on is told to use the address", async () => {
  const idp = await connected();
  const { user } = await new Browser().signIn(idp, idp.person());
  const username = unique("name");
  await rawOk("PATCH", `/users/${user.id}`, { body: { username } });
  await refused(() => new Browser().post("/client/sign_ins", { identifier: username }), "422 sign_in_must_use_enterprise_connection_identifier", { param: "identifier" });
});

test("DEC-28 a browser is sent to allowed addresses only", async () => {
  const idp = await connected();
  const browser = new Browser();
  const signIn = await begin(browser, { identifier: idp.person().email });
  const good = `${server.base}/app`;
  for (const [url, refusal] of [
    ["https://evil.test/", "400 resource_missmatch"],
    [`${server.base}@evil.test/`, "422 invalid_redirect_url"],
    ["/relative", "422 invalid_redirect_url"],
    ["javascript:alert(1)", "422 invalid_url_scheme"],
  ]) {
    for (const [redirect_url, action_complete_redirect_url] of [[url, good], [good, url]]) {
      const form = { ...SSO(), redirect_url, action_complete_redirect_url };
      await refused(() => prepare(browser, signIn, form), refusal);
      await refused(() => browser.post("/client/sign_ins", { ...form, identifier: signIn.identifier }), refusal);
    }
  }
});

test("DEC-17 what went wrong is kept on the sign-in, and an empty form clears it", async () => {
  const idp = await connected();
  const elsewhere = domain();
  for (const [who, options, code] of [
    [person(`${unique("p")}@${elsewhere}`), {}, "saml_email_address_domain_mismatch"],
    [{ ...idp.person(), email: "" }, {}, "saml_user_attribute_missing"],
    [idp.person(), { forged: true }, "saml_response_invalid"],
  ]) {
    const browser = new Browser();
    const { id, redirect } = await browser.beginSignIn(idp.person().email);
    equal(await browser.comeBack(idp, redirect, who, options), RETURN().redirect_url, "DEC-9 where the browser is back");
    const { status, first_factor_verification: verification } = await read(browser, id);
    equal([status, verification.status, verification.error?.code], ["needs_first_factor", "failed", code], "sign-in");
    if (code === "saml_email_address_domain_mismatch") equal([verification.error.meta.expected_domain, verification.error.meta.received_domain], [idp.domain, elsewhere], "meta");
    const { response: client } = ok(await browser.get("/client"));
    equal([client.sessions, client.sign_in.id], [[], id], "client");
    equal([(await begin(browser, {})).first_factor_verification, browser.cookies.get("__client_uat")], [null, "0"], "after an empty form");
  }
});

test("DEC-15 without a sign-up that waits there is nothing to transfer", async () => {
  await refused(() => new Browser().post("/client/sign_ins", { transfer: true }), "400 account_transfer_invalid");
  await refused(() => new Browser().post("/client/sign_ins", { transfer: "perhaps" }), "422 form_param_type_invalid", { param: "transfer" });
});

test("Decision 4: only the browser that began may finish, and only once", async () => {
  const idp = await connected();
  const who = idp.person();
  const [victim, thief] = [new Browser(), new Browser()];
  const { redirect } = await victim.beginSignIn(who.email);
  await thief.beginSignIn(who.email);
  const posted = await victim.postFrom(idp.origin, idp.acs.pathname, idp.answer(redirect, who));
  equal([posted.status, posted.headers.getSetCookie()], [303, []], "the ACS signs nobody in");
  const finish = posted.headers.get("location");
  check(finish.startsWith(`${server.base}/v1/saml/finish?token=`), `redirect to ${finish.split("?")[0]}`);
  for (const browser of [thief, new Browser()]) await refused(() => browser.visit(finish), "401 saml_response_invalid");
  equal((await victim.visit(finish)).headers.get("location"), RETURN().action_complete_redirect_url, "redirect");
  await refused(() => victim.visit(finish), "401 saml_response_invalid");
  for (const query of ["", "?token=", "?token=nonsense"]) await refused(() => victim.visit(`/v1/saml/finish${query}`), "401 saml_response_invalid");
});

test("SML-8 SML-9 SML-11 the ACS takes only answers to what was asked, once", async () => {
  const idp = await connected();
  const who = idp.person();
  const browser = new Browser();
  const { redirect } = await browser.beginSignIn(who.email);
  const form = idp.answer(redirect, who);
  const post = (path, fields) => browser.postFrom(idp.origin, path, fields);
  const acs = idp.acs.pathname;
  await refused(() => post(acs, { SAMLResponse: form.SAMLResponse }), "400 saml_response_relaystate_missing");
  await refused(() => post(acs, { ...form, RelayState: "nonsense" }), "401 saml_response_invalid");
  await refused(() => post(`/v1/saml/acs/${unknown("samlc")}`, form), "404 saml_connection_active_not_found");
  const other = await connected();
  await refused(() => post(other.acs.pathname, form), "401 saml_response_invalid");
  equal((await post(acs, form)).status, 303, "status");
  await refused(() => post(acs, form), "401 saml_response_invalid");
});

test("SML-1 an ACS post without a response is refused", async () => {
  const idp = await connected();
  const post = (fields) => new Browser().postFrom(idp.origin, idp.acs.pathname, fields);
  await refused(() => post({ RelayState: "x" }), "422 form_param_missing", { param: "SAMLResponse" });
});
