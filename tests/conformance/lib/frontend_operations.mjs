// Every operation of the Frontend API that this release serves, and what a full run must have seen it answer.
// `{…}` names something that `specimens` made. `form` is a harmless body.
import { newOrganization } from "./fixtures.mjs";
import { Browser, ok, RETURN } from "./browser.mjs";
import { connected } from "./identity_provider.mjs";

export const OPERATIONS = [
  { method: "GET", path: "/environment", open: true, answers: [200, 400] },
  { method: "PATCH", path: "/environment", open: true, answers: [200, 400] },
  { method: "GET", path: "/client", open: true, answers: [200, 400] },
  { method: "PUT", path: "/client", open: true, answers: [200, 400] },
  { method: "POST", path: "/client", open: true, answers: [200, 400] },
  { method: "DELETE", path: "/client", open: true, answers: [200, 400] },
  { method: "POST", path: "/client/sign_ins", open: true, text: "identifier", form: () => ({}), answers: [200, 400, 422] },
  { method: "GET", path: "/client/sign_ins/{signIn}", answers: [200, 400, 401, 404] },
  { method: "POST", path: "/client/sign_ins/{signIn}/prepare_first_factor", text: "strategy", form: () => ({ strategy: "enterprise_sso", ...RETURN() }), answers: [200, 400, 401, 404, 422] },
  { method: "POST", path: "/client/sign_ups", open: true, text: "email_address", form: () => ({}), answers: [200, 400, 403, 422] },
  { method: "GET", path: "/client/sign_ups/{signUp}", answers: [200, 400, 401, 404] },
  { method: "PATCH", path: "/client/sign_ups/{signUp}", text: "first_name", form: () => ({ first_name: "Intruder" }), answers: [200, 400, 401, 403, 404, 422] },
  { method: "POST", path: "/client/sign_ups/{signUp}/prepare_verification", text: "strategy", form: () => ({ strategy: "enterprise_sso", ...RETURN() }), answers: [200, 400, 401, 404, 422] },
  { method: "GET", path: "/client/sign_ups/{signUp}/enterprise_connections", answers: [200, 400, 401, 404] },
  { method: "DELETE", path: "/client/sessions", answers: [200, 400, 401] },
  { method: "GET", path: "/client/sessions/{session}", answers: [200, 400, 401, 404] },
  { method: "POST", path: "/client/sessions/{session}/touch", text: "active_organization_id", form: () => ({ active_organization_id: "" }), answers: [200, 400, 401, 404, 422] },
  { method: "POST", path: "/client/sessions/{session}/tokens", text: "organization_id", form: () => ({}), answers: [200, 400, 401, 404] },
  { method: "POST", path: "/client/sessions/{session}/end", answers: [200, 400, 401, 404] },
  { method: "POST", path: "/client/sessions/{session}/remove", answers: [200, 400, 401, 404] },
  { method: "GET", path: "/me", answers: [200, 400, 401] },
  { method: "GET", path: "/me/organization_memberships", answers: [200, 400, 401, 422] },
  { method: "DELETE", path: "/me/organization_memberships/{organization}", answers: [200, 400, 401, 403, 404] },
  { method: "GET", path: "/me/organization_creation_defaults", answers: [200, 400, 401, 403] },
  { method: "POST", path: "/organizations", text: "name", form: () => ({ name: "Intruder" }), answers: [200, 400, 401, 403, 422] },
  { method: "GET", path: "/organizations/{organization}", answers: [200, 400, 401, 403, 404] },
  { method: "PATCH", path: "/organizations/{organization}", text: "name", form: () => ({ name: "Intruder" }), answers: [200, 400, 401, 403, 404, 422] },
  { method: "DELETE", path: "/organizations/{organization}", answers: [200, 400, 401, 403, 404] },
  { method: "GET", path: "/organizations/{organization}/roles", answers: [200, 400, 401, 403, 404, 422] },
  { method: "GET", path: "/organizations/{organization}/memberships", answers: [200, 400, 401, 403, 404, 422] },
  { method: "POST", path: "/organizations/{organization}/memberships", text: "user_id", form: () => ({ user_id: "user_intruder", role: "org:admin" }), answers: [200, 400, 401, 403, 404, 422] },
  { method: "PATCH", path: "/organizations/{organization}/memberships/{user}", text: "role", form: () => ({ role: "org:admin" }), answers: [200, 400, 401, 403, 404, 422] },
  { method: "DELETE", path: "/organizations/{organization}/memberships/{user}", answers: [200, 400, 401, 403, 404] },
];

/** Called by identity providers, servers or the address bar: no page's request, so its origin does not matter. */
export const OTHERS = [
  { method: "GET", path: "/client/handshake", answers: [307, 400, 422] },
  { method: "POST", path: "/saml/acs/{connection}", answers: [303, 400, 401, 404] },
  { method: "GET", path: "/saml/finish", answers: [303, 401] },
  { method: "GET", path: "/saml/metadata/{connection}.xml", answers: [200, 404] },
  { method: "GET", path: "/health", answers: [200] },
  { method: "GET", path: "/.well-known/jwks.json", answers: [200] },
];

/** A browser that is signed in and has a sign-in and a sign-up under way. `marks` are texts that only it may read. */
export async function specimens() {
  const organization = await newOrganization();
  const idp = await connected({ organization });
  const browser = new Browser();
  const who = idp.person();
  const session = await browser.signIn(idp, who);
  const others = [idp.person(), idp.person()];
  const { response: signIn } = ok(await browser.post("/client/sign_ins", { identifier: others[0].email }));
  const { response: signUp } = ok(await browser.post("/client/sign_ups", { email_address: others[1].email }));
  const made = { session: session.id, signIn: signIn.id, signUp: signUp.id, organization: organization.id, user: session.user.id };
  return { browser, idp, who, made, marks: [who.email, who.firstName, organization.name, others[0].email, others[1].email] };
}

export function fill(path, made) {
  return path.replace(/\{(\w+)\}/g, (_, name) => made[name]);
}
