// What SimpleSAMLphp and samlp say of people: subdomains, attributes that change, fresh sign-ins, whom we expect.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checksOf, equal, ok } from "../lib/report.mjs";
import { profile } from "../lib/browser.mjs";
import { connect, members, serve } from "../lib/doorward.mjs";
import { ALICE, CAROL, ZOE, logInAt, people, startSamlp, startSimpleSamlPhp, withEveryAttribute } from "../lib/identity_provider.mjs";
import { Visitor } from "../lib/visitor.mjs";

const CUSTOM = [
  { name: "Team", key: "team", sso_path: "department", multi_valued: false },
  { name: "Groups", key: "groups", sso_path: "groups", multi_valued: true },
];

/** What Alice's identity provider says of her, one sign-in after the other, and what her account then holds. */
const YEARS = [
  { says: {}, name: "Archer", metadata: { team: "Engineering", groups: ["engineering", "admins", "all-staff"] } },
  {
    says: { lastName: "Ärcher-Ōno", department: 'R&D "core" <1>', groups: ["研究"] },
    name: "Ärcher-Ōno",
    metadata: { team: 'R&D "core" <1>', groups: ["研究"] },
  },
  // What is not said any more: a list is empty, a single value stays.
  { says: { department: null, groups: [] }, name: "Ärcher-Ōno", metadata: { team: 'R&D "core" <1>', groups: [] } },
];

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function samlPeople(browser, idps, binary, database) {
  const check = checksOf("SAML people", database);
  const server = await serve(binary, {}, database);
  const everybody = people(idps);
  const USERS_JSON = everybody.file;
  let number = 0;

  /** A connection for one check, on a server without people; the next gets the domain for itself. */
  const connected = async (idp, { custom_attributes = [], saml, trust }, body) => {
    number += 1;
    for (const { id } of await server.api("GET", "/users?limit=100")) await server.api("DELETE", `/users/${id}`);
    const { organization, connection } = await connect(server.api, idp, { domain: "acme.test", name: `People ${number}`, saml });
    const path = `/enterprise_connections/${connection.id}`;
    try {
      if (custom_attributes.length) await server.api("PATCH", path, { custom_attributes });
      idp.trust(connection, trust);
      await body(connection, organization, (change) => server.api("PATCH", path, change));
    } finally {
      await server.api("DELETE", path);
    }
  };

  const products = {
    SimpleSAMLphp: {
      idp: await startSimpleSamlPhp(withEveryAttribute(idps), { USERS_JSON }),
      // It reads the file at each request.
      heed: async () => {},
      asked: (answer) => answer.trace.some((step) => step.startsWith("POST ") && step.includes("loginuserpass")),
    },
    samlp: {
      idp: await startSamlp(idps, { USERS_JSON }),
      async heed() {
        this.idp = await this.idp.again({ USERS_JSON });
      },
      asked: (answer) => answer.trace.some((step) => step.startsWith("POST ") && step.endsWith("/login")),
    },
  };
  for (const [name, product] of Object.entries(products)) {
    await check(`${name}: people of a subdomain come in where that is allowed, and nowhere else`, () =>
      connected(product.idp, {}, async (connection, organization, change) => {
        const { idp } = product;
        const typed = await (await new Visitor(server).post("/v1/client/sign_ins", { identifier: CAROL.login })).json();
        equal(typed.errors?.[0].code, "form_identifier_not_found", "a subdomain is served though it is not allowed");
        // Alice is typed, but Carol signs in.
        const visitor = new Visitor(server);
        const { url } = await visitor.begin(connection, ALICE.login);
        const refused = await visitor.deliver(idp.login(url, CAROL));
        equal([refused.error?.code, refused.session], ["saml_email_address_domain_mismatch", undefined]);
        equal(await members(server.api, organization), []);
        await change({ saml: { allow_subdomains: true } });
        const session = await new Visitor(server).signIn(idp, connection, CAROL);
        equal(session.user.email_addresses[0].email_address, CAROL.login);
        await new Visitor(server).signIn(idp, connection, ALICE);
        equal(await members(server.api, organization), [[ALICE.login, "org:member"], [CAROL.login, "org:member"]]);
        // Only below a domain that somebody can register.
        const path = `/enterprise_connections/${connection.id}`;
        const below = await server.api("PATCH", path, { domains: ["sub.acme.test"] }, 422);
        equal(below.errors[0].code, "form_param_value_invalid", JSON.stringify(below));
      }));

    await check(`${name}: attributes arrive at every sign-in as the identity provider has them then`, () =>
      connected(product.idp, { custom_attributes: CUSTOM }, async (connection, _, change) => {
        everybody.change(ALICE, { lastName: "Archer", department: "Engineering", groups: YEARS[0].metadata.groups });
        for (const { says, name: lastName, metadata } of YEARS) {
          everybody.change(ALICE, says);
          await product.heed();
          const { user } = await new Visitor(server).signIn(product.idp, connection, ALICE);
          equal([user.last_name, user.public_metadata.team, user.public_metadata.groups], [lastName, metadata.team, metadata.groups]);
        }
        await change({ sync_user_attributes: false });
        everybody.change(ALICE, { lastName: "Other", department: "Other", groups: ["other"] });
        await product.heed();
        const { user } = await new Visitor(server).signIn(product.idp, connection, ALICE);
        const { team, groups } = YEARS.at(-1).metadata;
        equal([user.last_name, user.public_metadata.team, user.public_metadata.groups], ["Ärcher-Ōno", team, groups], "without sync");
      }));

    await check(`${name}: who is signed in there is asked again where a fresh sign-in is wanted`, () =>
      connected(product.idp, {}, async (connection, _, change) => {
        const cookies = join(mkdtempSync(join(tmpdir(), "cookies-")), "jar.json");
        const signIn = async () => {
          const visitor = new Visitor(server);
          const request = await visitor.begin(connection, ALICE.login);
          const answer = product.idp.login(request.url, ALICE, undefined, cookies);
          const { session, error } = await visitor.deliver(answer);
          ok(session, JSON.stringify(error));
          return product.asked(answer);
        };
        equal([await signIn(), await signIn()], [true, false], "asked at the first and at the second sign-in");
        await change({ saml: { force_authn: true } });
        equal([await signIn(), await signIn()], [true, true], "asked with ForceAuthn");
      }));

    await check(`${name}: a request that says whom we expect is taken, also signed, in each mode`, () =>
      connected(product.idp, { custom_attributes: CUSTOM, saml: { sign_requests: true }, trust: { SP_WANT_SIGNED_REQUESTS: "1" } },
        async (connection, _, change) => {
          everybody.change(ALICE, { department: "Engineering" });
          await product.heed();
          const hint = async (login_hint) => {
            await change({ saml: { login_hint } });
            const visitor = new Visitor(server);
            const { url } = await visitor.begin(connection, ALICE.login);
            ok(new URL(url).searchParams.has("Signature"), url);
            const { session, error } = await visitor.deliver(product.idp.login(url, ALICE));
            ok(session, JSON.stringify(error));
            return new URL(url).searchParams.get("login_hint");
          };
          equal(await hint({ mode: "off" }), null);
          equal(await hint({ mode: "email_address" }), ALICE.login);
          equal(await hint({ mode: "custom_attribute", source: "team" }), "Engineering");
          equal(await hint({ mode: "custom_attribute", source: "groups" }), null, "a list is no hint");
        }));
  }

  await check("SimpleSAMLphp: claims named after metadata become metadata, and change with it", () =>
    connected(products.SimpleSAMLphp.idp, {}, async (connection) => {
      const { idp } = products.SimpleSAMLphp;
      for (const plan of ["gold", "„銀\" & <b>"]) {
        everybody.change(ALICE, { public_metadata_plan: plan, public_metadata_seats: ["1", "2"], private_metadata_plan: "x", public_metadata_: "x" });
        const { user } = await new Visitor(server).signIn(idp, connection, ALICE);
        equal(user.public_metadata, { plan, seats: "1" });
      }
    }));

  await check("samlp: a person signs in in a browser, and her name is shown as it is", () =>
    connected(products.samlp.idp, {}, async (_, organization) => {
      const { context, page } = await profile(browser);
      await page.goto(`${server.base}/sign-in`);
      await page.fill("#identifier", ZOE.login);
      await page.press("#identifier", "Enter");
      await page.waitForURL(`${products.samlp.idp.origin}/**`);
      await logInAt(page, ZOE, "email");
      await page.waitForSelector("text=You are signed in");
      ok((await page.textContent("main")).includes('Zoë "Zed" <z> Müller & Søn 山田'), await page.textContent("main"));
      equal(await members(server.api, organization), [[ZOE.login, "org:member"]]);
      await context.close();
    }));
  for (const { idp } of Object.values(products)) await idp.stop();
  await server.stop();
}
