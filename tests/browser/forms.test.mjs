// Every act of the room as a form or a link, with JavaScript off: what the provider is asked, and what stands on the page after.

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { house } from "./support/house.mjs";
import { longChat } from "./support/long.mjs";
import { manyChats } from "./support/many.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const CHAT = /\/chats\/[0-9a-f-]+$/;
const LIVE = /\/chats\/[0-9a-f-]+\?live$/;

/** Somebody without scripts, with an account. */
async function visits(name) {
  const person = await home.person(name, { javaScriptEnabled: false, acceptDownloads: true });
  return person.registers();
}

/** An answer was begun by some form: the page leads itself to where it is held open, and back once it is over. */
async function comes(tab, answer, words) {
  await tab.page.waitForURL(LIVE, { waitUntil: "commit" });
  await answer.says(words);
  await answer.ends();
  await tab.sees("The answer is complete.");
  await settles(tab);
}

async function settles(tab) {
  await tab.page.getByRole("link", { name: "Reload" }).click();
  await tab.page.waitForURL(CHAT);
}

async function sends(tab, text) {
  await tab.composer.fill(text);
  await tab.sendButton.click();
}

/** Asks, is answered so, and is back on the chat's page; gives what the provider was asked. */
async function asks(tab, question, words) {
  const answer = home.provider.answers(question);
  await sends(tab, question);
  await comes(tab, answer, words);
  return answer.asked();
}

const question = (tab) => tab.page.locator("#thread > .message--me").last();
const answerTo = (tab, words) => tab.page.locator("#thread > .message--me", { hasText: words }).locator("xpath=following-sibling::article[1]");
/** The page says so, at once or soon. */
const is = (what, get, expected) => until(what, async () => { assert.deepEqual(await get(), expected); return true; });
const reads = (tab, ...expected) => is("the chat reads so", async () => (await tab.page.locator("#thread > article > .prose").allInnerTexts()).map((text) => text.trim()), expected);
const isVersion = (of, expected) => is("it is this version", async () => (await of.getByRole("navigation", { name: "Versions" }).innerText()).replace(/\s/g, ""), expected);
const said = ({ messages }) => messages.map(({ role, content }) => `${role}: ${content}`);
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
const list = (page) => page.getByRole("navigation", { name: "Chats" });
const row = (page, title) => list(page).getByRole("listitem").filter({ has: page.getByRole("link", { name: title, exact: true }) });
const titles = (page) => list(page).locator(".chat-link__title").allInnerTexts();
const lists = (page, ...expected) => is("the list has these chats", () => titles(page), expected);

async function inMenuOf(page, title, name) {
  await row(page, title).hover();
  await row(page, title).getByRole("button", { name: `Menu of ${title}` }).click();
  await row(page, title).getByText(name, { exact: true }).click();
}

/** The message with these words is near the top of the room. */
const inSight = (tab, words) => until(`“${words}” is in sight`, async () => {
  const box = await tab.page.locator("#thread > article", { hasText: words }).boundingBox();
  return (box && box.y > 0 && box.y < 200) || Promise.reject(JSON.stringify(box));
});

