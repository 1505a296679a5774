// A house to live in: a provider, a database, a process, a browser. One for each file of tests.

import { after, before } from "node:test";
import { Ground } from "./parlor.mjs";
import { Provider } from "./provider.mjs";
import { Browser } from "./people.mjs";
import { until } from "./wait.mjs";

/** Opens a house before the tests of a file, and closes it after them. `ready` is
 * called when it is open. (Hooks of a file do not wait for one another.) `env` are settings on top; without any, a
 * provider's fault is told at once instead of being tried again. */
export function house({ ready = () => {}, env = {} } = {}) {
  const home = {};
  before(async () => {
    home.provider = await Provider.open();
    home.ground = await Ground.lay({ OPENAI_BASE_URL: home.provider.url, OPENAI_API_KEY: "key", PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE: "0", PARLOR__GENERATION__RETRY: "", ...env });
    [home.parlor, home.browser] = await Promise.all([home.ground.start(), Browser.open()]);
    home.person = (name, options) => home.browser.person(name, home.parlor.origin, options);
    await until("the provider's models are known", async () => (await home.ground.sql("select count(*) from models")) !== "0");
    await ready();
  });
  after(async () => {
    await home.browser?.close();
    await home.parlor?.kill();
    await home.provider?.close();
    await home.ground?.clear();
  });
  return home;
}
