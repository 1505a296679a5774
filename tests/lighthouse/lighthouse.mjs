// Signs in, talks, and lets Lighthouse look at each screen. Ends with 1 if one falls short.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import lighthouse from "lighthouse";
import { chromium } from "../browser/node_modules/playwright-core/index.mjs";
import { Ground, freePort } from "../browser/support/parlor.mjs";
import { Person } from "../browser/support/people.mjs";
import { Provider } from "../browser/support/provider.mjs";
import { RICH } from "../browser/support/rich.mjs";
import { until } from "../browser/support/wait.mjs";

const CATEGORIES = ["accessibility", "best-practices"];
const SCREENS = { desktop: { mobile: false, width: 1440, height: 900, deviceScaleFactor: 1 }, mobile: { mobile: true, width: 390, height: 844, deviceScaleFactor: 2 } };

const provider = await Provider.open();
const ground = await Ground.lay({ OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: "key", PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE: "0" });
const parlor = await ground.start();
await until("the provider's models are known", async () => (await ground.sql("select count(*) from models")) !== "0");
const port = await freePort();
const profile = mkdtempSync(join(tmpdir(), "parlor-lighthouse-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM,
  baseURL: parlor.origin,
  args: ["--no-sandbox", "--disable-gpu", `--remote-debugging-port=${port}`],
});

/** Scores of a screen, and what kept it from 100. */
async function look(path, formFactor) {
  const flags = { port, formFactor, screenEmulation: SCREENS[formFactor], onlyCategories: CATEGORIES, disableStorageReset: true, logLevel: "error" };
  const { lhr } = await lighthouse(parlor.origin + path, flags);
  if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`);
  const scores = CATEGORIES.map((name) => Math.round(lhr.categories[name].score * 100));
  const faults = CATEGORIES.flatMap((name) => lhr.categories[name].auditRefs)
    .filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < 1)
    .map(({ id }) => `${id}: ${lhr.audits[id].title} ${JSON.stringify(lhr.audits[id].details?.items?.slice(0, 3) ?? "").slice(0, 600)}`);
  return { scores, faults };
}

let short = 0;
async function each(paths) {
  for (const path of paths) {
    for (const formFactor of Object.keys(SCREENS)) {
      const { scores, faults } = await look(path, formFactor);
      short += scores.some((score) => score < 100);
      console.log(`${scores.map((score) => String(score).padStart(4)).join("")}  ${formFactor.padEnd(8)}${path}`);
      faults.forEach((fault) => console.log(`            ${fault}`));
    }
  }
}

try {
  console.log("accessibility, best practices");
  await each(["/login", "/register"]);
  const ann = new Person("Ann", context, parlor.origin);
  const tab = await ann.registers();
  const answer = provider.answers("Show me what you can do");
  await tab.composer.fill(answer.question);
  await tab.sendButton.click();
  await tab.page.waitForURL("/chats/*");
  await answer.says(RICH);
  await answer.ends();
  await tab.seesEnd();
  const chat = new URL(tab.page.url()).pathname;
  await ground.sql("update users set role = 'administrator'");
  await tab.page.close();
  await each(["/", chat, `${chat}/print`, "/search?q=parlor", "/archive", "/folders", "/settings", "/settings/prompts", "/settings/import", "/admin/jobs"]);
} finally {
  await context.close();
  await parlor.kill();
  await provider.close();
  await ground.clear();
  rmSync(profile, { recursive: true, force: true });
}
process.exitCode = short ? 1 : 0;
