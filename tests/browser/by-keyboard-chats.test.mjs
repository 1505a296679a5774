// Chats, finding, prompts, settings, and taking chats away and bringing them back, by keyboard alone: nothing is focused or
// pressed by a script.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { house } from "./support/house.mjs";
import { longChat } from "./support/long.mjs";
import { manyChats } from "./support/many.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const titles = (page) => page.locator(".list .chat-link__title").allInnerTexts();
const chatLink = (page, title) => page.getByRole("navigation", { name: "Chats" }).getByRole("link", { name: title, exact: true });

async function arrives(name, options) {
  const person = await home.person(name, options);
  const tab = await person.registers();
  return { person, tab, page: tab.page };
}

/** Asks in the composer, which has the focus or gets it; returns what the provider was asked. */
async function asks(tab, words, reply = "Yes.") {
  const before = tab.page.url();
  await tab.tabsTo(tab.composer);
  const answer = home.provider.answers(words);
  await tab.types(words);
  await tab.presses("Enter");
  if (new URL(before).pathname === "/") await tab.page.waitForURL("/chats/*");
  const body = await answer.asked();
  await answer.says(reply);
  await answer.ends();
  await tab.seesAnswer(reply);
  await tab.seesEnd();
  return body;
}

test("a chat is archived, and brought back from the archive", async () => {
  const { person, tab, page } = await arrives("Ava");
  await manyChats(home.ground, person.email, 2);
  await tab.goes("/");
  await tab.tabsTo(chatLink(page, "chat 1"), { within: 40 });
  await tab.enters(page.getByRole("button", { name: "Menu of chat 1" }), { within: 1 });
  await tab.enters(page.getByRole("group", { name: "Menu of chat 1" }).getByRole("button", { name: "Archive" }), { within: 5 });
  await tab.sees("In the archive:");
  await until("it is gone from the list", async () => (await titles(page)).join() === "chat 2");
  await tab.enters(page.getByRole("navigation", { name: "Chats" }).getByRole("link", { name: "Archive" }), { back: true, within: 20 });
  await page.getByRole("heading", { level: 1, name: "Archive" }).waitFor();
  await tab.enters(page.getByRole("button", { name: "Bring back: chat 1" }), { within: 30 });
  await until("it is in the list again", async () => (await titles(page)).join() === "chat 1,chat 2");
  await tab.sees("Nothing is in the archive.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("older chats come as Tab goes down the list, and the archive is leafed through", async () => {
  const { person, tab, page } = await arrives("Oda");
  await manyChats(home.ground, person.email, 60);
  await manyChats(home.ground, person.email, 51, { archived: true });
  await tab.goes("/");
  assert.equal((await titles(page)).length, 50);
  // the link for more has the focus while they come, and hands it on
  await page.route("**/chats?after=*", async (route) => { await new Promise((soon) => setTimeout(soon, 500)); await route.continue(); });
  await tab.tabsTo(page.getByRole("link", { name: "Older chats" }), { within: 150 });
  await until("the older ones are there", async () => (await titles(page)).length === 60);
  await until("the first of them has the focus", () => chatLink(page, "chat 51").evaluate((link) => link === document.activeElement));
  await tab.enters(chatLink(page, "chat 60"), { within: 30 });
  await page.getByRole("heading", { level: 1, name: "chat 60" }).waitFor();

  await tab.goes("/archive");
  assert.equal(await page.getByRole("button", { name: /^Bring back/ }).count(), 50);
  await tab.enters(page.getByRole("link", { name: "Older chats" }).last(), { back: true, within: 10 });
  await page.waitForURL(/\/archive\?after=/);
  await page.getByRole("button", { name: "Bring back: chat 51" }).waitFor();
  await tab.enters(page.getByRole("link", { name: "To the newest" }), { back: true, within: 10 });
  await page.getByRole("button", { name: "Bring back: chat 1", exact: true }).waitFor();
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("the page of the search: words, older results, and a way to one of them", async () => {
  const { person, tab, page } = await arrives("Pia");
  await longChat(home.ground, person.email, { title: "Birds", count: 70, text: "An answer.", html: "<p>An answer.</p>" });
  // what the palette finds is only the newest
  await tab.presses("Control+k");
  const palette = page.getByRole("dialog", { name: "Search and commands" });
  await palette.getByRole("option", { name: "New chat" }).waitFor();
  await tab.types("question");
  await palette.getByRole("option", { name: "All that is found" }).waitFor();
  await tab.presses("ArrowUp", "Enter");
  await page.waitForURL("/search?q=question");
  // what it does not find is asked again on the page of the search
  await tab.presses("Control+k");
  await palette.getByRole("option", { name: "New chat" }).waitFor();
  await tab.types("hoopoe");
  await tab.sees("Nothing was found.", palette);
  await tab.presses("Enter");
  await page.waitForURL("/search?q=hoopoe");
  await tab.sees(/^Nothing was found\./, page.locator("main"));
  await tab.tabsTo(page.getByRole("searchbox", { name: "Words to look for" }), { within: 30 });
  await tab.presses("Control+A");
  await tab.types("question");
  await tab.presses("Enter");
  await tab.sees("The newest 30.");
  const results = page.locator("main ol").getByRole("link");
  assert.equal(await results.count(), 30);
  await tab.enters(page.getByRole("link", { name: "Older ones" }), { back: true, within: 40 });
  await tab.sees("Found 5 times.");
  assert.equal(await results.count(), 5);
  await tab.enters(results.last(), { back: true, within: 10 });
  await page.waitForURL(/#m-/);
  const first = page.locator("#thread > article", { has: page.getByText("Question 0 of the long talk") });
  await until("it is shown, and has the focus", () => first.evaluate((element) => element === document.activeElement && element.getBoundingClientRect().top >= 0));
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a prompt is made and shared, changed, and deleted on the page of the settings", async () => {
  const { person, tab, page } = await arrives("Ada");
  await home.ground.sql(`update users set role = 'administrator' where email = '${person.email}'`);
  const { tab: other } = await arrives("Bob");
  await tab.goes("/settings/prompts");
  await tab.tabsTo(page.getByLabel("Name"), { within: 40 });
  await tab.types("Greet");
  await tab.tabsTo(page.getByLabel("Text"), { within: 1 });
  await tab.types("Greet {{whom}}.");
  await tab.tabsTo(page.getByRole("checkbox", { name: "Share it with everybody here" }), { within: 1 });
  await tab.presses("Space");
  await tab.enters(page.getByRole("button", { name: "Save" }), { within: 1 });
  await tab.sees("Saved.");
  await tab.sees("shared", page.getByRole("link", { name: /^Greet/ }));

  const offered = async () => {
    await other.goes("/");
    await other.tabsTo(other.composer);
    await other.presses("/");
    const dialog = other.page.getByRole("dialog", { name: "Prompts" });
    await other.sees("Make and change prompts", dialog);
    const prompts = await dialog.getByRole("listitem").allInnerTexts();
    await other.presses("Escape", "Backspace"); // what is in the composer would be there again
    return prompts.map((text) => text.replace(/\s+/g, " "));
  };
  assert.deepEqual(await offered(), ["Greet shared Greet {{whom}}."]);

  await tab.enters(page.getByRole("link", { name: /^Greet/ }), { within: 40 });
  await page.getByRole("heading", { level: 1, name: "Change a prompt" }).waitFor();
  await tab.tabsTo(page.getByLabel("Text"), { within: 40 });
  await tab.presses("Control+A");
  await tab.types("Greet {{whom}} warmly.");
  await tab.enters(page.getByRole("button", { name: "Save" }), { within: 4 });
  await tab.sees("Saved.");
  assert.deepEqual(await offered(), ["Greet shared Greet {{whom}} warmly."]);

  await tab.enters(page.getByRole("link", { name: /^Greet/ }), { within: 40 });
  await tab.enters(page.getByText("Delete this prompt"), { within: 40 });
  await tab.enters(page.getByRole("button", { name: "Delete", exact: true }), { within: 1 });
  await page.waitForURL(/\/settings\/prompts(\?|$)/);
  assert.deepEqual(await offered(), []);
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("one's own instructions, model of a new chat and temperature; then a chat's own", async () => {
  const { person, tab, page } = await arrives("Max");
  await tab.goes("/settings");
  const fills = async (label, words, within = 2) => {
    await tab.tabsTo(page.getByLabel(label, { exact: true }), { within });
    await tab.presses("Control+A");
    await tab.types(words);
  };
  await fills("Instructions", "Be brief.", 40);
  await tab.tabsTo(page.getByLabel("Model of a new chat"), { within: 1 });
  await tab.types("tho");
  await fills("Temperature", "0.4");
  await tab.enters(page.getByRole("button", { name: "Save" }), { within: 5 });
  await tab.sees("Saved.");
  await tab.goes("/");
  const first = await asks(tab, "Is it late?");
  assert.deepEqual([first.model, first.temperature], ["thorough", 0.4]);
  assert.match(first.messages[0].content, /Be brief\./);

  await tab.enters(page.getByRole("button", { name: "Menu of this chat" }), { back: true, within: 20 });
  await tab.enters(page.locator("#chat-menu").getByRole("link", { name: "Settings" }), { within: 6 });
  await page.getByRole("heading", { level: 1, name: "Settings of this chat" }).waitFor();
  await fills("System prompt", "Answer in verse.", 40);
  await tab.tabsTo(page.getByLabel("Model", { exact: true }), { within: 1 });
  await tab.presses("ArrowUp");
  await fills("Temperature", "1.5");
  await tab.enters(page.getByRole("button", { name: "Save" }), { within: 2 });
  await page.waitForURL("/chats/*");
  const second = await asks(tab, "And now?");
  assert.deepEqual([second.model, second.temperature], ["quick", 1.5]);
  assert.match(second.messages[0].content, /Be brief\.[^]*Answer in verse\./);
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a chat is saved as Markdown and as JSON, printed, and brought back from its file", async () => {
  const { person, tab, page } = await arrives("Sal", { acceptDownloads: true });
  await page.addInitScript(() => { window.printed = 0; window.print = () => { window.printed++; }; });
  await tab.goes("/");
  await asks(tab, "Keep this?", "It is kept.");
  const menu = page.locator("#chat-menu");
  const opens = async () => {
    if (await menu.isVisible()) await tab.presses("Escape");
    await tab.enters(page.getByRole("button", { name: "Menu of this chat" }), { back: true, within: 20 });
    await menu.waitFor();
  };
  const saves = async (name) => {
    await opens();
    const [download] = await Promise.all([page.waitForEvent("download"), tab.enters(menu.getByRole("link", { name }), { within: 8 })]);
    return readFileSync(await download.path());
  };
  assert.match((await saves("Save as Markdown")).toString(), /^# Keep this\?\n[^]*It is kept\.\n$/);
  const saved = await saves("Save everything (.json)");
  assert.equal(JSON.parse(saved).messages.length, 2);
  await opens();
  await tab.enters(menu.getByRole("button", { name: "Print" }), { within: 9 });
  await until("it is printed", () => page.evaluate(() => window.printed === 1));
  assert.ok(await menu.isHidden(), "without the menu on it");

  const chat = page.url();
  await tab.goes("/settings/import");
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), tab.enters(page.getByLabel("File"), { within: 40 })]);
  await chooser.setFiles({ name: "kept.json", mimeType: "application/json", buffer: saved });
  await tab.enters(page.getByRole("button", { name: "Import" }), { within: 1 });
  await tab.sees("1 chat is here.");
  await tab.enters(page.getByRole("link", { name: "Open the last one" }), { within: 60 });
  await tab.seesAnswer("It is kept.");
  assert.notEqual(page.url(), chat);
  person.hasNothingToComplainAbout();
  await person.leaves();
});
