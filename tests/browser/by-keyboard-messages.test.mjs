// What is done with a message, by keyboard alone: Tab, Enter, arrows, and words that are typed; nothing is focused or
// pressed by a script. (Editing by ↑, deletion and a chat of its own are in tree, cut answers in by-keyboard.)

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { longChat } from "./support/long.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const question = (tab) => tab.page.locator("#thread > .message--me").last();
const place = (message) => message.getByRole("navigation", { name: "Versions" }).innerText().then((text) => text.replace(/\s/g, ""));
const stands = (message, expected) => until(`it is version ${expected}`, async () => (await place(message)) === expected);

/** Somebody who asked this with the keyboard, and was answered so. */
async function asked(name, words, reply) {
  const person = await home.person(name);
  const tab = await person.registers();
  const answer = home.provider.answers(words);
  await until("the composer has the focus", () => tab.composer.evaluate((field) => field === document.activeElement));
  await tab.types(words);
  await tab.presses("Enter");
  await tab.page.waitForURL("/chats/*");
  await answer.says(reply);
  await answer.ends();
  await tab.seesAnswer(reply);
  await tab.seesEnd();
  return { person, tab };
}

test("an answer is asked for again of the same model, and of another", async () => {
  const { person, tab } = await asked("Kay", "Why is the sky blue?", "Air scatters light.");
  const second = home.provider.answers("Why is the sky blue?");
  await tab.enters(tab.answer.getByRole("button", { name: "Answer again" }), { back: true, within: 20 });
  assert.equal((await second.asked()).model, "quick");
  await second.says("It scatters blue most.");
  await second.ends();
  await tab.seesAnswer("It scatters blue most.");
  await stands(tab.answer, "‹2/2›");

  await tab.enters(tab.answer.getByRole("link", { name: "More" }), { back: true, within: 20 });
  const sheet = tab.page.getByRole("dialog", { name: "What to do with this message" });
  await tab.tabsTo(sheet.getByRole("combobox", { name: "Answer again with" }), { within: 5 });
  await tab.types("tho");
  const third = home.provider.answers("Why is the sky blue?");
  await tab.enters(sheet.getByRole("button", { name: "Ask" }), { within: 5 });
  assert.equal((await third.asked()).model, "thorough");
  await third.says("Rayleigh says why.");
  await third.ends();
  await tab.seesAnswer("Rayleigh says why.");
  await tab.sees(/^thorough · \d+ tokens$/, tab.answer);
  await stands(tab.answer, "‹3/3›");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a question is saved, is saved and asked, and its versions are walked", async () => {
  const { person, tab } = await asked("Kim", "Where do herons sleep?", "In trees.");
  const edit = async (words, button, way) => {
    await tab.enters(question(tab).getByRole("link", { name: "Edit" }), way);
    await tab.tabsTo(question(tab).getByRole("textbox", { name: "Edit" }), { within: 3 });
    await tab.presses("Control+A");
    await tab.types(words);
    await tab.enters(question(tab).getByRole("button", { name: button, exact: true }), { within: 5 });
  };
  await edit("Where do storks sleep?", "Save", { back: true, within: 20 });
  await tab.sees("Where do storks sleep?", question(tab));
  await tab.page.getByRole("button", { name: "Ask", exact: true }).waitFor(); // nobody was asked
  assert.equal(await tab.page.locator("#thread > article").count(), 1);
  await stands(question(tab), "‹2/2›");

  const owls = home.provider.answers("Where do owls sleep?");
  await edit("Where do owls sleep?", "Save and ask", { within: 5 }); // the focus is on what was saved
  await owls.says("In barns.");
  await owls.ends();
  await tab.seesAnswer("In barns.");
  await tab.seesEnd();
  await stands(question(tab), "‹3/3›");

  for (const [way, version, words, answers] of [
    ["The version before", "‹2/3›", "Where do storks sleep?", 0],
    ["The version before", "‹1/3›", "Where do herons sleep?", 1],
    ["The next version", "‹2/3›", "Where do storks sleep?", 0],
    ["The next version", "‹3/3›", "Where do owls sleep?", 1],
  ]) {
    await tab.enters(question(tab).getByRole("button", { name: way }), { within: 10 });
    await stands(question(tab), version);
    await tab.sees(words, question(tab));
    await until("its answers are there", async () => (await tab.page.locator("#thread > article:not(.message--me)").count()) === answers);
  }
  await tab.seesAnswer("In barns.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("a message is deleted with what follows it, and all of it comes back", async () => {
  const { person, tab } = await asked("Kit", "One?", "The first.");
  await tab.tabsTo(tab.composer);
  const second = home.provider.answers("Two?");
  await tab.types("Two?");
  await tab.presses("Enter");
  await second.says("The second.");
  await second.ends();
  await tab.seesAnswer("The second.");
  await tab.seesEnd();
  await tab.enters(question(tab).getByRole("link", { name: "More" }), { back: true, within: 20 });
  const sheet = tab.page.getByRole("dialog", { name: "What to do with this message" });
  await tab.enters(sheet.getByText("Delete…"), { within: 5 });
  await tab.sees("Everything that follows this message goes with it.", sheet);
  await tab.enters(sheet.getByRole("button", { name: "Delete", exact: true }), { within: 3 });
  await tab.sees("Deleted, with what followed.");
  const messages = () => tab.page.locator("#thread > article > .prose").allInnerTexts().then((all) => all.map((text) => text.trim()));
  assert.deepEqual(await messages(), ["One?", "The first."]);
  await tab.enters(tab.page.getByRole("button", { name: "Undo" }), { back: true, within: 5 });
  await until("all of it is back", async () => (await messages()).join() === "One?,The first.,Two?,The second.");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

/** It is in sight, at the top of the conversation, and has the focus. */
const landsOn = (tab, message) => until("the message is in sight and has the focus", async () => {
  const [box, frame] = [await message.boundingBox(), await tab.page.locator(".scroll--talk").boundingBox()];
  const top = box && Math.round(box.y - frame.y);
  const focused = await message.evaluate((element) => element === document.activeElement);
  return (box && top > -5 && top < 150 && focused) || Promise.reject(`top ${top}, focused ${focused}`);
});

test("J and K lead to a message, whose link leads to it again, here and in another tab", async () => {
  const lou = await home.person("Lou");
  const tab = await lou.registers();
  await tab.goes(await longChat(home.ground, lou.email, { count: 60, text: "An answer.", html: "<p>An answer.</p>" }));
  await tab.page.locator("[data-ready]").waitFor();
  await tab.tabsTo(tab.page.getByRole("region", { name: "Conversation" }), { within: 60 });
  await tab.presses(...Array(10).fill("k"));
  const message = tab.page.locator("#thread > article", { hasText: "Question 50 of" });
  await landsOn(tab, message);
  await tab.enters(message.getByRole("link", { name: "More" }), { within: 5 });
  await tab.enters(tab.page.getByRole("link", { name: "Link to this message" }), { within: 5 });
  const id = await message.getAttribute("id");
  await tab.page.waitForURL((url) => url.hash === `#${id}`);
  await landsOn(tab, message);
  const other = await lou.opensTab(tab.page.url());
  await landsOn(other, other.page.locator(`#${id}`));
  lou.hasNothingToComplainAbout();
  await lou.leaves();
});

test("earlier messages come when Tab comes to the beginning of what is there", async () => {
  const leo = await home.person("Leo");
  const tab = await leo.registers();
  await tab.goes(await longChat(home.ground, leo.email, { count: 100, text: "An answer.", html: "<p>An answer.</p>" }));
  await tab.page.locator("[data-ready]").waitFor();
  const link = tab.page.getByRole("link", { name: "Earlier messages" });
  const are = (count) => until(`${count} messages are there`, async () => (await tab.page.locator("#thread > article").count()) === count);
  await are(40);
  await tab.tabsTo(tab.page.getByRole("region", { name: "Conversation" }), { within: 60 });
  await tab.tabsTo(link, { within: 1 });
  await are(80);
  await until("the next such link has the focus", () => link.evaluate((element) => element === document.activeElement));
  await tab.presses("Enter");
  await are(100);
  await tab.page.getByText("Question 0 of the long talk").waitFor();
  leo.hasNothingToComplainAbout();
  await leo.leaves();
});

test("a link to a message far up is followed from what was found, and leads there", async () => {
  const liv = await home.person("Liv");
  const tab = await liv.registers();
  const chat = await longChat(home.ground, liv.email, { count: 100, text: "An answer.", html: "<p>An answer.</p>" });
  await home.ground.sql(`update messages set text = 'The cormorant dries its wings.', html = '<p>The cormorant dries its wings.</p>' where chat_id = '${chat.split("/").at(-1)}' and text like 'Question 10 %'`);
  await tab.goes("/search");
  await tab.tabsTo(tab.page.getByRole("searchbox", { name: "Words to look for" }), { within: 30 });
  await tab.types("cormorant");
  await tab.presses("Enter");
  await tab.sees("Found once.");
  await tab.enters(tab.page.locator("main").getByRole("link", { name: "A long talk" }), { within: 40 });
  const message = tab.page.locator("#thread > article", { hasText: "The cormorant dries its wings." });
  await message.waitFor();
  await landsOn(tab, message);
  liv.hasNothingToComplainAbout();
  await liv.leaves();
});

test("an answer is liked, disliked, and said why", async () => {
  const { person, tab } = await asked("Roy", "How tall is a heron?", "About a metre.");
  const button = (name) => tab.answer.getByRole("button", { name, exact: true });
  const pressed = (like, dislike) => until(`like ${like}, dislike ${dislike}`, async () => {
    const now = await Promise.all(["Like", "Dislike"].map((name) => button(name).getAttribute("aria-pressed")));
    return now.join() === `${like},${dislike}` || Promise.reject(now.join());
  });
  await tab.enters(button("Like"), { back: true, within: 20 });
  await pressed(true, false);
  await tab.enters(button("Dislike"), { within: 2 });
  await pressed(false, true);
  const why = async (name, words) => {
    await tab.enters(tab.answer.getByRole("link", { name }), { within: 2 });
    await tab.tabsTo(tab.page.getByRole("textbox", { name: "Why?" }), { within: 1 });
    await tab.presses("Control+A");
    await tab.types(words);
    await tab.enters(tab.page.getByRole("button", { name: "Save", exact: true }), { within: 2 });
    await tab.page.locator("#more-sheet").waitFor({ state: "hidden" });
  };
  await why("Say why", "It is taller.");
  await why("Change why", "It is much taller.");
  assert.equal(await home.ground.sql(`select liked || ' ' || note from ratings r join chats c on c.id = r.chat_id join users u on u.id = c.user_id where u.email = '${person.email}'`), "false It is much taller.");
  await tab.enters(button("Dislike"), { back: true, within: 20 });
  await pressed(false, false);
  person.hasNothingToComplainAbout();
  await person.leaves();
});
