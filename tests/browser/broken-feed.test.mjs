// The web process dies in mid-answer, and comes back: the reader loses nothing but a moment.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Ground, freePort } from "./support/parlor.mjs";
import { Provider } from "./support/provider.mjs";
import { Browser, same } from "./support/people.mjs";
import { until } from "./support/wait.mjs";

const home = {};
before(async () => {
  home.provider = await Provider.open();
  home.ground = await Ground.lay({ OPENAI_BASE_URL: home.provider.url, OPENAI_API_KEY: "key", PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE: "0" });
  home.port = await freePort();
  home.serve = () => home.ground.start(["serve", "--no-jobs"], { PORT: String(home.port) });
  home.web = await home.serve();
  [home.worker, home.browser] = await Promise.all([home.ground.start(["work"]), Browser.open()]);
  await until("the provider's models are known", async () => (await home.ground.sql("select count(*) from models")) !== "0");
});
after(async () => {
  await home.browser?.close();
  await Promise.all([home.web?.kill(), home.worker?.kill()]);
  await home.provider?.close();
  await home.ground?.clear();
});

// what the browser and htmx say by themselves about a house that is not there
const AWAY = [/ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|NETWORK_CHANGED|ABORTED|SOCKET_NOT_CONNECTED)/, /htmx:(sse:)?error: (network error|Failed to fetch)/];
const count = (text, word) => text.split(word).length - 1;

test("kill -9 of the web process in mid-answer, and a restart on the same port", async () => {
  const ola = await home.browser.person("Ola", home.web.origin);
  const tab = await ola.registers();
  await tab.asksInNewChat("Warm up.");
  await tab.seesEnd();

  const answer = home.provider.answers("Tell it all.");
  await tab.says("Tell it all.");
  await answer.says("# Before\n\nThe *first* part, seen by all.\n\n- alpha\n- beta\n\nThe second part ");
  await tab.sees("The second part");
  const other = await ola.opensTab(tab.page.url());
  await other.sees("The second part");

  await home.web.kill();
  await tab.sees("Reconnecting…");
  await other.sees("Reconnecting…");
  assert.equal(await tab.prose.isVisible(), true);
  await answer.says("goes on while nobody looks.\n\n```js\nlet gone = 1;\n");

  home.web = await home.serve();
  for (const each of [tab, other]) {
    await each.seesNoLonger("Reconnecting…");
    await each.seesInAnswer("while nobody looks", 15_000);
  }
  await answer.says("let back = 2;\n```\n\nAnd the end.");
  await answer.ends();
  for (const each of [tab, other]) {
    await each.seesEnd();
    const text = await each.prose.textContent();
    for (const word of ["Before", "first", "alpha", "beta", "second part", "while nobody looks", "let gone = 1", "let back = 2", "And the end."]) {
      assert.equal(count(text, word), 1, `“${word}” is there exactly once`);
    }
  }
  const late = await ola.opensTab(tab.page.url());
  const settled = await late.portrait();
  same(await tab.portrait(), settled, "the page that lived through it");
  same(await other.portrait(), settled, "the other page");

  // the page is still alive: it can send, and be sent to
  await late.says("Still there?");
  await late.seesAnswer("A plain answer.");
  await tab.seesAnswer("A plain answer.");
  await tab.seesEnd(); // its last words come before its end, and a message sent in between is another story
  await tab.says("And you?");
  await tab.sees("And you?", tab.page.locator("#thread"));
  await until("all is told everywhere", async () => (await late.page.locator("#thread footer[data-state=completed]").count()) === 4);
  ola.hasNothingToComplainAbout(AWAY);
});

test("an answer that ended while the web process was away", async () => {
  const pia = await home.browser.person("Pia", home.web.origin);
  const tab = await pia.registers();
  const answer = home.provider.answers("Say it quickly.");
  await tab.asksInNewChat("Say it quickly.");
  await answer.says("Half of it, and ");
  await tab.seesSoFar("Half of it,");
  await home.web.kill();
  await tab.sees("Reconnecting…");
  await answer.says("the other half.");
  await answer.ends();
  await until("the end is stored", async () => (await home.ground.sql(`select state from generations where chat_id = '${new URL(tab.page.url()).pathname.split("/").at(-1)}'`)) === "completed");
  home.web = await home.serve();
  await tab.seesEnd("completed", 20_000);
  await tab.seesAnswer("Half of it, and the other half.");
  await tab.sendButton.waitFor();
  await tab.seesNoLonger("Reconnecting…");
  await until("the list says no more that it is answering", async () => (await tab.page.locator("#list .pulse").count()) === 0);
  const shown = await tab.portrait();
  await tab.reloads();
  same(await tab.portrait(), shown, "after a reload");
  pia.hasNothingToComplainAbout(AWAY);
});

test("a page that was hidden catches up when it is looked at again", async () => {
  const quy = await home.browser.person("Quy", home.web.origin);
  const tab = await quy.registers();
  await tab.asksInNewChat("Warm up.");
  await tab.seesEnd();
  const answer = home.provider.answers("Go on without me.");
  await tab.says("Go on without me.");
  await answer.says("Seen. And ");
  await tab.seesSoFar("Seen.");

  // a headless browser hides no tab by itself, so the page is told what it would be told
  const look = (hidden) => tab.page.evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  const feeds = () => quy.requests.filter((url) => url.includes("/feed")).length;
  const closed = tab.page.waitForEvent("requestfailed", (request) => request.url().includes("/feed"));
  await look(true);
  await closed;
  await answer.says("unseen. And ");
  const opened = feeds();
  await until("it is stored", async () => (await home.ground.sql("select count(*) from feed_events where body::text like '%unseen%'")) !== "0");
  assert.ok(!(await tab.answerText()).includes("unseen"), "a hidden page holds no connection");
  await look(false);
  await tab.seesInAnswer("unseen.");
  assert.equal(feeds(), opened + 1);
  await answer.says("seen again.");
  await answer.ends();
  await tab.seesAnswer("Seen. And unseen. And seen again.");
  await tab.seesEnd();
  const shown = await tab.portrait();
  await tab.reloads();
  same(await tab.portrait(), shown, "after a reload");
  quy.hasNothingToComplainAbout(AWAY);
});
