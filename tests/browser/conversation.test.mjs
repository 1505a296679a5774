// A conversation, from the door to the second question.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { same } from "./support/people.mjs";
import { until } from "./support/wait.mjs";

const home = house();

test("somebody registers, asks, and reads the answer as it comes", async () => {
  const ann = await home.person("Ann");
  const tab = await ann.registers();
  await tab.sees("Hello, Ann.");

  const answer = home.provider.answers("Why is the sky blue?");
  await tab.says("Why is the sky blue?");
  await tab.page.waitForURL("/chats/*");
  await answer.asked();

  // her own words are on the page before the first word of the answer
  await tab.sees("Why is the sky blue?", tab.page.locator("#thread"));
  await tab.stopButton.waitFor();
  assert.equal(await tab.sendButton.count(), 1, "the next message can be sent already");
  await tab.page.getByRole("navigation", { name: "Chats" }).getByText("answering").waitFor({ state: "attached" });

  await answer.says("Because **air** scatters ");
  await tab.seesSoFar("Because air");
  assert.equal(await tab.prose.locator("strong").textContent(), "air");
  await tab.sees("answering", tab.answer);
  await answer.says("blue light most.\n\nThe rest ");
  await tab.seesSoFar("Because air scatters blue light most. The");
  assert.equal(await tab.prose.locator("p").count(), 2);
  assert.ok(!(await tab.answerText()).includes("passes"));
  await answer.says("passes.");

  await answer.ends({ usage: { prompt_tokens: 9, completion_tokens: 1412, total_tokens: 1421 } });
  await tab.seesEnd();
  assert.equal(await tab.stopButton.count(), 0);
  await tab.seesAnswer("Because air scatters blue light most. The rest passes.");
  await tab.sees("quick · 1,412 tokens", tab.answer);

  const link = tab.page.getByRole("navigation", { name: "Chats" }).getByRole("link", { name: /Why is the sky blue/ });
  assert.equal(await link.getAttribute("aria-current"), "page", "the list shows the chat");
  await until("the list says no more that it is answering", async () => (await link.locator(".pulse").count()) === 0);

  await tab.page.evaluate(() => { window.untouched = true; });
  const second = home.provider.answers("And at night?");
  await tab.says("And at night?");
  const { messages, model, stream } = await second.asked();
  assert.deepEqual(messages, [
    { role: "user", content: "Why is the sky blue?" },
    { role: "assistant", content: "Because **air** scatters blue light most.\n\nThe rest passes." },
    { role: "user", content: "And at night?" },
  ]);
  assert.deepEqual([model, stream], ["quick", true]);
  await tab.sees("And at night?", tab.page.locator("#thread"));
  await until("what was sent is no longer in the composer", async () => (await tab.composer.inputValue()) === "");
  await second.says("No sun, no light.");
  await tab.seesSoFar("No sun,");
  await second.ends();
  await tab.seesEnd();

  assert.equal(await tab.page.evaluate(() => window.untouched), true, "the page was never loaded anew");
  assert.equal(await tab.page.locator("#thread > article").count(), 4);
  const shown = await tab.portrait();
  await tab.reloads();
  same(await tab.portrait(), shown, "after a reload");
  ann.hasNothingToComplainAbout();
});

test("what is sent goes near the top, and the page follows only a reader who is at the end", async () => {
  const bea = await home.person("Bea");
  const tab = await bea.registers();
  await tab.asksInNewChat("Something long, please.");
  await tab.seesEnd();

  const answer = home.provider.answers("And now really long.");
  await tab.says("And now really long.");
  await answer.asked();
  const room = tab.page.locator(".scroll--talk");
  const top = async () => {
    const [block, frame] = [await tab.page.locator("#thread > .message--me").last().boundingBox(), await room.boundingBox()];
    return block.y - frame.y;
  };
  await until("the question is near the top", async () => (await top()) >= 0 && (await top()) < 60);

  const fromEnd = () => room.evaluate((element) => element.scrollHeight - element.clientHeight - element.scrollTop);
  for (let n = 1; n <= 40; n++) await answer.says(`Paragraph ${n} of the long answer.\n\n`);
  await tab.sees("Paragraph 40");
  await until("the page has followed to the end", async () => (await fromEnd()) < 100);

  await room.hover();
  await tab.page.mouse.wheel(0, -700);
  await until("the reader has scrolled up", async () => (await fromEnd()) > 300);
  const newest = tab.page.getByRole("button", { name: "Newest" });
  await newest.waitFor();
  const place = () => tab.page.getByText("Paragraph 20 of").evaluate((element) => Math.round(element.getBoundingClientRect().y));
  const before = await place();
  for (let n = 41; n <= 50; n++) await answer.says(`Paragraph ${n} of the long answer.\n\n`);
  await tab.page.getByText("Paragraph 50").waitFor({ state: "attached" });
  await tab.page.locator("#newest .dot").waitFor();
  assert.equal(await place(), before, "what is being read stays where it is");

  await newest.click();
  await until("the reader is at the end again", async () => (await fromEnd()) < 100);
  await answer.says("The last words. ");
  await tab.sees("The last");
  await until("the page follows again", async () => (await fromEnd()) < 100);
  assert.equal(await newest.count(), 0);

  // nothing moves when the answer ends
  const last = () => tab.answer.getByText("The last").evaluate((element) => Math.round(element.getBoundingClientRect().y));
  const still = await last();
  await answer.ends();
  await tab.seesEnd();
  assert.equal(await last(), still, "the end of an answer moves nothing");
});

