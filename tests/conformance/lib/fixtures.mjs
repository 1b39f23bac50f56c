// What a test needs to exist before it starts. Names carry random suffixes, so tests are independent of each
// other and of whatever a used database already holds.
import { randomBytes } from "node:crypto";
import { pause } from "./harness.mjs";
import { server } from "./server.mjs";

export function unique(prefix = "t") {
  return `${prefix}${randomBytes(6).toString("hex")}`;
}

export function email(prefix = "user") {
  return `${unique(prefix)}@people.test`;
}

export function domain() {
  return `${unique("d")}.test`;
}

export function newUser(params = {}) {
  return server.clerk.users.createUser({ emailAddress: [email()], firstName: "Ada", lastName: "Byron", ...params });
}

/** Users created at different milliseconds, oldest first. */
export async function newUsers(count, params = () => ({})) {
  const users = [];
  for (let i = 0; i < count; i += 1) {
    users.push(await newUser(params(i)));
    await pause(4);
  }
  return users;
}

/** An organization without a seat limit, unless told otherwise. */
export function newOrganization(params = {}) {
  return server.clerk.organizations.createOrganization({ name: unique("Org "), maxAllowedMemberships: 0, ...params });
}

export async function newOrganizations(count, params = () => ({})) {
  const organizations = [];
  for (let i = 0; i < count; i += 1) {
    organizations.push(await newOrganization(params(i)));
    await pause(4);
  }
  return organizations;
}

/** An organization with an administrator. */
export async function newTeam(params = {}) {
  const admin = await newUser();
  const organization = await newOrganization({ createdBy: admin.id, ...params });
  return { admin, organization };
}

export function join(organization, user, role = "org:member") {
  return server.clerk.organizations.createOrganizationMembership({ organizationId: organization.id, userId: user.id, role });
}

export function newPermission(params = {}) {
  const key = `org:${unique("feature")}:read`;
  return server.clerk.organizationPermissions.createOrganizationPermission({ name: "Permission", key, ...params });
}

/**
 * A role of the operator's own, for as long as `use` runs: an instance has ten at most. `use` leaves nobody with it.
 */
export async function withRole(params, use) {
  const roles = server.clerk.organizationRoles;
  const role = await roles.createOrganizationRole({ name: "Role", key: `org:${unique("role")}`, ...params });
  try {
    return await use(role);
  } finally {
    await roles.deleteOrganizationRole(role.id);
  }
}

export function ids(list) {
  return list.map((item) => item.id);
}

/** Ids that are well formed and belong to nobody. */
export function unknown(prefix) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  return `${prefix}_2${[...randomBytes(26)].map((b) => alphabet[b % 62]).join("")}`;
}

/** The OpenID Connect half of a connection whose provider has no discovery document, as the Backend API takes it. */
export const OIDC_BY_HAND = {
  client_id: "client",
  client_secret: "hidden",
  auth_url: "https://op.example.test/authorize",
  token_url: "https://op.example.test/token",
  user_info_url: "https://op.example.test/userinfo",
};
