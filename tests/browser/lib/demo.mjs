// The people of `doorward demo`, and what their companies' administrators do.

const member = { role: "member", isWatched: false };
export const ALICE = { ...member, address: "alice@acme.test", name: "Alice Müller", organization: "Acme", by: "SAML" };
export const BOB = { ...member, address: "bob@globex.test", name: "Bob Nováček", organization: "Globex", by: "SAML", role: "admin" };
export const ERIN = { ...member, address: "erin@initech.test", name: "Erin Walsh", organization: "Initech", by: "OpenID Connect" };
/** Of the next two the server keeps asking whether they are still there. */
export const GRACE = { ...member, address: "grace@meadow.test", name: "Grace Okafor", organization: "Meadow", by: "EASIE (Google)", isWatched: true };
export const IRIS = { ...member, address: "iris@harbour.test", name: "Iris Tanaka", organization: "Harbour", by: "EASIE (Microsoft)", isWatched: true };

/** They have addresses on the companies' domains, and accounts that are not the companies'. */
export const OUTSIDERS = [
  { address: "sam@meadow.test", name: "Sam Reed", reason: "there is no hd, expected one of meadow.test" },
  { address: "mallory@harbour.test", name: "Mallory Moore", reason: "tid: expected " },
];

/** Suspends or restores somebody at the identity providers' start page. */
export async function setAtWork(page, idp, { name }, action) {
  await page.goto(idp);
  const other = action === "Suspend" ? "Restore" : "Suspend";
  await page.click(`button[aria-label="${action} ${name}"]`);
  await page.waitForSelector(`button[aria-label="${other} ${name}"]`);
}
