// What a form's answer brings and what the feed brings meet on the page in any order, and the page is right all the same.

import { after, beforeEach, test } from "node:test";
import { house } from "./support/house.mjs";
import { same } from "./support/people.mjs";
import { until } from "./support/wait.mjs";
import { Wire } from "./support/wire.mjs";

let wire;
const home = house({ ready: async () => { wire = await Wire.between(home.parlor.origin); } });
beforeEach(() => {
  wire?.letsFeedsGo();
  wire?.mendsFeeds();
});
after(() => wire?.close());

const stored = (words) => until(`“${words}” is stored`, async () => (await home.ground.sql(`select count(*) from feed_events where body::text like '%${words}%'`)) !== "0");

async function inAChat(name) {
  const person = await home.browser.person(name, wire.origin);
  const tab = await person.registers();
  await tab.asksInNewChat("Warm up.");
  await tab.seesEnd();
  await until("the feed is open", () => wire.feeds.size > 0);
  return { person, tab };
}

async function readsAsAfterAReload(tab) {
  const shown = await tab.portrait();
  await tab.reloads();
  same(shown, await tab.portrait(), "the page against a reload of it");
}

test("the feed is late: the form's answer comes first", async () => {
  const { person, tab } = await inAChat("Ada");
  wire.holdsFeeds();
  const answer = home.provider.answers("Early bird?");
  await tab.says("Early bird?");
  await tab.sees("Early bird?", tab.page.locator("#thread"));
  await answer.says("First words.\n\nSecond words, and ");
  await stored("Second words");
  wire.letsFeedsGo();
  await tab.seesInAnswer("Second words,", 15_000);
  await answer.says("third.\n\nFourth.");
  await answer.ends();
  await tab.seesEnd();
  await tab.seesAnswer("First words. Second words, and third. Fourth.");
  await readsAsAfterAReload(tab);
  person.hasNothingToComplainAbout();
});

test("the form's answer is lost and asked for again, when some of the answer has come already", async () => {
  const { person, tab } = await inAChat("Bob");
  wire.holdsFeeds();
  const answer = home.provider.answers("Twice?");
  wire.losesNextAnswer(async () => {
    await answer.says("First words.\n\n- one\n- two\n\nSecond words, and ");
    await stored("Second words");
  });
  await tab.says("Twice?");
  await tab.sees("Twice?", tab.page.locator("#thread"));
  wire.letsFeedsGo();
  await tab.seesInAnswer("Second words,", 15_000);
  await answer.says("third.");
  await answer.ends();
  await tab.seesEnd();
  await tab.seesAnswer("First words. one two Second words, and third.");
  await readsAsAfterAReload(tab);
  person.hasNothingToComplainAbout();
});

test("a message is sent while the feed is broken", async () => {
  const { tab } = await inAChat("Cat");
  wire.breaksFeeds();
  const answer = home.provider.answers("Do you hear me?");
  await tab.says("Do you hear me?");
  await tab.sees("Do you hear me?", tab.page.locator("#thread"));
  await answer.says("# Yes\n\nFirst words.\n\nSecond words, and ");
  await stored("Second words");
  wire.mendsFeeds();
  await tab.seesInAnswer("Second words,", 15_000);
  await answer.says("third.");
  await answer.ends();
  await tab.seesEnd();
  await tab.seesAnswer("Yes First words. Second words, and third.");
  await tab.seesNoLonger("Reconnecting…");
  await readsAsAfterAReload(tab);
});

test("a message is sent while the feed is broken, and is answered before it is back", async () => {
  const { tab } = await inAChat("Dot");
  wire.breaksFeeds();
  await tab.says("Anything?");
  await tab.sees("Anything?", tab.page.locator("#thread"));
  const chat = new URL(tab.page.url()).pathname.split("/").at(-1);
  await until("it is answered", async () => (await home.ground.sql(`select count(*) from generations where chat_id = '${chat}' and state = 'completed'`)) === "2");
  wire.mendsFeeds();
  await tab.seesInAnswer("A plain answer.", 15_000);
  await tab.seesEnd();
  await tab.sendButton.waitFor();
  await readsAsAfterAReload(tab);
});

test("the feed is cut again and again", async () => {
  const { tab } = await inAChat("Ema");
  const answer = home.provider.answers("Through the storm?");
  await tab.says("Through the storm?");
  await answer.asked();
  for (let n = 1; n <= 4; n++) {
    await answer.says(`Part ${n} begins, `);
    wire.cutsFeeds();
    await answer.says(`and **ends** here.\n\n- a ${n}\n- b ${n}\n\n`);
    await tab.sees(`b ${n}`);
    await until("the feed is open again", () => wire.feeds.size > 0);
  }
  await answer.ends();
  await tab.seesEnd();
  await tab.seesNoLonger("Reconnecting…");
  await readsAsAfterAReload(tab);
});