test("a question of several lines is whole in sight, with its short answer below it, and nothing to scroll for", async () => {
  const gil = await home.person("Gil");
  const tab = await gil.registers();
  await tab.asksInNewChat("Something long, please.");
  await tab.seesEnd();
  for (const lines of [2, 4, 8]) {
    const question = Array.from({ length: lines }, (_, n) => `Line ${n + 1} of ${lines}`).join("\n");
    const answer = home.provider.answers(question);
    await tab.says(question);
    await answer.says("Short, and ");
    await tab.seesSoFar("Short,");
    await answer.says("sweet.");
    await answer.ends();
    await tab.seesEnd();
    const frame = await tab.page.locator(".scroll--talk").boundingBox();
    await until(`the question of ${lines} lines is whole in sight`, async () => {
      const block = await tab.page.locator("#thread > .message--me").last().boundingBox();
      const top = Math.round(block.y - frame.y);
      return (top >= 0 && top < 60) || Promise.reject(`it begins at ${top} px`);
    }, 3000);
    assert.equal(await tab.page.getByRole("button", { name: "Newest" }).count(), 0, `${lines} lines: all is in sight, so nothing leads to something newer`);
  }
});

test("an answer is stopped from a second tab", async () => {
  const cem = await home.person("Cem");
  const tab = await cem.registers();
  const answer = home.provider.answers("Count to a thousand.");
  await tab.asksInNewChat("Count to a thousand.");
  await answer.says("One, two, three,");
  await tab.seesSoFar("One, two,");

  const other = await cem.opensTab(tab.page.url());
  await other.seesSoFar("One, two,");
  await answer.says(" four, five");
  await other.seesSoFar("One, two, three, four,");
  await other.stopButton.click();
  const pressed = Date.now();
  const closed = await answer.closed(2000);
  assert.ok(closed - pressed < 2000, "the provider's connection is closed within 2 s");

  for (const each of [tab, other]) {
    await each.seesEnd("stopped");
    await each.sees("Stopped.", each.answer);
    await each.seesAnswer("One, two, three, four, five");
    await each.sendButton.waitFor();
    assert.equal(await each.stopButton.count(), 0);
  }
  const shown = await tab.portrait();
  same(await other.portrait(), shown, "the other tab");
  await tab.reloads();
  same(await tab.portrait(), shown, "after a reload");

  // and the conversation goes on in the tab that did not stop it
  await tab.says("Enough. And now?");
  await tab.seesAnswer("A plain answer.");
  await other.seesAnswer("A plain answer.");
  cem.hasNothingToComplainAbout();
});

for (const [what, text] of Object.entries({
  "a backtick": "Press the ` key for it. ",
  "a bracket": "See [the notes of last week. ",
  "two asterisks": "This is **important to know. ",
})) {
  test(`a paragraph with ${what} that is never closed appears as it comes`, async () => {
    const ivo = await home.person("Ivo");
    const tab = await ivo.registers();
    const answer = home.provider.answers("Tell me.");
    await tab.asksInNewChat("Tell me.");
    await answer.says(text + "Many more words follow it in the same paragraph. ".repeat(20));
    await tab.seesInAnswer("Many more words follow it");
    await answer.ends();
    await tab.seesEnd();
  });
}

test("what has come is soon in sight, also when the model pauses after it", async () => {
  const dan = await home.person("Dan");
  const tab = await dan.registers();
  const answer = home.provider.answers("Think slowly.");
  await tab.asksInNewChat("Think slowly.");
  await answer.says("Because **air and water");
  await tab.seesSoFar("Because");
  await tab.seesInAnswer("water");
  await answer.says("** are wet, and the");
  await tab.seesInAnswer("and the");
  await answer.ends();
  await tab.seesAnswer("Because air and water are wet, and the");
});
