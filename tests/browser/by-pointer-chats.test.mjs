// Prompts, settings, the archive, older chats, older results and paper, by pointer: every step is a click of the mouse or a
// turn of its wheel, but for words that are typed.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { longChat } from "./support/long.mjs";
import { manyChats } from "./support/many.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const titles = (page) => page.locator(".list .chat-link__title").allInnerTexts();
const whose = (person) => `(select id from users where email = '${person.email}')`;

async function arrives(name, options) {
  const person = await home.person(name, options);
  const tab = await person.registers();
  /** Clicks into a field, and types over what is there. */
  const fills = async (field, words) => {
    await field.click({ clickCount: 3 });
    await tab.types(words);
  };
  return { person, tab, page: tab.page, fills };
}

/** Asks with the composer and Send; returns what the provider was asked. */
async function asks(tab, words) {
  const answer = home.provider.answers(words);
  await tab.composer.click();
  await tab.types(words);
  await tab.sendButton.click();
  const body = await answer.asked();
  await tab.page.waitForURL("/chats/*");
  await answer.says("Yes.");
  await answer.ends();
  await tab.sees(words, tab.page.locator("#thread"));
  await tab.seesEnd();
  return body;
}

test("a prompt is chosen in the dialog, filled in, and stands in the composer", async () => {
  const { person, tab, page } = await arrives("Ben");
  await home.ground.sql(`insert into prompts (user_id, name, text) values (${whose(person)}, 'Plain', 'Good morning.'), (${whose(person)}, 'Translate', 'Say “{{what}}” in {{language}}.')`);
  await tab.composer.click();
  await tab.types("/");
  const dialog = page.getByRole("dialog", { name: "Prompts" });
  await dialog.getByRole("link", { name: /^Translate/ }).click();
  const form = page.getByRole("dialog", { name: "Translate" });
  await form.getByLabel("what").click();
  await tab.types("tea");
  await form.getByLabel("language").click();
  await tab.types("Greek");
  await form.getByRole("button", { name: "Put into the composer" }).click();
  await form.waitFor({ state: "hidden" });
  assert.equal(await tab.composer.inputValue(), "Say “tea” in Greek.");
  const answer = home.provider.answers("Say “tea” in Greek.");
  await tab.sendButton.click();
  await answer.asked();
  await answer.ends();

  // in a chat, by the button below the composer; left by Cancel and by the cross
  await tab.seesEnd();
  const button = page.getByRole("link", { name: "Prompts" });
  await button.click();
  await dialog.getByRole("link", { name: /^Translate/ }).click();
  await form.getByRole("link", { name: "Cancel" }).click();
  await form.waitFor({ state: "hidden" });
  await button.click();
  await dialog.getByRole("button", { name: "Close" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await tab.composer.inputValue(), "");
  await button.click();
  await dialog.getByRole("link", { name: /^Plain/ }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await tab.composer.inputValue(), "Good morning.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a prompt is made and shared, changed, and deleted on the page of the settings", async () => {
  const { person, tab, page, fills } = await arrives("Cora");
  await home.ground.sql(`update users set role = 'administrator' where email = '${person.email}'`);
  const { person: dan, tab: other } = await arrives("Dan");
  const offered = async () => {
    await other.page.bringToFront();
    await other.goes("/");
    await other.page.getByRole("link", { name: "Prompts" }).click();
    const dialog = other.page.getByRole("dialog", { name: "Prompts" });
    await other.sees("Make and change prompts", dialog);
    return (await dialog.getByRole("listitem").allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
  };
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Prompts" }).click();
  await fills(page.getByLabel("Name"), "Greet");
  await fills(page.getByLabel("Text"), "Greet {{whom}}.");
  await page.getByText("Share it with everybody here").click();
  await page.getByRole("button", { name: "Save" }).click();
  await tab.sees("Saved.");
  assert.deepEqual(await offered(), ["Greet shared Greet {{whom}}."]);
  await page.getByRole("link", { name: /^Greet/ }).click();
  await fills(page.getByLabel("Name"), "Welcome");
  await page.getByText("Share it with everybody here").click();
  await page.getByRole("button", { name: "Save" }).click();
  await tab.sees("Saved.");
  assert.deepEqual(await offered(), [], "it is shared no longer");
  await page.getByRole("link", { name: /^Welcome/ }).click();
  await page.getByText("Delete this prompt").click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Prompts" }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^Welcome/ }).count(), 0);
  person.hasNothingToComplainAbout();
  await Promise.all([person.leaves(), dan.leaves()]);
});

test("one's own instructions, model of a new chat and temperature; then a chat's own", async () => {
  const { person, tab, page, fills } = await arrives("Eli");
  await page.getByRole("link", { name: "Settings" }).click();
  await fills(page.getByLabel("Instructions"), "Be brief.");
  await tab.picks(page.getByLabel("Model of a new chat"), "thorough");
  await fills(page.getByLabel("Temperature"), "0.4");
  await page.getByRole("button", { name: "Save" }).click();
  await tab.sees("Saved.");
  await page.getByRole("link", { name: "New chat" }).first().click();
  const first = await asks(tab, "Is it late?");
  assert.deepEqual([first.model, first.temperature], ["thorough", 0.4]);
  assert.match(first.messages[0].content, /Be brief\./);

  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.locator("#chat-menu").getByRole("link", { name: "Settings" }).click();
  await page.getByRole("heading", { level: 1, name: "Settings of this chat" }).waitFor();
  await fills(page.getByLabel("System prompt"), "Answer in verse.");
  await tab.picks(page.getByLabel("Model", { exact: true }), "quick");
  await fills(page.getByLabel("Temperature"), "1.5");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL("/chats/*");
  const second = await asks(tab, "And now?");
  assert.deepEqual([second.model, second.temperature], ["quick", 1.5]);
  assert.match(second.messages[0].content, /Be brief\.[^]*Answer in verse\./);
  // and another chat has nothing of it
  await page.getByRole("link", { name: "New chat" }).first().click();
  const third = await asks(tab, "And here?");
  assert.deepEqual([third.model, third.temperature], ["thorough", 0.4]);
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a chat is archived, the archive is leafed through, and chats are brought back from it", async () => {
  const { person, tab, page } = await arrives("Fay");
  await manyChats(home.ground, person.email, 1);
  await home.ground.sql(`update chats set title = 'In the list', active_at = now() where user_id = ${whose(person)}`);
  await manyChats(home.ground, person.email, 51, { archived: true });
  await tab.goes("/");
  const row = page.getByRole("navigation", { name: "Chats" }).getByRole("listitem").filter({ hasText: "In the list" });
  await row.hover();
  await row.getByRole("button", { name: "Menu of In the list" }).click();
  await row.getByRole("button", { name: "Archive" }).click();
  await tab.sees("In the archive:");
  assert.deepEqual(await titles(page), []);
  await page.getByRole("navigation", { name: "Chats" }).getByRole("link", { name: "Archive" }).click();
  await page.getByRole("button", { name: "Bring back: In the list" }).click();
  await until("it is in the list again", async () => (await titles(page)).join() === "In the list");
  await page.getByRole("link", { name: "Older chats" }).last().click();
  await page.getByRole("button", { name: "Bring back: chat 51" }).click();
  await until("the last of the archive is in the list too", async () => (await titles(page)).includes("chat 51"));
  await page.getByRole("button", { name: "Bring back: chat 1", exact: true }).waitFor();
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("older chats come as the wheel turns, older results by their button", async () => {
  const { person, tab, page } = await arrives("Gil");
  await manyChats(home.ground, person.email, 120);
  await longChat(home.ground, person.email, { title: "Birds", count: 70, text: "An answer.", html: "<p>An answer.</p>" });
  await tab.goes("/");
  assert.equal((await titles(page)).length, 50);
  await page.getByRole("link", { name: "chat 1", exact: true }).hover();
  await until("all are there", async () => {
    await page.mouse.wheel(0, 1500);
    return (await titles(page)).length === 121;
  });
  await page.getByRole("link", { name: "chat 120", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "chat 120" }).waitFor();

  await tab.goes("/search");
  await page.getByRole("searchbox", { name: "Words to look for" }).click();
  await tab.types("question");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await tab.sees("The newest 30.");
  await page.getByRole("link", { name: "Older ones" }).click();
  await tab.sees("Found 5 times.");
  await page.locator("main ol").getByRole("link").last().click();
  await page.waitForURL(/#m-/);
  await tab.sees("Question 0 of the long talk");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a conversation is printed without the menu", async () => {
  const { person, tab, page } = await arrives("Hal");
  await page.addInitScript(() => { window.printed = []; window.print = () => window.printed.push(document.querySelectorAll(":popover-open").length); });
  await tab.goes("/");
  await asks(tab, "On paper?");
  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.getByRole("button", { name: "Print" }).click();
  await until("it is printed", () => page.evaluate(() => window.printed.length > 0));
  assert.deepEqual(await page.evaluate(() => window.printed), [0], "once, and nothing is open");

  // of a long one the page has only the newest: it is printed from a page of its own, which has all
  await tab.goes(await longChat(home.ground, person.email, { count: 100, text: "An answer.", html: "<p>An answer.</p>" }));
  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.getByRole("link", { name: "Print" }).click();
  await page.waitForURL(/print$/);
  await until("it prints itself", () => page.evaluate(() => window.printed.length === 1));
  assert.equal(await page.getByRole("article").count(), 100);
  await tab.sees("Question 0 of the long talk");
  await tab.fitsItsWidth();
  await page.getByRole("link", { name: "Back to the chat" }).click();
  await page.waitForURL(/\/chats\/[^/]+$/);
  person.hasNothingToComplainAbout();
  await person.leaves();
});
