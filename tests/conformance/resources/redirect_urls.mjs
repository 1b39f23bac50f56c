import { check, equal, recent, refused, sameSet, section, test } from "../lib/harness.mjs";
import { ids, unique, unknown } from "../lib/fixtures.mjs";
import { raw, rawOk, server } from "../lib/server.mjs";
import { last } from "../lib/traffic.mjs";

section("redirect_urls");

const urls = () => server.clerk.redirectUrls;
const newUrl = () => `https://${unique("app")}.example.test/callback`;
const BAD = "422 form_param_value_invalid | 422 form_param_format_invalid | 422 invalid_url_scheme | 422 prohibited_redirect_url | 422 invalid_redirect_url | 422 insecure_url";

test("DEC-28 a redirect URL is made, read and deleted", async () => {
  const url = newUrl();
  const made = await urls().createRedirectUrl({ url });
  equal(made.url, url, "url");
  recent(made.createdAt, "created_at");
  const read = await urls().getRedirectUrl(made.id);
  equal([read.id, read.url], [made.id, url], "read");
  const deleted = await urls().deleteRedirectUrl(made.id);
  equal([last().json.object, deleted.id, deleted.deleted], ["redirect_url", made.id, true], "deleted");
  await refused(() => urls().getRedirectUrl(made.id), "404 resource_not_found");
  await refused(() => urls().deleteRedirectUrl(made.id), "404 resource_not_found");
});

test("DEC-28 custom schemes and loopback are welcome", async () => {
  for (const url of [`my-app-${unique()}://oauth-callback`, `http://127.0.0.1:3000/${unique()}`, `http://localhost:3000/${unique()}`]) {
    equal((await urls().createRedirectUrl({ url })).url, url, "url");
  }
});

test("DEC-28 the list is a bare array, and wrapped with paginated=true", async () => {
  const made = [await urls().createRedirectUrl({ url: newUrl() }), await urls().createRedirectUrl({ url: newUrl() })];
  const bare = await rawOk("GET", "/redirect_urls", { query: { limit: 500 } });
  check(Array.isArray(bare), "not an array");
  equal(ids(made).filter((id) => !ids(bare).includes(id)), [], "missing");
  const wrapped = await rawOk("GET", "/redirect_urls", { query: { paginated: true, limit: 500 } });
  sameSet(ids(wrapped.data), ids(bare), "same rows");
  check(wrapped.total_count >= 2, "total_count");
  const { data, totalCount } = await urls().getRedirectUrlList();
  check(data.length >= 2 && totalCount >= 2, "list of the SDK");
});

test("DEC-28 the list comes in pages", async () => {
  await urls().createRedirectUrl({ url: newUrl() });
  await urls().createRedirectUrl({ url: newUrl() });
  const [first] = await rawOk("GET", "/redirect_urls", { query: { limit: 1 } });
  const [second] = await rawOk("GET", "/redirect_urls", { query: { limit: 1, offset: 1 } });
  check(first.id !== second.id, "the same row on two pages");
});

test("DEC-28 a redirect URL is unique", async () => {
  const url = newUrl();
  await urls().createRedirectUrl({ url });
  await refused(() => urls().createRedirectUrl({ url }), "400 duplicate_record | 422 form_already_exists | 422 form_identifier_exists | 422 form_param_value_invalid");
});

test("DEC-28 the URL must be one, and of a harmless scheme", async () => {
  await refused(() => raw("POST", "/redirect_urls", { body: {} }), "422 form_param_missing", { param: "url" });
  for (const url of ["", "not a url", "/relative", "example.test/x", "javascript:alert(1)", "data:text/html,x", "https://"]) {
    await refused(() => raw("POST", "/redirect_urls", { body: { url } }), `${BAD} | 422 form_param_missing | 422 form_param_nil`);
  }
});

test("DEC-28 an unknown id is not found", () => refused(() => urls().getRedirectUrl(unknown("ru")), "404 resource_not_found"));
