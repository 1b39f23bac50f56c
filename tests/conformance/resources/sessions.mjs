import { check, equal, matches, recent, refused, sameSet, section, test, pause } from "../lib/harness.mjs";
import { ids, join, newOrganization, newTeam, newUser, unknown } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("sessions");

const DAY = 24 * 60 * 60 * 1000;
const sessions = () => server.clerk.sessions;
const start = (user, body = {}) => rawOk("POST", "/sessions", { body: { user_id: user.id, ...body } });

test("TOK-11 a session is made for a user, active for seven days", async () => {
  const user = await newUser();
  const session = await sessions().createSession({ userId: user.id });
  const json = last().json;
  matches(session.id, /^sess_[0-9A-Za-z]{27}$/, "id");
  matches(session.clientId, /^client_[0-9A-Za-z]{27}$/, "client_id");
  equal([session.userId, session.status, json.last_active_organization_id ?? null, json.actor ?? null], [user.id, "active", null, null], "session");
  recent(session.createdAt, "created_at");
  recent(session.lastActiveAt, "last_active_at");
  check(Math.abs(session.expireAt - session.createdAt - 7 * DAY) < 60_000, `expire_at: ${session.expireAt - session.createdAt} ms after the start`);
  check(session.abandonAt >= session.expireAt, "abandon_at before expire_at");
});

test("TOK-11 the user must exist and be named", async () => {
  await refused(() => sessions().createSession({ userId: unknown("user") }), "404 resource_not_found | 422 form_resource_not_found");
  await refused(() => raw("POST", "/sessions", { body: {} }), "422 form_param_missing", { param: "user_id" });
});

test("TOK-10 a session can start in an organization of the user", async () => {
  const { admin, organization } = await newTeam();
  const other = await newOrganization();
  await join(other, admin);
  equal((await start(admin, { active_organization_id: other.id })).last_active_organization_id, other.id, "last_active_organization_id");
  equal((await start(admin, { active_organization_id: organization.id })).last_active_organization_id, organization.id, "last_active_organization_id");
});

test("ORG-21 a session cannot start in an organization of others", async () => {
  const { organization } = await newTeam();
  const stranger = await newUser();
  const hidden = "404 resource_not_found | 404 organization_not_found_or_unauthorized";
  await refused(() => raw("POST", "/sessions", { body: { user_id: stranger.id, active_organization_id: organization.id } }), hidden);
  await refused(() => raw("POST", "/sessions", { body: { user_id: stranger.id, active_organization_id: unknown("org") } }), hidden);
  equal((await sessions().getSessionList({ userId: stranger.id })).data, [], "sessions made");
});

test("ORG-8 the organization that a user created is active in the next session", async () => {
  const { admin, organization } = await newTeam();
  equal((await start(admin)).last_active_organization_id, organization.id, "last_active_organization_id");
});

test("MEM-18 the organization that a user was added to is active in the next session", async () => {
  const organization = await newOrganization();
  const user = await newUser();
  await join(organization, user);
  equal((await start(user)).last_active_organization_id, organization.id, "last_active_organization_id");
});

test("TOK-11 a session is read by its id", async () => {
  const session = await start(await newUser());
  const read = await sessions().getSession(session.id);
  equal([read.id, read.userId, read.status, read.expireAt], [session.id, session.user_id, "active", session.expire_at], "session");
  await refused(() => sessions().getSession(unknown("sess")), "404 resource_not_found");
});

test("TOK-11 the sessions of a user are listed, newest first", async () => {
  const user = await newUser();
  const made = [];
  for (let i = 0; i < 3; i += 1) {
    made.push(await start(user));
    await pause(4);
  }
  await start(await newUser());
  const wanted = ids(made).reverse();
  const bare = await rawOk("GET", "/sessions", { query: { user_id: user.id } });
  check(Array.isArray(bare), "not an array");
  equal(ids(bare), wanted, "order");
  const { data, totalCount } = await sessions().getSessionList({ userId: user.id });
  equal([ids(data), totalCount], [wanted, 3], "list of the SDK");
  equal(last().query.get("paginated"), "true", "paginated");
  const pages = [];
  for (const offset of [0, 2, 4]) pages.push(...ids((await sessions().getSessionList({ userId: user.id, limit: 2, offset })).data));
  equal(pages, wanted, "pages");
});

test("TOK-11 the sessions of a client are listed", async () => {
  const session = await start(await newUser());
  equal(ids(await rawOk("GET", "/sessions", { query: { client_id: session.client_id } })), [session.id], "sessions");
  equal(await rawOk("GET", "/sessions", { query: { client_id: unknown("client") } }), [], "unknown client");
  equal(await rawOk("GET", "/sessions", { query: { user_id: unknown("user") } }), [], "unknown user");
});

test("TOK-11 sessions filter by status", async () => {
  const user = await newUser();
  const [one, two] = [await start(user), await start(user)];
  await sessions().revokeSession(one.id);
  const found = async (status) => ids((await sessions().getSessionList({ userId: user.id, status })).data);
  sameSet(await found("active"), [two.id], "active");
  sameSet(await found("revoked"), [one.id], "revoked");
  sameSet(await found("ended"), [], "ended");
  await refused(() => sessions().getSessionList({ userId: user.id, status: "asleep" }), "422 form_param_value_invalid", { param: "status" });
});

test("TOK-11 a revoked session stays revoked and gives no tokens", async () => {
  const session = await start(await newUser());
  const revoked = await sessions().revokeSession(session.id);
  equal([revoked.id, revoked.status], [session.id, "revoked"], "answer");
  equal((await sessions().getSession(session.id)).status, "revoked", "status");
  await refused(() => sessions().getToken(session.id, ""), "404 * | 400 * | 401 * | 422 *");
});

test("TOK-11 an unknown session cannot be revoked", () => refused(() => sessions().revokeSession(unknown("sess")), "404 resource_not_found"));

test("TOK-11 deleting the user ends the sessions", async () => {
  const user = await newUser();
  const session = await start(user);
  await server.clerk.users.deleteUser(user.id);
  const { status, json } = await raw("GET", `/sessions/${session.id}`);
  check(status === 404 || (status === 200 && json.status !== "active"), `status ${status}, session ${json?.status}`);
  await refused(() => sessions().getToken(session.id, ""), "404 * | 400 * | 401 * | 422 *");
});

test("ORG-17 deleting the organization clears it from sessions", async () => {
  const { admin, organization } = await newTeam();
  const session = await start(admin);
  equal(session.last_active_organization_id, organization.id, "before");
  await server.clerk.organizations.deleteOrganization(organization.id);
  const json = await rawOk("GET", `/sessions/${session.id}`);
  equal([json.status, json.last_active_organization_id ?? null], ["active", null], "after");
});
