// Opens a house with a release build, and measures: the figures of benches/README.md.

import { Ground } from "../../tests/browser/support/parlor.mjs";
import { Provider } from "../../tests/browser/support/provider.mjs";
import { Browser } from "../../tests/browser/support/people.mjs";
import { until } from "../../tests/browser/support/wait.mjs";
import { chats } from "./chats.mjs";
import { list } from "./list.mjs";
import { answers } from "./answers.mjs";

const PARTS = { chats, list, answers };
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`benches/browser/run: no part is named ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`);
  process.exit(2);
}

const home = { provider: await Provider.open() };
try {
  home.ground = await Ground.lay({ OPENAI_BASE_URL: home.provider.url, OPENAI_API_KEY: "key", PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE: "0", RUST_LOG: "warn,parlor=info" });
  [home.parlor, home.browser] = await Promise.all([home.ground.start(), Browser.open()]);
  home.person = (name, options) => home.browser.person(name, home.parlor.origin, options);
  await until("the provider's models are known", async () => (await home.ground.sql("select count(*) from models")) !== "0");
  for (const name of wanted.length > 0 ? wanted : Object.keys(PARTS)) await PARTS[name](home);
} finally {
  await home.browser?.close();
  await home.parlor?.kill();
  await home.provider.close();
  await home.ground?.clear();
}
