// Chromium, kept on this machine.

import { chromium } from "playwright-core";

const ARGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });
}

/** A fresh browser profile that reaches loopback only; what else it asked for is listed in `strays`. */
export async function profile(browser, options = {}) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(30_000);
  const strays = [];
  await context.route(
    (url) => url.protocol.startsWith("http") && url.hostname !== "127.0.0.1",
    (route) => {
      strays.push(route.request().url());
      return route.abort();
    },
  );
  const page = await context.newPage();
  return { context, page, strays };
}
