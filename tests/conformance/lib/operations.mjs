// Every operation of the Backend API that this release serves, with a harmless body where one is needed.
// `{…}` names something that `specimens` made.
import { domain, newTeam, newUser, unique } from "./fixtures.mjs";
import { rawOk } from "./server.mjs";

export const OPERATIONS = [
  ["GET", "/jwks"],
  ["GET", "/users"],
  ["POST", "/users", () => ({ email_address: [`${unique("intruder")}@people.test`] })],
  ["GET", "/users/count"],
  ["GET", "/users/{user}"],
  ["PATCH", "/users/{user}", () => ({ first_name: "Intruder" })],
  ["DELETE", "/users/{user}"],
  ["PATCH", "/users/{user}/metadata", () => ({ public_metadata: { intruder: true } })],
  ["PUT", "/users/{user}/metadata", () => ({ public_metadata: { intruder: true } })],
  ["GET", "/users/{user}/organization_memberships"],
  ["GET", "/organizations"],
  ["POST", "/organizations", () => ({ name: unique("Intruder ") })],
  ["GET", "/organizations/{organization}"],
  ["PATCH", "/organizations/{organization}", () => ({ name: "Intruder" })],
  ["DELETE", "/organizations/{organization}"],
  ["PATCH", "/organizations/{organization}/metadata", () => ({ public_metadata: { intruder: true } })],
  ["PUT", "/organizations/{organization}/metadata", () => ({ public_metadata: { intruder: true } })],
  ["GET", "/organizations/{organization}/memberships"],
  ["POST", "/organizations/{organization}/memberships", (s) => ({ user_id: s.stranger, role: "org:member" })],
  ["PATCH", "/organizations/{organization}/memberships/{user}", () => ({ role: "org:admin" })],
  ["DELETE", "/organizations/{organization}/memberships/{user}"],
  ["PATCH", "/organizations/{organization}/memberships/{user}/metadata", () => ({ public_metadata: { intruder: true } })],
  ["GET", "/organization_roles"],
  ["POST", "/organization_roles", () => ({ name: "Intruder", key: `org:${unique("intruder")}` })],
  ["GET", "/organization_roles/{role}"],
  ["PATCH", "/organization_roles/{role}", () => ({ name: "Intruder" })],
  ["DELETE", "/organization_roles/{role}"],
  ["POST", "/organization_roles/{role}/permissions/{permission}"],
  ["DELETE", "/organization_roles/{role}/permissions/{permission}"],
  ["GET", "/organization_permissions"],
  ["POST", "/organization_permissions", () => ({ name: "Intruder", key: `org:${unique("intruder")}:read` })],
  ["GET", "/organization_permissions/{permission}"],
  ["PATCH", "/organization_permissions/{permission}", () => ({ name: "Intruder" })],
  ["DELETE", "/organization_permissions/{permission}"],
  ["GET", "/role_sets"],
  ["POST", "/role_sets", () => ({ name: unique("Intruder "), roles: ["org:admin"], default_role_key: "org:admin", creator_role_key: "org:admin" })],
  ["GET", "/role_sets/{roleSet}"],
  ["PATCH", "/role_sets/{roleSet}", () => ({ name: "Intruder" })],
  ["POST", "/role_sets/{roleSet}/replace", (s) => ({ dest_role_set_key: s.roleSet })],
  ["POST", "/role_sets/{roleSet}/roles", () => ({ role_keys: ["org:member"] })],
  ["POST", "/role_sets/{roleSet}/roles/replace", () => ({ role_key: "org:member", to_role_key: "org:admin" })],
  ["GET", "/instance"],
  ["PATCH", "/instance", () => ({ allowed_origins: ["https://intruder.test"] })],
  ["GET", "/instance/organization_settings"],
  ["PATCH", "/instance/organization_settings", () => ({ max_allowed_memberships: 1 })],
  ["GET", "/redirect_urls"],
  ["POST", "/redirect_urls", () => ({ url: `https://${unique("intruder")}.test/` })],
  ["GET", "/redirect_urls/{redirectUrl}"],
  ["DELETE", "/redirect_urls/{redirectUrl}"],
  ["GET", "/enterprise_connections"],
  ["POST", "/enterprise_connections", () => ({ name: "Intruder", provider: "saml_custom", domains: [domain()] })],
  ["GET", "/enterprise_connections/{connection}"],
  ["PATCH", "/enterprise_connections/{connection}", () => ({ name: "Intruder" })],
  ["DELETE", "/enterprise_connections/{connection}"],
  ["GET", "/sessions"],
  ["POST", "/sessions", (s) => ({ user_id: s.user })],
  ["GET", "/sessions/{session}"],
  ["POST", "/sessions/{session}/revoke"],
  ["POST", "/sessions/{session}/tokens", () => ({})],
].map(([method, template, body]) => ({ method, template, body }));

/** Routes that the Frontend API has as well: without a secret key it is the one that answers. */
const SHARED = [
  "POST /organizations",
  "GET /organizations/{organization}",
  "PATCH /organizations/{organization}",
  "DELETE /organizations/{organization}",
  "GET /organizations/{organization}/memberships",
  "POST /organizations/{organization}/memberships",
  "PATCH /organizations/{organization}/memberships/{user}",
  "DELETE /organizations/{organization}/memberships/{user}",
];

export function sharedWithFrontend({ method, template }) {
  return SHARED.includes(`${method} ${template}`);
}

/** The operations whose results come in pages. */
export const LISTS = ["/users", "/users/{user}/organization_memberships", "/organizations", "/organizations/{organization}/memberships", "/organization_roles", "/organization_permissions", "/role_sets", "/redirect_urls", "/enterprise_connections", "/sessions"];

/** One of everything. `marks` are texts that must never leave without a key. */
export async function specimens() {
  const { admin, organization } = await newTeam();
  const stranger = await newUser();
  const connection = await rawOk("POST", "/enterprise_connections", { body: { name: unique("SSO "), provider: "saml_custom", domains: [domain()] } });
  const redirectUrl = await rawOk("POST", "/redirect_urls", { body: { url: `https://${unique("app")}.test/` } });
  const session = await rawOk("POST", "/sessions", { body: { user_id: admin.id } });
  const { data: roles } = await rawOk("GET", "/organization_roles");
  const { data: permissions } = await rawOk("GET", "/organization_permissions");
  const { data: roleSets } = await rawOk("GET", "/role_sets");
  const made = { user: admin.id, stranger: stranger.id, organization: organization.id, connection: connection.id, redirectUrl: redirectUrl.id, session: session.id, role: roles[0].id, permission: permissions[0].id, roleSet: roleSets[0].key };
  const marks = [admin.primaryEmailAddress.emailAddress, organization.name, connection.domains[0], redirectUrl.url];
  return { made, marks };
}

export function fill(template, made) {
  return template.replace(/\{(\w+)\}/g, (_, name) => made[name]);
}
