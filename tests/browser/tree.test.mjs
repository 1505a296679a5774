// The tree on the page: versions, edits, forks, deletion with undo, links; by pointer, by keyboard, without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();

const words = (tab) => tab.page.locator("#thread > article > .prose").allInnerTexts();
const reads = (tab, ...expected) => until(`the page reads ${expected.join(" / ")}`, async () => {
  const now = (await words(tab)).map((text) => text.trim());
  return now.join("|") === expected.join("|") || Promise.reject(now.join("|"));
});
const question = (tab) => tab.page.locator("#thread > .message--me").last();
const picture = async (tab, name) => {
  if (!process.env.SHOTS) return;
  for (const [width, height] of [[390, 844], [820, 1100], [1440, 900]]) {
    await tab.page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"]) {
      await tab.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await tab.page.screenshot({ path: join(process.env.SHOTS, `${name}-${width}-${colorScheme}.png`) });
    }
  }
  await tab.page.setViewportSize({ width: 1280, height: 800 });
};

async function asked(name, options) {
  const person = await home.person(name, options);
  const tab = await person.registers();
  const plain = options?.javaScriptEnabled === false;
  if (plain) {
    await tab.composer.fill("Why is the sea salty?");
    await tab.sendButton.click();
    await tab.page.waitForURL(/\/chats\/[^?]+/);
    const chat = new URL(tab.page.url()).pathname;
    const id = chat.split("/").at(-1);
    await until("the answer is there", async () => (await home.ground.sql(`select count(*) from generations where chat_id = '${id}' and state = 'completed'`)) === "1");
    // the page may be on its way to the one that is held open
    await until("the chat is open", () => tab.goes(chat).then(() => true, () => false));
  } else {
    await tab.asksInNewChat("Why is the sea salty?");
    await tab.seesEnd();
  }
  return { person, tab, chat: new URL(tab.page.url()).pathname };
}

