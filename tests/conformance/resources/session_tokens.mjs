import { createPublicKey } from "node:crypto";
import { check, equal, matches, refused, section, test } from "../lib/harness.mjs";
import { join, newOrganization, newPermission, newTeam, newUser, unique, unknown, withRole } from "../lib/fixtures.mjs";
import { frontendHost, raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("session_tokens");

const start = (user, body = {}) => rawOk("POST", "/sessions", { body: { user_id: user.id, ...body } });
const token = async (session, expiresInSeconds) => (await server.clerk.sessions.getToken(session.id, "", expiresInSeconds)).jwt;
const part = (jwt, index) => JSON.parse(Buffer.from(jwt.split(".")[index], "base64url").toString("utf8"));
const claimsOf = (jwt) => part(jwt, 1);
const TOKENLESS = "404 * | 400 * | 401 * | 422 *";

async function pem(jwt) {
  const { keys } = await rawOk("GET", "/jwks");
  const jwk = keys.find((key) => key.kid === part(jwt, 0).kid);
  check(jwk, "the token's kid is not in the key set");
  return createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
}

test("TOK-9 the SDK mints a token", async () => {
  const session = await start(await newUser());
  const jwt = await token(session);
  equal(last().json, { object: "token", jwt }, "answer");
});

test("TOK-6 the token is RS256 with a key of the set", async () => {
  const jwt = await token(await start(await newUser()));
  const header = part(jwt, 0);
  equal([header.alg, header.typ], ["RS256", "JWT"], "alg and typ");
  await pem(jwt);
});

test("TOK-1 version 2 claims", async () => {
  const user = await newUser();
  const session = await start(user);
  const claims = claimsOf(await token(session));
  equal([claims.v, claims.sub, claims.sid, claims.sts], [2, user.id, session.id, "active"], "v, sub, sid, sts");
  equal(claims.iss, `https://${frontendHost()}`, "iss");
  check(Array.isArray(claims.fva) && claims.fva.length === 2 && claims.fva.every(Number.isInteger), `fva: ${JSON.stringify(claims.fva)}`);
  for (const name of ["iat", "nbf", "exp"]) check(Number.isInteger(claims[name]), `${name} must be whole seconds: ${claims[name]}`);
  check(Math.abs(claims.iat - Date.now() / 1000) < 10 && claims.nbf <= claims.iat, "iat and nbf");
  check(!("o" in claims), "o without an active organization");
  for (const old of ["org_id", "org_slug", "org_role", "org_permissions"]) check(!(old in claims), `${old} belongs to version 1`);
});

test("TOK-1 every token has its own jti", async () => {
  const session = await start(await newUser());
  const [one, two] = [claimsOf(await token(session)), claimsOf(await token(session))];
  matches(one.jti, /^\S{16,}$/, "jti");
  check(one.jti !== two.jti, "the same jti twice");
});

test("TOK-7 a token lives for sixty seconds, or as long as asked", async () => {
  const session = await start(await newUser());
  const life = (jwt) => claimsOf(jwt).exp - claimsOf(jwt).iat;
  equal(life(await token(session)), 60, "default");
  for (const seconds of [30, 600, 315_360_000]) equal(life(await token(session, seconds)), seconds, "lifetime");
  equal((await raw("POST", `/sessions/${session.id}/tokens`, { body: { expires_in_seconds: null } })).status, 200, "null");
});

test("TOK-7 the lifetime has bounds", async () => {
  const session = await start(await newUser());
  for (const bad of [29, 0, -1, 315_360_001, "soon", 60.5]) {
    await refused(() => raw("POST", `/sessions/${session.id}/tokens`, { body: { expires_in_seconds: bad } }), "422 form_param_value_invalid | 422 form_param_type_invalid | 422 form_param_value_too_large", { param: "expires_in_seconds" });
  }
});

test("TOK-2 the o claim describes the active organization", async () => {
  const { admin, organization } = await newTeam();
  const member = await newUser();
  await join(organization, member);
  const { o } = claimsOf(await token(await start(admin)));
  equal([o.id, o.slg, o.rol], [organization.id, organization.slug, "admin"], "id, slg, rol");
  equal(claimsOf(await token(await start(member))).o.rol, "member", "rol of a member");
});

test("TOK-4 system permissions are not in the token", async () => {
  const { admin } = await newTeam();
  const text = JSON.stringify(claimsOf(await token(await start(admin))));
  check(!text.includes("sys_"), text);
});

/** What an application sees of a request with this token: `has()` of the SDK. */
async function signedIn(jwt) {
  const request = new Request("https://app.example.test/", { headers: { authorization: `Bearer ${jwt}` } });
  const state = await server.clerk.authenticateRequest(request, { jwtKey: await pem(jwt) });
  check(state.isAuthenticated, `not signed in: ${state.reason}`);
  return state.toAuth();
}

test("TOK-2 TOK-3 the SDK's has() knows the permissions of the role, and the next token those of then", async () => {
  const [feature, other] = [unique("reports"), unique("invoices")];
  const [read, write, pay] = [`org:${feature}:read`, `org:${feature}:write`, `org:${other}:write`];
  const made = [];
  for (const key of [read, write, pay]) made.push(await newPermission({ key }));
  const { organization } = await newTeam();
  const user = await newUser();
  await withRole({ permissions: [made[0].id, made[2].id], includeInInitialRoleSet: true }, async (role) => {
    await join(organization, user, role.key);
    const session = await start(user);
    const holds = async () => {
      const auth = await signedIn(await token(session));
      equal([auth.orgId, auth.orgRole], [organization.id, role.key], "organization and role");
      check(auth.has({ role: role.key }) && !auth.has({ role: "org:admin" }), "has({role})");
      return [read, write, pay, `org:${other}:read`, "org:sys_memberships:read"].filter((permission) => auth.has({ permission }));
    };
    equal(await holds(), [read, pay], "permissions");
    await server.clerk.organizationRoles.assignPermissionToOrganizationRole({ organizationRoleId: role.id, permissionId: made[1].id });
    equal(await holds(), [read, write, pay], "one more");
    await server.clerk.organizationRoles.removePermissionFromOrganizationRole({ organizationRoleId: role.id, permissionId: made[0].id });
    equal(await holds(), [write, pay], "one less");
    await server.clerk.organizationPermissions.deleteOrganizationPermission(made[2].id);
    equal(await holds(), [write], "a permission that is gone");
    await server.clerk.organizationRoles.updateOrganizationRole({ organizationRoleId: role.id, permissions: [] });
    equal(await holds(), [], "none");
    await server.clerk.organizations.deleteOrganizationMembership({ organizationId: organization.id, userId: user.id });
  });
  for (const { id } of made.slice(0, 2)) await server.clerk.organizationPermissions.deleteOrganizationPermission(id);
});

test("TOK-3 has() reads a role of seventy actions", async () => {
  const feature = unique("many");
  const made = [];
  for (let n = 0; n < 70; n += 1) made.push(await newPermission({ key: `org:${feature}:a${n}` }));
  const { organization } = await newTeam();
  const user = await newUser();
  const chosen = made.filter((_, n) => n % 3 !== 1);
  await withRole({ permissions: chosen.map((p) => p.id), includeInInitialRoleSet: true }, async (role) => {
    await join(organization, user, role.key);
    const auth = await signedIn(await token(await start(user)));
    equal(made.filter(({ key }) => auth.has({ permission: key })).length, chosen.length, "permissions");
    check(chosen.every(({ key }) => auth.has({ permission: key })), "each of them");
    await server.clerk.organizations.deleteOrganizationMembership({ organizationId: organization.id, userId: user.id });
  });
  for (const { id } of made) await server.clerk.organizationPermissions.deleteOrganizationPermission(id);
});

test("TOK-2 the next token follows role, membership and organization", async () => {
  const { organization } = await newTeam();
  const user = await newUser();
  await join(organization, user);
  const session = await start(user, { active_organization_id: organization.id });
  const organizations = server.clerk.organizations;
  await organizations.updateOrganizationMembership({ organizationId: organization.id, userId: user.id, role: "org:admin" });
  equal(claimsOf(await token(session)).o.rol, "admin", "rol after the change");
  await organizations.updateOrganization(organization.id, { name: "Renamed" });
  await organizations.deleteOrganizationMembership({ organizationId: organization.id, userId: user.id });
  check(!("o" in claimsOf(await token(session))), "o after the removal");
  await join(organization, user);
  const second = await start(user, { active_organization_id: organization.id });
  await organizations.deleteOrganization(organization.id);
  check(!("o" in claimsOf(await token(second))), "o after the deletion");
});

test("TOK-8 the SDK verifies a token by the key set", async () => {
  const user = await newUser();
  const jwt = await token(await start(user));
  const claims = await server.sdk.verifyToken(jwt, { secretKey: server.secretKey, apiUrl: server.base });
  equal(claims.sub, user.id, "sub");
});

test("TOK-6 the SDK verifies a token by a PEM key alone", async () => {
  const user = await newUser();
  const jwt = await token(await start(user));
  const claims = await server.sdk.verifyToken(jwt, { jwtKey: await pem(jwt) });
  equal(claims.sub, user.id, "sub");
});

test("TOK-6 the SDK rejects a token that was tampered with", async () => {
  const jwt = await token(await start(await newUser()));
  const key = await pem(jwt);
  const [header, , signature] = jwt.split(".");
  const payload = Buffer.from(JSON.stringify({ ...claimsOf(jwt), sub: unknown("user") })).toString("base64url");
  let accepted = true;
  try {
    await server.sdk.verifyToken(`${header}.${payload}.${signature}`, { jwtKey: key });
  } catch {
    accepted = false;
  }
  check(!accepted, "a changed token was accepted");
});

test("TOK-1 the SDK authenticates a request that carries the token", async () => {
  const { admin, organization } = await newTeam();
  const session = await start(admin);
  const jwt = await token(session);
  const request = new Request("https://app.example.test/", { headers: { authorization: `Bearer ${jwt}` } });
  const state = await server.clerk.authenticateRequest(request);
  check(state.isAuthenticated, `not signed in: ${state.reason} ${state.message}`);
  const auth = state.toAuth();
  equal([auth.userId, auth.sessionId, auth.orgId, auth.orgRole, auth.orgSlug], [admin.id, session.id, organization.id, "org:admin", organization.slug], "auth");
  check(auth.has({ role: "org:admin" }), "has the role");
  check(!auth.has({ permission: "org:nothing:read" }), "has no permission that was never given");
});

test("TOK-9 an unknown session has no tokens", () => refused(() => server.clerk.sessions.getToken(unknown("sess"), ""), "404 resource_not_found"));

test("TOK-17 no token after the session was revoked", async () => {
  const session = await start(await newUser());
  await token(session);
  await server.clerk.sessions.revokeSession(session.id);
  await refused(() => token(session), TOKENLESS);
});

test("TOK-10 a session keeps its own organization", async () => {
  const user = await newUser();
  const [one, two] = [await newOrganization(), await newOrganization()];
  await join(one, user);
  await join(two, user);
  const left = await start(user, { active_organization_id: one.id });
  const right = await start(user, { active_organization_id: two.id });
  equal([claimsOf(await token(left)).o.id, claimsOf(await token(right)).o.id], [one.id, two.id], "o.id");
});
