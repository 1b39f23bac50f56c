// Clerk's organization components, unmodified: members make, switch, rename, manage, leave and delete organizations.

import { fileURLToPath } from "node:url";
import { checksOf, equal, ok } from "../lib/report.mjs";
import { freePort } from "../lib/process.mjs";
import { connect, members, serve } from "../lib/doorward.mjs";
import { startApplication } from "../lib/application.mjs";
import { profile } from "../lib/browser.mjs";
import { picture } from "../lib/inspect.mjs";
import { ALICE, BOB, logInAt } from "../lib/identity_provider.mjs";
import { verified } from "../lib/token.mjs";

const ASSETS = fileURLToPath(new URL("../node_modules/@clerk", import.meta.url));

/** The walk, on SQLite unless a PostgreSQL database is given. */
export async function organizations(browser, idp, binary, database) {
  const check = checksOf("organizations", database);
  const port = await freePort();
  const server = await serve(binary, {
    DOORWARD_CLERK_ASSETS: ASSETS,
    DOORWARD_ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
  }, database);
  const application = await startApplication(port, server);
  const { origin } = application;
  const { organization: company, connection } = await connect(server.api, idp, { domain: "acme.test" });
  idp.trust(connection);

  /** A person's browser, signed in. */
  async function arrive(person) {
    const { context, page } = await profile(browser);
    await page.goto(`${origin}/?mode=sign-in`);
    await page.fill("input[name=identifier]", person.login);
    await page.press("input[name=identifier]", "Enter");
    await logInAt(page, person);
    await page.waitForFunction(() => window.loaded && window.Clerk.user);
    return { context, page, user: await page.evaluate(() => window.Clerk.user.id) };
  }
  const open = async (page, mode) => {
    // Else only the part behind # might change, and the page would stay.
    await page.goto("about:blank");
    await page.goto(`${origin}/?mode=${mode}`);
    await page.waitForFunction(() => window.loaded && window.Clerk.user);
  };
  const submit = (page) => page.click(".cl-formButtonPrimary");
  /** Back at the page that a component leads to when it is done. */
  const arrived = async (page) => {
    await page.waitForURL(`${origin}/`);
    await page.waitForSelector("text=signed in");
  };
  const shown = (page, name) => picture(page, `organizations-${name}`);
  /** The organization of the page's next token. */
  const claim = async (page) => (await verified(server, await page.evaluate(() => window.Clerk.session.getToken({ skipCache: true })))).o;
  const named = async (name) => {
    const { data } = await server.api("GET", "/organizations?limit=100");
    return data.find((organization) => organization.name === name);
  };

  const alice = await arrive(ALICE);
  const bob = await arrive(BOB);
  const { page } = alice;

  await check("ORG-9 CreateOrganization: who makes one runs it and has it active", async () => {
    await open(page, "create-organization");
    await page.waitForSelector("input[name=name]");
    await shown(page, "create");
    await page.fill("input[name=name]", "Rocket Works");
    equal(await page.inputValue("input[name=slug]"), "rocket-works", "the slug that the form made");
    await submit(page);
    await arrived(page);
    equal(await page.evaluate(() => window.Clerk.organization.name), "Rocket Works", "active");
    const made = await named("Rocket Works");
    equal(await members(server.api, made), [[ALICE.login, "org:admin"]]);
    const { id, rol, slg } = await claim(page);
    equal([id, rol, slg], [made.id, "admin", "rocket-works"], "token");
  });

  await check("ORG-6 CreateOrganization: a slug that is taken is told at its field", async () => {
    await open(page, "create-organization");
    await page.fill("input[name=name]", "Rocket Works");
    await submit(page);
    await page.waitForSelector("text=rocket-works is taken already.");
    await shown(page, "create-taken");
    equal((await server.api("GET", "/organizations")).total_count, 2, "organizations");
  });

  await check("TOK-10 OrganizationSwitcher: the organizations are listed, and switching changes the token", async () => {
    await open(page, "organization-switcher");
    await page.click(".cl-organizationSwitcherTrigger");
    await page.waitForSelector(".cl-organizationSwitcherPopoverCard >> text=Acme");
    await page.waitForSelector(".cl-organizationSwitcherPopoverCard >> text=Rocket Works");
    await shown(page, "switcher");
    await page.click(".cl-organizationSwitcherPopoverCard >> text=Acme");
    await arrived(page);
    equal((await claim(page)).id, company.id, "token");
    await open(page, "organization-switcher");
    await page.click(".cl-organizationSwitcherTrigger");
    await page.click(".cl-organizationSwitcherPopoverCard >> text=Rocket Works");
    await arrived(page);
    equal((await claim(page)).slg, "rocket-works", "token");
  });

  let rocket;
  await check("ORG-5 OrganizationProfile: an admin renames the organization, and a bad name is told", async () => {
    rocket = await named("Rocket Works");
    await open(page, "organization-profile");
    await page.click("text=Update profile");
    await page.fill("input[name=name]", "www.rockets.test");
    await submit(page);
    await page.waitForSelector("text=must contain neither URLs nor HTML");
    await page.fill("input[name=name]", "Rocket Laboratory");
    await submit(page);
    await page.waitForSelector("text=Rocket Laboratory");
    await page.waitForSelector("text=Update profile");
    await shown(page, "general");
    equal((await server.api("GET", `/organizations/${rocket.id}`)).name, "Rocket Laboratory", "name");
  });

  const row = (person) => page.locator(".cl-tableBody tr, tbody tr", { hasText: person.login });
  await check("OrganizationProfile: an admin sees the members, and finds one", async () => {
    await page.evaluate(([organization, user]) => window.Clerk.organization.addMember({ userId: user, role: "org:member" }), [rocket.id, bob.user]);
    await open(page, "organization-profile#/organization-members");
    await row(BOB).waitFor();
    await row(ALICE).waitFor();
    await shown(page, "members");
    const search = page.locator("input[type=search]");
    await search.pressSequentially("bob");
    await row(ALICE).waitFor({ state: "detached" });
    equal(await row(BOB).count(), 1, "found");
    await search.fill("");
    await row(ALICE).waitFor();
  });

  await check("TOK OrganizationProfile: a member gets another role, which the member's next token tells", async () => {
    await bob.page.evaluate((id) => window.Clerk.setActive({ organization: id }), rocket.id);
    equal((await claim(bob.page)).rol, "member", "before");
    await row(BOB).locator("button", { hasText: "Member" }).click();
    await page.locator(".cl-selectOption", { hasText: "Admin" }).click();
    await page.waitForFunction(async () => {
      const { data } = await window.Clerk.organization.getMemberships();
      return data.every((membership) => membership.role === "org:admin");
    });
    equal((await claim(bob.page)).rol, "admin", "after");
    equal(await members(server.api, rocket), [[ALICE.login, "org:admin"], [BOB.login, "org:admin"]]);
  });

  await check("ROL-20 OrganizationProfile: a plain member changes nothing", async () => {
    await open(bob.page, "organization-profile");
    await bob.page.waitForSelector("text=Update profile");
    await page.evaluate((user) => window.Clerk.organization.updateMember({ userId: user, role: "org:member" }), bob.user);
    await open(bob.page, "organization-profile");
    await bob.page.waitForSelector("text=Leave organization");
    equal(await bob.page.locator("text=Update profile").count(), 0, "ways to rename");
    equal(await bob.page.locator("text=Delete organization").count(), 0, "ways to delete");
    await open(bob.page, "organization-profile#/organization-members");
    await bob.page.waitForSelector(`text=${ALICE.login}`);
    await shown(bob.page, "members-for-a-member");
    const refused = await bob.page.evaluate(() => window.Clerk.organization.update({ name: "Bob's" }).catch((error) => error.errors[0].code));
    equal(refused, "missing_organization_permission");
  });

  await check("MEM-10 OrganizationProfile: a removed member is out with the next token", async () => {
    await open(page, "organization-profile#/organization-members");
    await row(BOB).locator("button").last().click();
    await page.click("text=Remove member");
    await row(BOB).waitFor({ state: "detached" });
    equal(await members(server.api, rocket), [[ALICE.login, "org:admin"]]);
    await open(bob.page, "organization-switcher");
    equal(await claim(bob.page), undefined, "o");
    await bob.page.click(".cl-organizationSwitcherTrigger");
    await bob.page.waitForSelector(".cl-organizationSwitcherPopoverCard >> text=Acme");
    equal(await bob.page.locator("text=Rocket Laboratory").count(), 0, "still offered");
  });

  await check("MEM-11 OrganizationProfile: the last admin cannot leave, and is told why", async () => {
    await open(page, "organization-profile");
    await page.click(".cl-profileSectionPrimaryButton__organizationDanger >> text=Leave organization");
    await page.fill("input[name=deleteOrganizationConfirmation]", "Rocket Laboratory");
    await submit(page);
    await page.waitForSelector("text=/must keep the permissions|minimum/i");
    await shown(page, "last-admin");
  });

  await check("MEM-9 OrganizationProfile: who came by single sign-on cannot leave, and is told why", async () => {
    await bob.page.evaluate((id) => window.Clerk.setActive({ organization: id }), company.id);
    await open(bob.page, "organization-profile");
    await bob.page.click(".cl-profileSectionPrimaryButton__organizationDanger >> text=Leave organization");
    await bob.page.fill("input[name=deleteOrganizationConfirmation]", "Acme");
    await submit(bob.page);
    await bob.page.waitForSelector("text=/single sign-on/");
    await shown(bob.page, "cannot-leave");
    equal((await members(server.api, company)).length, 2, "members");
  });

  await check("OrganizationProfile: another admin leaves", async () => {
    await page.evaluate((user) => window.Clerk.organization.addMember({ userId: user, role: "org:admin" }), bob.user);
    await bob.page.evaluate((id) => window.Clerk.setActive({ organization: id }), rocket.id);
    await open(bob.page, "organization-profile");
    await bob.page.click(".cl-profileSectionPrimaryButton__organizationDanger >> text=Leave organization");
    await bob.page.fill("input[name=deleteOrganizationConfirmation]", "Rocket Laboratory");
    await submit(bob.page);
    await bob.page.waitForFunction((id) => window.Clerk?.user?.organizationMemberships.every((held) => held.organization.id !== id), rocket.id);
    equal(await members(server.api, rocket), [[ALICE.login, "org:admin"]]);
  });

  await check("ORG-16 OrganizationProfile: an admin deletes the organization", async () => {
    await open(page, "organization-profile");
    await page.click(".cl-profileSectionPrimaryButton__organizationDanger >> text=Delete organization");
    await page.fill("input[name=deleteOrganizationConfirmation]", "Rocket Laboratory");
    await shown(page, "delete");
    await submit(page);
    await arrived(page);
    await server.api("GET", `/organizations/${rocket.id}`, undefined, 404);
    equal(await claim(page), undefined, "o");
  });

  for (const { context } of [alice, bob]) await context.close();
  application.stop();
  await server.stop();
}
