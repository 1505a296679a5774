// The list follows what happens in other tabs, and disturbs nobody who is busy in it.

import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Ground, freePort } from "./support/parlor.mjs";
import { Provider } from "./support/provider.mjs";
import { Browser } from "./support/people.mjs";
import { until } from "./support/wait.mjs";

const home = {};
before(async () => {
  home.provider = await Provider.open();
  home.ground = await Ground.lay({ OPENAI_BASE_URL: home.provider.url, OPENAI_API_KEY: "key", PARLOR__PROVIDERS__OPENAI__REQUESTS_PER_MINUTE: "0", PARLOR__CHATS__TITLES: "true" });
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

const AWAY = [/ERR_(CONNECTION_REFUSED|CONNECTION_RESET|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|ABORTED|SOCKET_NOT_CONNECTED)/, /htmx:(sse:)?error: (network error|Failed to fetch)/];
const titles = (tab) => tab.page.locator(".list .chat-link__title").allInnerTexts();
const row = (tab, title) => tab.page.locator(".chat-row", { has: tab.page.getByRole("link", { name: title }) });
const answers = (tab, title) => row(tab, title).locator(".chat-link__live").getByText("answering");
const reads = (tab, expected) => until(`the list reads ${expected}`, async () => {
  const now = (await titles(tab)).join();
  return now === expected || Promise.reject(now);
});

/** Somebody with chats of these titles, the last the newest, and nothing being made. */
async function withChats(name, names) {
  const person = await home.browser.person(name, home.web.origin, { reducedMotion: "reduce" });
  const tab = await person.registers();
  await home.ground.sql(`with made as (
    insert into chats (user_id, title, titled_by, active_at) select u.id, t, 'person', now() - interval '1 hour' + interval '1 second' * n
    from users u, unnest(array['${names.join("','")}']) with ordinality as t (t, n) where u.name = '${name}' returning id)
    insert into feed_heads (chat_id) select id from made`);
  await tab.goes("/");
  return { person, tab, page: tab.page };
}

/** The page has its feed: what happens from now on comes by it. */
const follows = (tab) => until("the page has its feed", () => tab.page.evaluate(() => document.querySelector("[hx-sse\\:connect]")._htmx?.sse?.status === 200));

test("what is asked in one tab is seen in the lists of the others, also over a restart", async () => {
  const { person, tab } = await withChats("Ana", ["Old times"]);
  const other = await person.opensTab("/settings");
  await follows(other);
  const stranger = await withChats("Zed", ["Mine alone"]);
  await follows(stranger.tab);
  const answer = home.provider.answers("What is new?");
  await tab.asksInNewChat("What is new?");
  await reads(other, "What is new?,Old times");
  await answers(other, "What is new?").waitFor({ state: "attached" });
  await answers(tab, "What is new?").waitFor({ state: "attached" });
  assert.equal(await row(other, "What is new?").locator(".pulse").evaluate((mark) => getComputedStyle(mark).animationIterationCount), "1", "nothing moves for those who want it quiet");
  assert.equal(await row(tab, "What is new?").locator(".chat-link").getAttribute("aria-current"), "page");

  await home.web.kill();
  await answer.says("A lot.");
  await answer.ends();
  await until("it is answered", async () => (await home.ground.sql("select count(*) from generations where state = 'completed'")) === "1");
  home.web = await home.serve();
  for (const each of [tab, other]) {
    await until("nothing is answering", async () => (await answers(each, /./).count()) === 0, 20_000);
    await until("it has a title of its model", async () => !(await titles(each)).join().includes("What is new?"), 20_000);
  }
  assert.equal(await row(tab, /./).locator(".chat-link[aria-current=page]").count(), 1, "the tab's own chat stays marked");
  assert.equal((await titles(stranger.tab)).join(), "Mine alone");

  await row(tab, "Old times").locator(".chat-link").focus();
  await tab.presses("F2");
  await tab.page.keyboard.type("New times");
  await tab.presses("Enter");
  await until("the other tab has the name", async () => (await titles(other)).includes("New times"));
  assert.equal(await other.page.locator("[hx-sse\\:connect]").count(), 1, "one feed a page");
  assert.equal(await tab.page.locator("[hx-sse\\:connect]").count(), 1);
  person.hasNothingToComplainAbout(AWAY);
});

test("renaming, a menu, the focus and the word to undo outlast what happens elsewhere", async () => {
  const { person, tab, page } = await withChats("Bea", ["Alpha", "Beta", "Gamma", "Delta"]);
  const other = await person.opensTab("/settings");
  await follows(other);
  await follows(tab);
  const move = async (title, name) => {
    await row(other, title).hover();
    await row(other, title).getByRole("button", { name: `Menu of ${title}` }).click();
    await row(other, title).getByText(name, { exact: true }).click();
  };
  // renaming
  await row(tab, "Beta").locator(".chat-link").focus();
  await tab.presses("F2");
  await page.keyboard.type("Better");
  await move("Alpha", "Pin");
  await other.sees("Pinned");
  await page.waitForTimeout(500);
  assert.equal((await titles(tab)).join(), "Delta,Gamma,Beta,Alpha", "it holds still");
  await page.keyboard.type(" yet");
  await tab.presses("Enter");
  await reads(tab, "Alpha,Delta,Gamma,Better yet");
  await until("the focus is on it", () => row(tab, "Better yet").locator(".chat-link").evaluate((link) => link === document.activeElement));
  await reads(other, "Alpha,Delta,Gamma,Better yet");
  // the focus goes along
  await row(tab, "Gamma").locator(".chat-link").focus();
  await move("Gamma", "Pin");
  await until("it moved", async () => (await titles(tab)).indexOf("Gamma") < 2);
  assert.ok(await row(tab, "Gamma").locator(".chat-link").evaluate((link) => link === document.activeElement), "the focus went along");
  // a menu
  await row(tab, "Delta").getByRole("button", { name: "Menu of Delta" }).focus();
  await tab.presses("Enter");
  const menu = row(tab, "Delta").locator(".chat-row__menu");
  await menu.waitFor();
  await move("Better yet", "Delete");
  await other.sees("Deleted:");
  await page.waitForTimeout(500);
  assert.ok(await menu.isVisible(), "the menu stays open");
  await tab.presses("Escape");
  await until("then it goes", async () => !(await titles(tab)).includes("Better yet"));
  assert.ok(await row(tab, "Delta").getByRole("button").first().evaluate((button) => button === document.activeElement));
  // the word to undo
  await other.page.locator("#undo").hover();
  await row(tab, "Delta").locator(".chat-link").focus();
  await tab.presses("F2");
  await page.keyboard.type("Epsilon");
  await tab.presses("Enter");
  await until("it is told", async () => (await titles(other)).includes("Epsilon"));
  await other.page.locator("#undo").getByRole("button", { name: "Undo" }).click();
  await until("it is back in both", async () => (await titles(tab)).includes("Better yet") && (await titles(other)).includes("Better yet"));
  person.hasNothingToComplainAbout();
});

test("what was loaded by scrolling stays, and nothing stands there twice", async () => {
  const { person, tab, page } = await withChats("Cem", Array.from({ length: 120 }, (_, n) => `chat ${n + 1}.`));
  await until("all are there", async () => {
    await page.locator(".list__chats").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    return (await titles(tab)).length === 120;
  });
  await follows(tab);
  const other = await person.opensTab("/settings");
  const [old] = (await home.ground.sql("select id from chats where title = 'chat 5.'")).split("\n");
  await other.page.evaluate((id) => fetch(`/chats/${id}/place`, { method: "POST", redirect: "manual", body: new URLSearchParams({ place: "pinned" }) }), old);
  await until("it is on top", async () => (await titles(tab))[0] === "chat 5.");
  const now = await titles(tab);
  assert.deepEqual([now.length, new Set(now).size], [120, 120]);
  // an old one goes from the tab's own menu
  const last = row(tab, "chat 1.");
  await last.hover();
  await last.getByRole("button", { name: "Menu of" }).click();
  await last.getByText("Delete", { exact: true }).click();
  await tab.sees("Deleted:");
  assert.equal((await titles(tab)).length, 119);
  person.hasNothingToComplainAbout();
});
