// Chromium, kept on this machine.

import { chromium } from "playwright-core";

const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** What any profile asked for beyond loopback, and what threw in a page. */
export const strays = [];
export const thrown = [];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });
}

/** A fresh browser profile that reaches loopback only; what else it asked for is listed in `strays`. */
export async function profile(browser, options = {}) {
  const context = await browser.newContext({ serviceWorkers: "block", ...options });
  context.setDefaultTimeout(30_000);
  const own = [];
  await context.route(
    (url) => url.protocol.startsWith("http") && url.hostname !== "127.0.0.1",
    (route) => {
      own.push(route.request().url());
      strays.push(route.request().url());
      return route.abort();
    },
  );
  context.on("weberror", (error) => thrown.push(`${error.page()?.url()}: ${error.error()}`));
  const page = await context.newPage();
  return { context, page, strays: own };
}