test("a question is said otherwise and asked anew, and both versions stay", async () => {
  const tab = await visits("Eva");
  const { page } = tab;
  await asks(tab, "Why is the sea salty?", "Salt of rocks.");
  await question(tab).getByRole("link", { name: "Edit" }).click();
  await heading(page, "Edit your message");
  assert.equal(await page.getByRole("textbox", { name: "Edit" }).inputValue(), "Why is the sea salty?");
  await page.getByRole("link", { name: "Cancel" }).click();
  await reads(tab, "Why is the sea salty?", "Salt of rocks.");

  const lake = home.provider.answers("Why is the lake not?");
  await question(tab).getByRole("link", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Edit" }).fill("Why is the lake not?");
  await page.getByRole("button", { name: "Save and ask" }).click();
  await comes(tab, lake, "Rivers leave it.");
  assert.deepEqual(said(await lake.asked()), ["user: Why is the lake not?"]);
  await reads(tab, "Why is the lake not?", "Rivers leave it.");
  await isVersion(question(tab), "‹2/2›");
  await question(tab).getByRole("button", { name: "The version before" }).click();
  await reads(tab, "Why is the sea salty?", "Salt of rocks.");
  await question(tab).getByRole("button", { name: "The next version" }).click();
  await reads(tab, "Why is the lake not?", "Rivers leave it.");

  // only saved, and asked later
  await question(tab).getByRole("link", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Edit" }).fill("And the pond?");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await reads(tab, "And the pond?");
  const pond = home.provider.answers("And the pond?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await comes(tab, pond, "Rain fills it.");
  await reads(tab, "And the pond?", "Rain fills it.");
  await isVersion(question(tab), "‹3/3›");
  tab.person.hasNothingToComplainAbout();
});

test("an answer is edited, and the model is told the new words from then on", async () => {
  const tab = await visits("Ada");
  const { page } = tab;
  await asks(tab, "Why is the sea salty?", "Salt of rocks.");
  await tab.answer.getByRole("link", { name: "Edit" }).click();
  await heading(page, "Edit this answer");
  assert.equal(await page.getByRole("textbox", { name: "Edit" }).inputValue(), "Salt of rocks.");
  await page.getByRole("textbox", { name: "Edit" }).fill("Because **I** say so.");
  await page.getByRole("button", { name: "Save" }).click();
  await reads(tab, "Why is the sea salty?", "Because I say so.");
  await tab.sees("edited", tab.answer);
  await isVersion(tab.answer, "‹2/2›");
  const body = await asks(tab, "Really?", "No.");
  assert.deepEqual(said(body), ["user: Why is the sea salty?", "assistant: Because **I** say so.", "user: Really?"]);
  await answerTo(tab, "Why is the sea salty?").getByRole("button", { name: "The version before" }).click();
  await reads(tab, "Why is the sea salty?", "Salt of rocks.");
  tab.person.hasNothingToComplainAbout();
});

test("an answer that was stopped goes on, is cut off, and goes on", async () => {
  const tab = await visits("Oda");
  const { page } = tab;
  const begun = home.provider.answers("Tell me a story.");
  await sends(tab, "Tell me a story.");
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  await begun.says("A story:\n\nOnce upon a ti");
  await tab.sees("A story:");
  await page.getByRole("button", { name: "Stop" }).first().click();
  await begun.closed();
  await page.waitForURL(CHAT);
  await tab.sees("Stopped.", tab.answer);
  await tab.seesAnswer("A story: Once upon a ti");

  const more = home.provider.continues();
  await tab.answer.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  assert.deepEqual(said(await more.asked()).slice(0, 2), ["user: Tell me a story.", "assistant: A story:\n\nOnce upon a ti"]);
  await more.says("me there w");
  await more.breaks();
  await settles(tab);
  await tab.seesEnd("interrupted");
  await tab.seesAnswer("A story: Once upon a time there w");

  const last = home.provider.continues();
  await tab.answer.getByRole("button", { name: "Continue" }).click();
  await comes(tab, last, "as a king.");
  await tab.seesAnswer("A story: Once upon a time there was a king.");
  await isVersion(tab.answer, "‹3/3›");
  assert.equal(await page.getByRole("button", { name: "Continue" }).count(), 0);
  tab.person.hasNothingToComplainAbout();
});

test("a question is put to another model", async () => {
  const tab = await visits("Kim");
  const { page } = tab;
  assert.equal((await asks(tab, "Why is the sea salty?", "Salt of rocks.")).model, "quick");
  await tab.answer.getByRole("link", { name: "More" }).click();
  await heading(page, "Answer");
  const again = home.provider.answers("Why is the sea salty?");
  await page.getByLabel("Answer again with").selectOption({ label: "thorough" });
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await comes(tab, again, "Thoroughly: rocks.");
  assert.equal((await again.asked()).model, "thorough");
  await reads(tab, "Why is the sea salty?", "Thoroughly: rocks.");
  await tab.sees(/^thorough · 5 tokens$/, tab.answer);
  await isVersion(tab.answer, "‹2/2›");
  await tab.answer.getByRole("button", { name: "The version before" }).click();
  await tab.sees(/^quick · 5 tokens$/, tab.answer);
  tab.person.hasNothingToComplainAbout();
});

test("the next message is sent from the page that was held open", async () => {
  const tab = await visits("Uwe");
  const one = home.provider.answers("One?");
  await sends(tab, "One?");
  await tab.page.waitForURL(LIVE, { waitUntil: "commit" });
  await one.says("First.");
  await one.ends();
  await tab.sees("The answer is complete.");
  const two = home.provider.answers("Two?");
  await sends(tab, "Two?");
  assert.deepEqual(said(await two.asked()), ["user: One?", "assistant: First.", "user: Two?"]);
  await tab.sees("Two?", question(tab));
  await comes(tab, two, "Second.");
  await reads(tab, "One?", "First.", "Two?", "Second.");
  tab.person.hasNothingToComplainAbout();
});

test("a message in line is said otherwise before it is sent", async () => {
  const tab = await visits("Ida");
  const { page } = tab;
  const first = home.provider.answers("The first?");
  await sends(tab, "The first?");
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  await first.asked();
  await page.getByRole("link", { name: "Write the next message" }).click();
  await sends(tab, "The secnod?");
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  await page.getByRole("link", { name: "Write the next message" }).click();
  await tab.sees("In line: sent after the answer above.", answerTo(tab, "The secnod?"));
  await answerTo(tab, "The secnod?").getByRole("link", { name: "Edit" }).click();
  await tab.sees("It was not sent yet, so it is changed where it stands.");
  await page.getByRole("textbox", { name: "Edit" }).fill("The second?");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(LIVE, { waitUntil: "commit" });

  const second = home.provider.answers("The second?");
  await first.says("One.");
  await first.ends();
  await tab.sees("The answer is complete.");
  await page.getByRole("link", { name: "Reload" }).click();
  assert.deepEqual(said(await second.asked()), ["user: The first?", "assistant: One.", "user: The second?"]);
  await comes(tab, second, "Two.");
  await reads(tab, "The first?", "One.", "The second?", "Two.");
  assert.equal(await page.getByRole("navigation", { name: "Versions" }).count(), 0, "it was changed where it stood");
  tab.person.hasNothingToComplainAbout();
});

test("a message that is held is sent by hand", async () => {
  const tab = await visits("Pat");
  const { page } = tab;
  const first = home.provider.answers("Will it work?");
  await sends(tab, "Will it work?");
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  await first.asked();
  await page.getByRole("link", { name: "Write the next message" }).click();
  await sends(tab, "And this?");
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  await first.fails(400);
  await settles(tab);
  await tab.sees("Not sent yet, because the answer above did not come.", answerTo(tab, "And this?"));
  const second = home.provider.answers("And this?");
  await page.getByRole("button", { name: "Send now" }).click();
  await comes(tab, second, "It does.");
  await tab.seesAnswer("It does.");
  assert.equal(await page.getByRole("button", { name: "Send now" }).count(), 0);
  tab.person.hasNothingToComplainAbout();
});

test("a message far up in a long chat has a link, which shows it in another tab too", async () => {
  const tab = await visits("Lin");
  const { page, person } = tab;
  const html = "<p>An answer that takes some room, as answers do.</p>".repeat(5);
  const chat = await longChat(home.ground, person.email, { count: 140, text: "An answer.", html });
  await tab.goes(chat);
  await tab.sees("Question 138 of the long talk");
  for (const newest of [100, 60]) {
    await page.getByRole("link", { name: "Earlier messages" }).click();
    await tab.sees(`Question ${newest - 2} of the long talk`);
  }
  await page.locator("article", { hasText: "Question 40 of" }).getByRole("link", { name: "More" }).click();
  await heading(page, "Your message");
  await tab.sees("Question 40 of the long talk");
  await page.getByRole("link", { name: "Link to this message" }).click();
  await page.waitForURL(/\?at=[0-9a-f-]+#m-/);
  await inSight(tab, "Question 40 of");
  const { pathname, search, hash } = new URL(page.url());
  const other = await person.opensTab(pathname + search + hash);
  await inSight(other, "Question 40 of");
  assert.equal(await other.page.getByText("Question 138 of the long talk").count(), 0);
  // what is sent from here goes to the end of the chat
  const body = await asks(other, "And what was the first?", "The question with number 0.");
  assert.match(said(body).at(-3), /^user: Question 138 of/);
  await other.seesAnswer("The question with number 0.");
  await page.getByRole("link", { name: "To the newest messages" }).click();
  await tab.seesAnswer("The question with number 0.");
  person.hasNothingToComplainAbout();
});

test("a prompt is shared, used by somebody else, changed and deleted", async () => {
  const root = await visits("Root");
  await home.ground.sql(`update users set role = 'administrator' where email = '${root.person.email}'`);
  const eve = await visits("Eve");
  const saves = async (name, text) => {
    await root.page.getByLabel("Name").fill(name);
    await root.page.getByLabel("Text").fill(text);
    await root.page.getByRole("button", { name: "Save" }).click();
    await root.page.getByRole("link", { name }).waitFor();
  };
  const offered = async () => {
    await eve.goes("/");
    await eve.page.getByRole("link", { name: "Prompts", exact: true }).click();
    return eve.page.getByRole("main").getByRole("listitem").allInnerTexts();
  };
  await root.goes("/settings/prompts");
  await root.page.getByLabel("Share it with everybody here").check();
  await saves("Ask", "What is {{thing}}?");
  await saves("Mine", "Only for me.");
  assert.deepEqual((await offered()).map((one) => one.replace(/\s+/g, " ")), ["Ask shared What is {{thing}}?"]);
  await eve.page.getByRole("link", { name: "Ask" }).click();
  await eve.page.getByLabel("thing").fill("a parlor");
  await eve.page.getByRole("button", { name: "Put into the composer" }).click();
  const answer = home.provider.answers("What is a parlor?");
  assert.equal(await eve.composer.inputValue(), "What is a parlor?");
  await eve.sendButton.click();
  await comes(eve, answer, "A room to talk in.");

  await root.page.getByRole("link", { name: "Ask" }).click();
  await heading(root.page, "Change a prompt");
  assert.ok(await root.page.getByLabel("Share it with everybody here").isChecked());
  await saves("Ask twice", "What is {{thing}}, and why?");
  assert.match((await offered()).join(), /^Ask twice .*and why/s);
  assert.equal((await eve.goes("/settings/prompts")).status(), 200);
  await eve.sees("Ask twice");
  assert.equal(await eve.page.getByRole("link", { name: "Ask twice" }).count(), 0, "it is not hers to change");

  await root.page.getByRole("link", { name: "Ask twice" }).click();
  await root.page.getByLabel("Share it with everybody here").uncheck();
  await root.page.getByRole("button", { name: "Save" }).click();
  await root.sees("Saved.");
  assert.deepEqual(await offered(), []);

  await root.page.getByRole("link", { name: "Ask twice" }).click();
  await root.page.getByText("Delete this prompt").click();
  await root.page.getByRole("button", { name: "Delete", exact: true }).click();
  await root.page.waitForURL(/\/settings\/prompts$/);
  await root.page.getByRole("link", { name: "Mine" }).waitFor();
  assert.equal(await root.page.getByRole("link", { name: "Ask twice" }).count(), 0);
  for (const each of [root, eve]) each.person.hasNothingToComplainAbout();
});

test("new chats begin with one's own instructions, model and temperature", async () => {
  const tab = await visits("Ann");
  const { page } = tab;
  const settings = async (words, model, temperature) => {
    await tab.goes("/settings");
    await page.getByLabel("Instructions").fill(words);
    await page.getByLabel("Model of a new chat").selectOption({ label: model });
    await page.getByLabel("Temperature").fill(temperature);
    await page.getByRole("button", { name: "Save" }).click();
    await tab.sees("Saved.");
  };
  await settings("Be brief.", "thorough", "0.3");
  await page.reload();
  assert.equal(await page.getByLabel("Temperature").inputValue(), "0.3");
  await tab.goes("/");
  assert.equal(await page.getByLabel("Model").inputValue(), "openai/thorough");
  const one = await asks(tab, "Why is the sea salty?", "Rocks.");
  assert.deepEqual([one.model, one.temperature, said(one)], ["thorough", 0.3, ["system: Be brief.", "user: Why is the sea salty?"]]);

  await settings("", "quick", "");
  await tab.goes("/");
  const two = await asks(tab, "And the lake?", "Rivers.");
  assert.deepEqual([two.model, two.temperature, said(two)], ["quick", undefined, ["user: And the lake?"]]);

  await tab.goes("/settings");
  await page.getByLabel("Temperature").fill("hot");
  await page.getByRole("button", { name: "Save" }).click();
  await tab.sees(/A temperature is a number from 0 to 2/);
  assert.equal(await page.getByLabel("Temperature").inputValue(), "hot", "what was typed stays");
  tab.person.hasNothingToComplainAbout([/status of 422/]);
});

test("a chat has its own model, temperature and system prompt", async () => {
  const tab = await visits("Ned");
  const { page } = tab;
  await asks(tab, "Who are you?", "A model.");
  const chat = new URL(page.url()).pathname;
  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.getByRole("listitem").getByRole("link", { name: "Settings" }).click();
  await heading(page, "Settings of this chat");
  await page.getByLabel("System prompt").fill("You are a sailor.");
  await page.getByLabel("Model").selectOption({ label: "thorough" });
  await page.getByLabel("Temperature").fill("1.2");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(CHAT);
  const own = await asks(tab, "And now?", "A sailor.");
  assert.deepEqual([own.model, own.temperature], ["thorough", 1.2]);
  assert.deepEqual(said(own), ["system: You are a sailor.", "user: Who are you?", "assistant: A model.", "user: And now?"]);

  // a model can be chosen for one message, too
  await page.getByLabel("Model").selectOption({ label: "quick" });
  assert.equal((await asks(tab, "Quickly?", "Yes.")).model, "quick");

  // and another chat has nothing of it
  await tab.goes("/");
  const other = await asks(tab, "Who is there?", "Nobody.");
  assert.deepEqual([other.temperature, said(other)], [undefined, ["user: Who is there?"]]);
  await tab.goes(`${chat}/settings`);
  assert.equal(await page.getByLabel("Temperature").inputValue(), "1.2");
  tab.person.hasNothingToComplainAbout();
});

test("a chat is pinned, unpinned, renamed in the list, archived and brought back", async () => {
  const tab = await visits("Fay");
  const { page } = tab;
  for (const title of ["First things", "Second thoughts"]) {
    await tab.goes("/");
    await asks(tab, title, "Well.");
  }
  await lists(page, "Second thoughts", "First things");
  await inMenuOf(page, "First things", "Pin");
  await heading(page, "First things");
  await lists(page, "First things", "Second thoughts");
  await tab.sees("Pinned", list(page));
  await inMenuOf(page, "First things", "Unpin");
  await page.getByText("Pinned").waitFor({ state: "detached" });
  await lists(page, "Second thoughts", "First things");

  await inMenuOf(page, "Second thoughts", "Rename");
  await heading(page, "Rename this chat");
  await page.getByRole("main").getByLabel("Title").fill("Second wind");
  await page.getByRole("button", { name: "Save" }).click();
  await heading(page, "Second wind");
  await lists(page, "Second wind", "First things");

  await inMenuOf(page, "First things", "Archive");
  await tab.sees("In the archive:");
  await lists(page, "Second wind");
  await list(page).getByRole("link", { name: "Archive" }).click();
  await heading(page, "Archive");
  await page.getByRole("button", { name: "Bring back: First things" }).click();
  await tab.sees("Nothing is in the archive.");
  await lists(page, "Second wind", "First things");

  // writing in an archived one brings it back, too
  await inMenuOf(page, "First things", "Archive");
  await tab.sees("In the archive:");
  await list(page).getByRole("link", { name: "Archive" }).click();
  await page.getByRole("main").getByRole("link", { name: "First things" }).click();
  await asks(tab, "Once more?", "Yes.");
  await lists(page, "First things", "Second wind");
  tab.person.hasNothingToComplainAbout();
});

test("an old chat, which the list at the side does not reach, is pinned, moved and archived by its own menu", async () => {
  const tab = await visits("Olaf");
  const { page } = tab;
  await manyChats(home.ground, tab.person.email, 60);
  await tab.goes("/chats");
  await page.getByRole("link", { name: "Older chats" }).last().click();
  await page.getByRole("main").getByRole("link", { name: "chat 60", exact: true }).click();
  const inMenu = async (role, name) => {
    await page.getByRole("button", { name: "Menu of this chat" }).click();
    await page.locator("#chat-menu").getByRole(role, { name, exact: true }).click();
  };
  await inMenu("button", "Pin");
  await heading(page, "chat 60");
  assert.equal((await titles(page))[0], "chat 60");
  await inMenu("button", "Unpin");
  await page.getByText("Pinned").waitFor({ state: "detached" });
  await inMenu("link", "Move to a folder…");
  await heading(page, "Move to a folder");
  await page.getByRole("main").getByLabel("A new folder").fill("Attic");
  await page.getByRole("main").getByRole("button", { name: "Make it" }).click();
  await list(page).getByRole("link", { name: "Attic" }).waitFor();
  await tab.goes("/chats");
  await page.getByRole("main").getByRole("link", { name: "chat 2", exact: true }).click();
  await inMenu("button", "Archive");
  await tab.sees("In the archive:");
  tab.person.hasNothingToComplainAbout();
});

test("a chat goes into a folder that is made for it, into another one, and out", async () => {
  const tab = await visits("Gil");
  const { page } = tab;
  await asks(tab, "Once upon", "A time.");
  const into = async (act) => {
    await inMenuOf(page, "Once upon", "Move to a folder…");
    await heading(page, "Move to a folder");
    await act();
    await heading(page, "Once upon");
  };
  const inFolder = (name) => list(page).locator(".folder", { has: page.getByRole("heading", { name, exact: true }) }).getByRole("link", { name: "Once upon", exact: true });
  for (const name of ["Tales", "Drafts"]) {
    await into(async () => {
      await page.getByLabel("A new folder").fill(name);
      await page.getByRole("button", { name: "Make it" }).click();
    });
    await inFolder(name).waitFor();
    await lists(page, "Once upon");
  }
  await into(() => page.getByRole("button", { name: "Tales" }).click());
  await inFolder("Tales").waitFor();
  await into(() => page.getByRole("button", { name: "Out of its folder, into the list" }).click());
  await list(page).getByRole("heading", { name: "Today" }).waitFor();
  for (const name of ["Tales", "Drafts"]) assert.equal(await inFolder(name).count(), 0);
  await lists(page, "Once upon");
  tab.person.hasNothingToComplainAbout();
});

test("older chats are turned to page by page: of the list, of the archive, of a folder", async () => {
  const tab = await visits("Dov");
  const { page, person } = tab;
  const names = Array.from({ length: 120 }, (_, n) => `Chat number ${n + 1}`);
  await home.ground.sql(`with made as (
    insert into chats (user_id, title, active_at) select u.id, 'Chat number ' || n, now() - interval '1 hour' * n
    from users u, generate_series(1, 120) n where u.email = '${person.email}' returning id)
    insert into feed_heads (chat_id) select id from made`);
  const shown = () => page.getByRole("main").locator("li > a").allInnerTexts();
  const pages = page.getByRole("navigation", { name: "Pages" });
  const older = async (place, last) => {
    await place.getByRole("link", { name: "Older chats" }).click();
    await page.getByRole("main").getByText(last, { exact: true }).waitFor();
    return shown();
  };
  await tab.goes("/");
  const first = await titles(page);
  assert.equal(first.length, 50);
  assert.deepEqual([...first, ...await older(list(page), "Chat number 100"), ...await older(pages, "Chat number 120")], names);
  assert.equal(await pages.getByRole("link", { name: "Older chats" }).count(), 0);

  // what is old can be put away from there
  await page.getByRole("button", { name: "Archive: Chat number 120" }).click();
  await tab.sees("In the archive:");
  await page.getByRole("main").getByRole("button", { name: "Undo" }).waitFor();
  await tab.goes("/archive");
  assert.deepEqual(await shown(), ["Chat number 120"]);

  const mine = `user_id = (select id from users where email = '${person.email}')`;
  await home.ground.sql(`update chats set archived_at = now() where ${mine}`);
  await tab.goes("/archive");
  assert.deepEqual([...await shown(), ...await older(pages, "Chat number 100"), ...await older(pages, "Chat number 120")], names);
  await pages.getByRole("link", { name: "To the newest" }).click();
  await page.getByRole("main").getByText("Chat number 1", { exact: true }).waitFor();

  await home.ground.sql(`with f as (insert into folders (user_id, name) select id, 'Old things' from users where email = '${person.email}' returning id)
    update chats set archived_at = null, folder_id = f.id from f where ${mine}`);
  await tab.goes("/folders");
  await page.getByRole("main").getByRole("link", { name: "Old things" }).click();
  await heading(page, "Old things");
  assert.deepEqual([...await shown(), ...await older(pages, "Chat number 100"), ...await older(pages, "Chat number 120")], names);
  person.hasNothingToComplainAbout();
});

test("what was found long ago is on the next pages, and is shown in its chat", async () => {
  const tab = await visits("Sue");
  const { page, person } = tab;
  await longChat(home.ground, person.email, { count: 140, text: "An answer.", html: "<p>An answer.</p>".repeat(5) });
  await list(page).getByRole("link", { name: "Search" }).click();
  await page.getByLabel("Words to look for").fill("question");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  const found = () => page.getByRole("main").locator("ol > li").allInnerTexts().then((all) => all.map((text) => Number(text.match(/Question (\d+) of/)[1])));
  await tab.sees("The newest 30.");
  const all = await found();
  for (const newest of [78, 18]) {
    await page.getByRole("link", { name: "Older ones" }).click();
    await tab.sees(`Question ${newest} of`, page.getByRole("main"));
    all.push(...await found());
  }
  assert.deepEqual(all, Array.from({ length: 70 }, (_, n) => 138 - 2 * n));
  await tab.sees("Found 10 times.");
  assert.equal(await page.getByRole("link", { name: "Older ones" }).count(), 0);
  await page.getByRole("main").getByRole("listitem").filter({ hasText: "Question 10 of" }).getByRole("link").click();
  await page.waitForURL(/\/chats\/.*#m-/);
  await inSight(tab, "Question 10 of");
  person.hasNothingToComplainAbout();
});

test("a chat is saved as Markdown and as JSON by its links, and printed by the browser", async () => {
  const tab = await visits("Jon");
  const { page } = tab;
  await asks(tab, "Tell me of the sea.", "The sea is *wide*.");
  const again = home.provider.answers("Tell me of the sea.");
  await tab.answer.getByRole("button", { name: "Answer again" }).click();
  await comes(tab, again, "The sea is **deep**.");
  const saved = async (name) => {
    await page.getByRole("button", { name: "Menu of this chat" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
    await page.keyboard.press("Escape");
    return { name: file.suggestedFilename(), text: readFileSync(await file.path(), "utf8") };
  };
  const markdown = await saved("Save as Markdown");
  assert.equal(markdown.name, "Tell me of the sea.md");
  assert.match(markdown.text, /^# Tell me of the sea\.\n[^]*Tell me of the sea\.[^]*The sea is \*\*deep\*\*\.\n$/);
  assert.doesNotMatch(markdown.text, /wide/, "the path that is shown, and nothing beside it");
  const json = await saved("Save everything (.json)");
  assert.equal(json.name, "Tell me of the sea.json");
  assert.deepEqual(JSON.parse(json.text).messages.map(({ author, text }) => `${author}: ${text}`),
    ["person: Tell me of the sea.", "model: The sea is *wide*.", "model: The sea is **deep**."]);

  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.getByRole("link", { name: "Save as Markdown" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Print" }).count(), 0, "no button that does nothing");
  await page.getByRole("link", { name: "Print" }).click();
  await page.waitForURL(/print$/);
  await page.getByRole("heading", { name: /^You · / }).waitFor();
  await page.emulateMedia({ media: "print" });
  for (const role of ["button", "textbox", "navigation"]) assert.equal(await page.getByRole(role).count(), 0, `on paper there is no ${role}`);
  await tab.sees("The sea is deep.");
  tab.person.hasNothingToComplainAbout();
});

test("an answer is disliked and said why; a change of mind begins anew", async () => {
  const tab = await visits("Rita");
  const { page } = tab;
  const pressed = () => Promise.all(["Like", "Dislike"].map((name) => tab.answer.getByRole("button", { name, exact: true }).getAttribute("aria-pressed")));
  const press = async (name, ...expected) => {
    await tab.answer.getByRole("button", { name, exact: true }).click();
    await until(`like and dislike stand at ${expected}`, async () => (await pressed()).join() === expected.join());
  };
  await asks(tab, "Why is the sea salty?", "It is not.");
  await press("Dislike", "false", "true");
  await tab.answer.getByRole("link", { name: "Say why" }).click();
  await heading(page, "You dislike this answer");
  await page.getByRole("textbox", { name: "Why?" }).fill("It is wrong.");
  await page.getByRole("button", { name: "Save" }).click();
  await tab.answer.getByRole("link", { name: "Change why" }).click();
  assert.equal(await page.getByRole("textbox", { name: "Why?" }).inputValue(), "It is wrong.");
  await page.getByRole("link", { name: "Back to the chat" }).click();
  assert.deepEqual(await pressed(), ["false", "true"]);
  await press("Like", "true", "false");
  await tab.answer.getByRole("link", { name: "Say why" }).click();
  await heading(page, "You like this answer");
  assert.equal(await page.getByRole("textbox", { name: "Why?" }).inputValue(), "");
  await page.goBack();
  await press("Like", "false", "false");
  assert.equal(await tab.answer.getByRole("link", { name: "Say why" }).count(), 0);
  tab.person.hasNothingToComplainAbout();
});

test("a file is imported, and its page tells by itself how far it is, to the end", async () => {
  const tab = await visits("Ivo");
  const { page } = tab;
  await asks(tab, "Keep this.", "It is kept.");
  const chat = await (await page.request.get(`${page.url()}/export?format=json`)).json();
  const gives = async (name, text) => {
    await page.getByLabel("File").setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(text) });
    await page.getByRole("button", { name: "Import" }).click();
  };
  await list(page).getByRole("link", { name: "Settings" }).click();
  await page.getByRole("link", { name: "Import" }).click();
  await gives("letter.json", "Dear friend,");
  await page.getByRole("alert").waitFor();

  // the second chat waits for us, so that the page can be read on the way
  await home.ground.sql(`create table held (); insert into held default values;
    create function hold() returns trigger language plpgsql as $$ begin
      while exists (select from held) loop perform pg_sleep(0.05); end loop; return new; end $$;
    create trigger hold before insert on chats for each row when (new.title = 'The lake') execute function hold()`);
  await gives("two.json", JSON.stringify([{ ...chat, title: "The sea" }, { ...chat, title: "The lake" }]));
  await tab.sees("1 of 2 chats are made.");
  const bar = page.getByRole("progressbar", { name: "two.json" });
  assert.deepEqual([await bar.getAttribute("value"), await bar.getAttribute("max")], ["1", "2"]);
  await lists(page, "The sea", "Keep this.");
  await home.ground.sql("delete from held");
  await tab.sees("2 chats are here."); // by itself
  assert.equal(await bar.count(), 0);
  assert.equal((await titles(page)).length, 3);
  await page.getByRole("link", { name: "Open the last one" }).click();
  await heading(page, "The lake");
  await reads(tab, "Keep this.", "It is kept.");
  tab.person.hasNothingToComplainAbout([/status of 422/]);
});
