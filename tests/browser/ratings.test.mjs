// Like and dislike under an answer: pressed in place without anything moving, by keyboard, with a note, without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const rating = (tab) => tab.page.locator("#thread > .message .rating").last();
const button = (tab, name) => rating(tab).getByRole("button", { name, exact: true });
const pressed = (tab, like, dislike) => until(`like ${like}, dislike ${dislike}`, async () => {
  const now = await Promise.all(["Like", "Dislike"].map((name) => button(tab, name).getAttribute("aria-pressed")));
  return now.join() === `${like},${dislike}` || Promise.reject(now.join());
});

async function answered(name) {
  const person = await home.person(name);
  const tab = await person.registers();
  await tab.asksInNewChat("Why is the sea salty?");
  await tab.seesEnd();
  return { person, tab, chat: new URL(tab.page.url()).pathname };
}

test("an answer is liked, said why, and disliked; nothing moves, and the other device sees it after a reload", async () => {
  const { person, tab, chat } = await answered("Rita");
  const other = await person.opensTab(chat);
  const places = () => tab.page.evaluate(() => [".composer", "#thread > article:last-of-type .prose", "#thread > article:last-of-type .tools"].map((each) => {
    const { x, y, height } = document.querySelector(each).getBoundingClientRect();
    return [x, y, height].map(Math.round).join();
  }).join(" "));
  await pressed(tab, false, false);
  const before = await places();
  await button(tab, "Like").focus();
  await tab.presses("Enter");
  await pressed(tab, true, false);
  assert.equal(await places(), before, "nothing has moved");
  assert.ok(await button(tab, "Like").evaluate((element) => element === document.activeElement), "the focus stays where it was");
  await other.reloads();
  await pressed(other, true, false);

  await rating(tab).getByRole("link", { name: "Say why" }).click();
  const sheet = tab.page.locator("#more-sheet");
  const field = sheet.getByRole("textbox", { name: "Why?" });
  await field.waitFor();
  assert.ok(await field.evaluate((element) => element === document.activeElement), "one can write at once");
  await field.fill("Short and right.");
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.waitFor({ state: "hidden" });
  await rating(tab).getByRole("link", { name: "Change why" }).click();
  await field.waitFor();
  assert.equal(await field.inputValue(), "Short and right.");
  await tab.presses("Escape");
  await sheet.waitFor({ state: "hidden" });
  assert.ok(await rating(tab).getByRole("link").evaluate((element) => element === document.activeElement), "the focus is back where it came from");

  await button(tab, "Dislike").click();
  await pressed(tab, false, true);
  await rating(tab).getByRole("link", { name: "Say why" }).waitFor();
  await button(tab, "Dislike").click();
  await pressed(tab, false, false);
  assert.equal(await rating(tab).getByRole("link").count(), 0);
  assert.equal(await home.ground.sql(`select count(*) from ratings where chat_id = '${chat.split("/").at(-1)}'`), "0");
});

test("what was pressed stays pressed while the next answer is written and ends", async () => {
  const { tab } = await answered("Rob");
  await button(tab, "Like").click();
  await pressed(tab, true, false);
  const next = home.provider.answers("And the lake?");
  await tab.says("And the lake?");
  await next.says("Rivers.");
  await tab.seesAnswer("Rivers.");
  await next.ends();
  await tab.seesEnd();
  const likes = tab.page.getByRole("button", { name: "Like", exact: true });
  await until("both answers can be rated", async () => (await likes.count()) === 2);
  assert.equal(await likes.first().getAttribute("aria-pressed"), "true");
  assert.equal(await likes.last().getAttribute("aria-pressed"), "false");
});

test("without JavaScript they are forms, and a page asks why", async () => {
  const plain = await home.person("Ned", { javaScriptEnabled: false });
  const tab = await plain.registers();
  await tab.composer.fill("Why is the sea salty?");
  await tab.sendButton.click();
  await tab.page.waitForURL(/\/chats\/[^?]+/);
  const own = new URL(tab.page.url()).pathname;
  const id = own.split("/").at(-1);
  await until("the answer is there", async () => (await home.ground.sql(`select count(*) from generations where chat_id = '${id}' and state = 'completed'`)) === "1");
  await until("the chat is open", () => tab.goes(own).then(() => true, () => false));
  await button(tab, "Like").click();
  await tab.page.waitForURL(/at=/);
  await pressed(tab, true, false);
  await rating(tab).getByRole("link", { name: "Say why" }).click();
  await tab.page.getByRole("textbox", { name: "Why?" }).fill("It is.");
  await tab.page.getByRole("button", { name: "Save" }).click();
  await rating(tab).getByRole("link", { name: "Change why" }).waitFor();
  await button(tab, "Like").click();
  await pressed(tab, false, false);
});