test("a question is edited in place and asked, and both versions stay", async () => {
  const { person, tab, chat } = await asked("Eva");
  const other = await person.opensTab(chat);
  const answer = await tab.answerText();
  await question(tab).hover();
  await question(tab).getByRole("link", { name: "Edit" }).click();
  const field = question(tab).getByRole("textbox");
  await field.waitFor();
  assert.equal(await field.inputValue(), "Why is the sea salty?");
  assert.ok(await field.evaluate((element) => element === document.activeElement), "one can write at once");
  await picture(tab, "edit");
  await tab.presses("Escape");
  assert.equal(await field.count(), 0, "Esc leaves it as it was");
  await reads(tab, "Why is the sea salty?", answer);
  const second = home.provider.answers("Why is the lake not?");
  await question(tab).getByRole("link", { name: "Edit" }).click();
  await field.fill("Why is the lake not?");
  await tab.page.getByRole("button", { name: "Save and ask" }).click();
  await second.says("Rivers leave it.");
  await second.ends();
  await tab.seesAnswer("Rivers leave it.");
  await tab.seesEnd();
  await reads(other, "Why is the lake not?", "Rivers leave it.");
  const nav = question(tab).getByRole("navigation", { name: "Versions" });
  assert.equal((await nav.innerText()).replace(/\s/g, ""), "‹2/2›");
  await picture(tab, "versions");
  await nav.getByRole("button", { name: "The version before" }).click();
  for (const each of [tab, other]) await reads(each, "Why is the sea salty?", answer);
  await tab.reloads();
  await reads(tab, "Why is the sea salty?", answer);
  await question(tab).getByRole("button", { name: "The next version" }).click();
  await reads(tab, "Why is the lake not?", "Rivers leave it.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("by keyboard alone: ↑ edits, the sheet asks another model, forks and deletes, undo brings back", async () => {
  const { person, tab, chat } = await asked("Kim");
  await tab.tabsTo(tab.composer);
  await tab.presses("ArrowUp");
  await question(tab).getByRole("textbox").waitFor();
  await until("the caret is at the end", () => question(tab).getByRole("textbox").evaluate((field) => field === document.activeElement && field.selectionStart === field.value.length));
  await tab.types(" Tell me.");
  await tab.presses("Tab", "Tab", "Enter"); // Cancel, Save
  await reads(tab, "Why is the sea salty? Tell me.");
  const first = home.provider.answers("Why is the sea salty? Tell me.");
  await tab.enters(tab.page.getByRole("button", { name: "Ask", exact: true }), { within: 10 });
  await first.says("Salt comes from rocks.");
  await first.ends();
  await tab.seesAnswer("Salt comes from rocks.");
  await tab.seesEnd();
  // another model
  const more = tab.answer.getByRole("link", { name: "More" });
  await tab.enters(more, { back: true, within: 10 });
  const sheet = tab.page.locator("#more-sheet");
  await sheet.getByRole("combobox").waitFor();
  await until("the focus is in the sheet", () => sheet.evaluate((element) => element.contains(document.activeElement)));
  await picture(tab, "more");
  await tab.tabsTo(sheet.getByRole("combobox"), { within: 3 });
  await tab.presses("ArrowDown");
  assert.equal(await sheet.getByRole("combobox").inputValue(), "openai/thorough");
  const again = home.provider.answers("Why is the sea salty? Tell me.");
  await tab.presses("Tab", "Enter");
  assert.equal((await again.asked()).model, "thorough");
  await again.says("Thoroughly: rocks.");
  await again.ends();
  await tab.seesAnswer("Thoroughly: rocks.");
  await tab.seesEnd();
  assert.equal((await tab.answer.getByRole("navigation").innerText()).replace(/\s/g, ""), "‹2/2›");
  // deletion asks first, and can be undone
  await tab.enters(more, { back: true, within: 10 });
  await tab.enters(sheet.getByText("Delete…"), { within: 6 });
  await tab.presses("Tab", "Enter");
  await reads(tab, "Why is the sea salty? Tell me.", "Salt comes from rocks.");
  await picture(tab, "deleted");
  await tab.enters(tab.page.getByRole("button", { name: "Undo" }), { back: true, within: 5 });
  await reads(tab, "Why is the sea salty? Tell me.", "Thoroughly: rocks.");
  // a chat of its own
  await tab.enters(more, { within: 10 });
  await tab.enters(sheet.getByRole("button", { name: "Go on from here in a new chat" }), { within: 6 });
  await tab.page.waitForURL((url) => url.pathname !== chat && url.pathname.startsWith("/chats/"));
  await reads(tab, "Why is the sea salty? Tell me.", "Thoroughly: rocks.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("an answer is edited where it stands", async () => {
  const { person, tab } = await asked("Ada");
  await tab.answer.getByRole("link", { name: "Edit" }).click();
  const field = tab.answer.getByRole("textbox");
  await field.fill("# Mine\n\nBecause **I** say so.");
  await tab.answer.getByRole("button", { name: "Save" }).click();
  await tab.seesAnswer("Mine Because I say so.");
  await tab.sees("edited", tab.answer);
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("all of it without JavaScript", async () => {
  const { person, tab, chat } = await asked("Ned", { javaScriptEnabled: false });
  await question(tab).getByRole("link", { name: "Edit" }).click();
  await picture(tab, "plain-edit");
  await tab.page.locator("textarea.edit__text").fill("Said better.");
  await tab.page.getByRole("button", { name: "Save", exact: true }).click();
  await reads(tab, "Said better.");
  await question(tab).getByRole("button", { name: "The version before" }).click();
  await tab.answer.getByRole("link", { name: "More" }).click();
  await picture(tab, "plain-more");
  await tab.page.getByText("Delete…").click();
  await tab.page.getByRole("button", { name: "Delete", exact: true }).click();
  await reads(tab, "Why is the sea salty?");
  await tab.page.getByRole("button", { name: "Undo" }).click();
  assert.equal((await words(tab)).length, 2);
  await tab.answer.getByRole("link", { name: "More" }).click();
  await tab.page.getByRole("button", { name: "Go on from here in a new chat" }).click();
  assert.notEqual(new URL(tab.page.url()).pathname, chat);
  assert.equal((await words(tab)).length, 2);
  await person.leaves();
});

test("a link brings a message into sight, also one that is far up", async () => {
  const { person, tab, chat } = await asked("Lin");
  const id = chat.split("/").at(-1);
  await home.ground.sql(`do $$ declare parent uuid := (select leaf_id from chats where id = '${id}'); begin
    for n in 1..120 loop
      insert into messages (chat_id, parent_id, author, text, html) values ('${id}', parent,
        case when n % 2 = 1 then 'person' else 'model' end, 'message ' || n, '<p>message ' || n || '</p>') returning messages.id into parent;
    end loop; update chats set leaf_id = parent where id = '${id}'; end $$`);
  const far = await home.ground.sql(`select id from messages where chat_id = '${id}' and text = 'message 20'`);
  await tab.goes(`${chat}#m-${far}`);
  await tab.page.waitForURL((url) => url.searchParams.get("at") === far);
  await until("it is in sight, near the top", async () => {
    const box = await tab.page.locator(`#m-${far}`).boundingBox();
    return (box && box.y > 0 && box.y < 200) || Promise.reject(JSON.stringify(box));
  });
  assert.ok(await tab.page.locator(`#m-${far}`).evaluate((element) => element === document.activeElement));
  const near = await home.ground.sql(`select id from messages where chat_id = '${id}' and text = 'message 100'`);
  await tab.goes(`${chat}?at=${near}#m-${near}`);
  await tab.page.waitForTimeout(400);
  const box = await tab.page.locator(`#m-${near}`).boundingBox();
  assert.ok(box.y > 0 && box.y < 200, `it stays in sight: ${JSON.stringify(box)}`);
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("what was typed is there after a reload, each chat its own, until it is sent", async () => {
  const { person, tab, chat } = await asked("Dot");
  await tab.composer.fill("half a thought");
  await tab.reloads();
  assert.equal(await tab.composer.inputValue(), "half a thought");
  await tab.goes("/");
  assert.equal(await tab.composer.inputValue(), "", "another page has another draft");
  await tab.composer.fill("a new chat");
  await tab.reloads();
  assert.equal(await tab.composer.inputValue(), "a new chat");
  await tab.composer.press("Enter");
  await tab.page.waitForURL("/chats/*");
  await tab.seesEnd();
  await tab.goes("/");
  assert.equal(await tab.composer.inputValue(), "", "it was sent");
  await tab.goes(chat);
  assert.equal(await tab.composer.inputValue(), "half a thought");
  await tab.composer.press("Enter");
  await until("it is sent", async () => (await tab.composer.inputValue()) === "");
  await tab.reloads();
  assert.equal(await tab.composer.inputValue(), "");
  await tab.composer.fill("a secret");
  await tab.page.getByRole("button", { name: "Sign out" }).click();
  await tab.page.waitForURL("/login");
  assert.deepEqual(await tab.page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("parlor-draft"))), []);
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("an answer is read aloud by the browser's voice, and tells when it was said", async () => {
  const person = await home.person("Val");
  await person.context.addInitScript(() => {
    const voice = { said: [], speaking: false, speak: (one) => { voice.said.push(one.text); voice.speaking = true; }, cancel: () => { voice.speaking = false; } };
    Object.defineProperty(window, "speechSynthesis", { value: voice });
  });
  const tab = await person.registers();
  const answer = home.provider.answers("Two things?");
  await tab.asksInNewChat("Two things?");
  await answer.says("The **first**.\n\n- the second\n");
  await answer.ends();
  await tab.seesEnd();
  const more = async () => {
    await tab.answer.getByRole("link", { name: "More" }).click();
    await tab.page.locator("#more-sheet:popover-open #more").waitFor();
  };
  await more();
  await tab.sees(/quick · \d+ tokens? · \w+ \d+, \d{4} at \d+:\d\d/);
  await tab.page.getByRole("button", { name: "Read aloud" }).click();
  assert.deepEqual(await tab.page.evaluate(() => speechSynthesis.said), ["The first.", "the second"]);
  await more();
  await tab.tabsTo(tab.page.getByRole("button", { name: "Stop reading" }));
  await tab.presses("Enter");
  assert.equal(await tab.page.evaluate(() => speechSynthesis.speaking), false);
  person.hasNothingToComplainAbout();
  await person.leaves();
});
