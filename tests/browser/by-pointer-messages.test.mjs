// What is done with a message, by pointer: every step is a click of the mouse, but for words that are typed. (Editing and
// asking, versions and answers that are edited are in tree, cut answers in line.)

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { longChat } from "./support/long.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const question = (tab) => tab.page.locator("#thread > .message--me").last();
const messages = (tab) => tab.page.locator("#thread > article > .prose").allInnerTexts().then((all) => all.map((text) => text.trim()));
const reads = (tab, ...expected) => until(`the page reads ${expected.join(" / ")}`, async () => {
  const now = (await messages(tab)).join("|");
  return now === expected.join("|") || Promise.reject(now);
});
/** Opens the sheet of a message. */
async function more(tab, message) {
  await message.hover();
  await message.getByRole("link", { name: "More" }).click();
  const sheet = tab.page.getByRole("dialog", { name: "What to do with this message" });
  await sheet.waitFor();
  return sheet;
}

/** Somebody who wrote these questions and pressed Send; returns their tab on the page of the chat. */
async function asked(name, ...turns) {
  const person = await home.person(name);
  const tab = await person.registers();
  for (const [words, reply] of turns) {
    const answer = home.provider.answers(words);
    await tab.composer.click();
    await tab.types(words);
    await tab.sendButton.click();
    await answer.asked();
    await tab.page.waitForURL("/chats/*");
    await answer.says(reply);
    await answer.ends();
    await tab.seesAnswer(reply);
    await tab.seesEnd();
  }
  return { person, tab, chat: new URL(tab.page.url()).pathname };
}

test("an answer is asked for again of the same model, and of another", async () => {
  const { person, tab } = await asked("Mia", ["Why is the sky blue?", "Air scatters light."]);
  const second = home.provider.answers("Why is the sky blue?");
  await tab.answer.getByRole("button", { name: "Answer again" }).click();
  assert.equal((await second.asked()).model, "quick");
  await second.says("It scatters blue most.");
  await second.ends();
  await tab.seesAnswer("It scatters blue most.");
  await tab.seesEnd();
  const sheet = await more(tab, tab.answer);
  await tab.picks(sheet.getByRole("combobox", { name: "Answer again with" }), "thorough");
  const third = home.provider.answers("Why is the sky blue?");
  await sheet.getByRole("button", { name: "Ask" }).click();
  assert.equal((await third.asked()).model, "thorough");
  await third.says("Rayleigh says why.");
  await third.ends();
  await tab.seesAnswer("Rayleigh says why.");
  await tab.sees("3/3", tab.answer);
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a question is saved without asking, and asked later", async () => {
  const { person, tab, chat } = await asked("Nat", ["Where do herons sleep?", "In trees."]);
  const before = home.provider.requests.length;
  await question(tab).hover();
  await question(tab).getByRole("link", { name: "Edit" }).click();
  await question(tab).getByRole("textbox", { name: "Edit" }).click({ clickCount: 3 });
  await tab.types("Where do storks sleep?");
  await question(tab).getByRole("button", { name: "Save", exact: true }).click();
  await reads(tab, "Where do storks sleep?");
  await tab.sees("2/2", question(tab));
  assert.equal(await home.ground.sql(`select count(*) from generations where chat_id = '${chat.split("/").at(-1)}'`), "1", "nobody was asked");
  assert.equal(home.provider.requests.length, before);
  await tab.reloads();
  await reads(tab, "Where do storks sleep?");
  const storks = home.provider.answers("Where do storks sleep?");
  await tab.page.getByRole("button", { name: "Ask", exact: true }).click();
  await storks.says("On chimneys.");
  await storks.ends();
  await tab.seesAnswer("On chimneys.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a chat of its own is made from a message in the middle", async () => {
  const { person, tab, chat } = await asked("Oli", ["One?", "The first."], ["Two?", "The second."]);
  const sheet = await more(tab, tab.page.locator("#thread > article").nth(1));
  await sheet.getByRole("button", { name: "Go on from here in a new chat" }).click();
  await tab.page.waitForURL((url) => url.pathname.startsWith("/chats/") && url.pathname !== chat);
  await reads(tab, "One?", "The first.");
  const third = home.provider.answers("Three?");
  await tab.composer.click();
  await tab.types("Three?");
  await tab.sendButton.click();
  assert.deepEqual((await third.asked()).messages.map((message) => message.content), ["One?", "The first.", "Three?"]);
  await third.ends();
  await tab.goes(chat);
  await reads(tab, "One?", "The first.", "Two?", "The second.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a message is deleted with what follows it, and all of it comes back", async () => {
  const { person, tab, chat } = await asked("Pam", ["One?", "The first."], ["Two?", "The second."]);
  const sheet = await more(tab, question(tab));
  await sheet.getByText("Delete…").click();
  await tab.sees("Everything that follows this message goes with it.", sheet);
  await sheet.getByRole("button", { name: "Delete", exact: true }).click();
  await tab.sees("Deleted, with what followed.");
  await reads(tab, "One?", "The first.");
  const other = await person.opensTab(chat);
  await reads(other, "One?", "The first.");
  await tab.page.bringToFront();
  await tab.page.getByRole("button", { name: "Undo" }).click();
  await reads(tab, "One?", "The first.", "Two?", "The second.");
  await tab.seesNoLonger("Deleted, with what followed.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("the link to a message leads to it, and is an address that can be passed on", async () => {
  const tess = await home.person("Tess");
  const tab = await tess.registers();
  const chat = await longChat(home.ground, tess.email, { count: 60, text: "An answer.", html: "<p>An answer.</p>" });
  await tab.goes(chat);
  await tab.page.locator("[data-ready]").waitFor();
  const words = "Question 30 of the long talk, in one line?";
  const message = (each) => each.page.locator("#thread > article", { hasText: words });
  const lands = (each) => until("it is at the top of what is in sight", async () => {
    const [box, frame] = [await message(each).boundingBox(), await each.page.locator(".scroll--talk").boundingBox()];
    const top = box && Math.round(box.y - frame.y);
    return (box && top > -5 && top < 150) || Promise.reject(`top ${top}`);
  });
  const sheet = await more(tab, message(tab));
  const link = sheet.getByRole("link", { name: "Link to this message" });
  const address = await link.evaluate((a) => a.href); // what a browser's menu copies
  await link.click();
  await tab.page.waitForURL(address);
  assert.match(address, new RegExp(`${chat}\\?at=[0-9a-f-]{36}#m-[0-9a-f-]{36}$`));
  await lands(tab);
  const other = await tess.opensTab(address);
  await lands(other);
  tess.hasNothingToComplainAbout();
  await tess.leaves();
});

test("a message that is held in line is sent by hand", async () => {
  const { tab } = await asked("Pam", ["Warm up.", "Warm."]);
  const first = home.provider.answers("Will it work?");
  await tab.says("Will it work?");
  await first.asked();
  await tab.composer.click();
  await tab.types("And this?");
  await tab.page.getByRole("button", { name: "Send" }).click();
  await tab.sees("In line: sent after");
  await first.fails(400);
  await tab.sees("Not sent yet, because the answer above did not come.");
  const second = home.provider.answers("And this?");
  await tab.page.getByRole("button", { name: "Send now" }).click();
  await second.asked();
  await second.says("It does.");
  await second.ends();
  await tab.seesAnswer("It does.");
  assert.equal(await tab.page.getByRole("button", { name: "Send now" }).count(), 0);
});
