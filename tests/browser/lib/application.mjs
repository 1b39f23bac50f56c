// A page with Clerk's published scripts, behind the proxy that Clerk's server SDKs put on the application's own origin.

import { createServer, request } from "node:http";

const page = (publishableKey) => `<!doctype html><meta charset="utf-8"><title>Application</title>
<div id="app"></div>
<script src="/__clerk/npm/@clerk/ui@1/dist/ui.browser.js"></script>
<script src="/__clerk/npm/@clerk/clerk-js@6/dist/clerk.browser.js"
  data-clerk-publishable-key="${publishableKey}" data-clerk-proxy-url="/__clerk"></script>
<script>
  (async () => {
    await window.Clerk.load({
      ui: { ClerkUI: window.__internal_ClerkUICtor },
      signInUrl: "/?mode=sign-in",
      signUpUrl: "/?mode=sign-up",
    });
    const mode = new URLSearchParams(location.search).get("mode");
    const node = document.getElementById("app");
    const ofOrganizations = {
      "create-organization": ["mountCreateOrganization", { skipInvitationScreen: true, afterCreateOrganizationUrl: "/" }],
      "organization-switcher": ["mountOrganizationSwitcher", { afterSelectOrganizationUrl: "/" }],
      "organization-profile": ["mountOrganizationProfile", { afterLeaveOrganizationUrl: "/" }],
    };
    const component = ofOrganizations[mode];
    if (window.Clerk.user && component) window.Clerk[component[0]](node, component[1]);
    else if (window.Clerk.user) node.textContent = "signed in";
    else if (mode === "sign-up") window.Clerk.mountSignUp(node, { forceRedirectUrl: "/", signInForceRedirectUrl: "/" });
    else window.Clerk.mountSignIn(node, { forceRedirectUrl: "/", signUpForceRedirectUrl: "/" });
    window.loaded = true;
  })();
</script>`;

/** Starts it on `port`. */
export function startApplication(port, server) {
  const origin = `http://127.0.0.1:${port}`;
  const target = new URL(server.base);
  const listener = createServer((incoming, outgoing) => {
    if (!incoming.url.startsWith("/__clerk/")) {
      outgoing.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      outgoing.end(page(server.publishableKey));
      return;
    }
    const headers = {
      ...incoming.headers,
      host: target.host,
      "clerk-proxy-url": `${origin}/__clerk`,
      "clerk-secret-key": server.secretKey,
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": `127.0.0.1:${port}`,
      "x-forwarded-proto": "http",
    };
    const path = incoming.url.slice("/__clerk".length);
    const options = { host: target.hostname, port: target.port, method: incoming.method, path, headers };
    const forwarded = request(options, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  return new Promise((resolve) => {
    listener.listen(port, "127.0.0.1", () => resolve({ origin, stop: () => listener.close() }));
  });
}
