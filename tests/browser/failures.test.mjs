// What goes wrong is said in a sentence, with what to do; and no text is lost.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { same } from "./support/people.mjs";

const home = house();
const REFUSED = /status of 422/; // the browser's own remark on an answer of 422

test("a provider's failure is a sentence, and Try again makes another answer", async () => {
  const hal = await home.person("Hal");
  const tab = await hal.registers();
  await tab.asksInNewChat("Warm up.");
  await tab.seesEnd();

  for (const [status, sentence] of [[401, /does not accept the key/], [500, /had an error of its own/], [400, /did not accept this request/]]) {
    const question = `Question ${status}`;
    const failing = home.provider.answers(question);
    await tab.says(question);
    await failing.fails(status, "secret words of the provider");
    await tab.seesEnd("failed");
    await tab.sees(sentence, tab.answer);
    assert.ok(!(await tab.answer.innerText()).includes("secret words"));
    await tab.sendButton.waitFor();
    const shown = await tab.portrait();
    await tab.reloads();
    same(await tab.portrait(), shown, "after a reload");

    // one that is not accepted is set aside
    await home.ground.sql("update provider_keys set set_aside_at = null");
    const again = home.provider.answers(question);
    await tab.answer.getByRole("button", { name: "Try again" }).click();
    const { messages } = await again.asked();
    assert.equal(messages.at(-1).content, question);
    await again.says(`An answer to ${question}.`);
    await again.ends();
    await tab.seesAnswer(`An answer to ${question}.`);
    await tab.seesEnd();
    assert.equal(await tab.page.getByText(question, { exact: true }).filter({ visible: true }).count(), 1, "the question stands once");
  }
  hal.hasNothingToComplainAbout();
});

test("a connection that breaks keeps the text", async () => {
  const ida = await home.person("Ida");
  const tab = await ida.registers();
  const answer = home.provider.answers("Tell me a story.");
  await tab.asksInNewChat("Tell me a story.");
  await answer.says("Once upon a time there was");
  await tab.seesSoFar("Once upon a");
  await answer.breaks();
  await tab.seesEnd("interrupted");
  await tab.seesAnswer("Once upon a time there was");
  await tab.sees(/broke before the answer was complete/, tab.answer);
  await tab.sees("Try again", tab.answer);
  const shown = await tab.portrait();
  await tab.reloads();
  same(await tab.portrait(), shown, "after a reload");
  ida.hasNothingToComplainAbout();
});

test("a provider that is down", async () => {
  const jon = await home.person("Jon");
  const tab = await jon.registers();
  await tab.asksInNewChat("Warm up.");
  await tab.seesEnd();
  await home.provider.goesAway();
  try {
    await tab.says("Anybody there?");
    await tab.seesEnd("failed");
    await tab.sees(/could not be reached/, tab.answer);
  } finally {
    await home.provider.returns();
  }
  const again = home.provider.answers("Anybody there?");
  await tab.answer.getByRole("button", { name: "Try again" }).click();
  await again.says("Here I am.");
  await again.ends();
  await tab.seesAnswer("Here I am.");
  jon.hasNothingToComplainAbout();
});

const LONG = "word ".repeat(801).trim(); // 4004 characters

test("a message that is too long or empty is not sent, with JavaScript", async () => {
  const kim = await home.person("Kim");
  const tab = await kim.registers();
  for (const place of ["a new chat", "a chat"]) {
    const url = tab.page.url();
    await tab.composer.fill("x".repeat(3200));
    await tab.sees("3,200 / 4,000");
    await tab.says(LONG);
    await tab.sees("4,004 / 4,000");
    await tab.says("   \n ");
    await tab.sendButton.click();
    assert.equal(tab.page.url(), url, `${place}: nothing is sent`);
    assert.equal(await tab.page.locator("#thread > article").count(), place === "a chat" ? 2 : 0);

    // whoever gets past the page is refused by the house, and keeps the text
    await tab.page.evaluate(() => { document.querySelector("#say").dataset.max = 1e6; });
    await tab.says(LONG);
    await tab.sees(/This message has 4004 characters; at most 4000 can be sent/);
    assert.equal(await tab.composer.inputValue(), LONG, `${place}: the text is kept`);

    await tab.says(`Short then, in ${place}.`);
    await tab.page.waitForURL("/chats/*");
    await tab.sees(`Short then, in ${place}.`, tab.page.locator("#thread"));
    await tab.seesAnswer("A plain answer.");
    await tab.seesEnd();
    assert.equal(await tab.page.getByText(/This message has/).filter({ visible: true }).count(), 0, "the sentence is gone");
  }
  kim.hasNothingToComplainAbout([REFUSED]);
});

test("an over-long message says so before it is sent", async () => {
  const leo = await home.person("Leo");
  const tab = await leo.registers();
  await tab.says(LONG);
  await tab.sees(/characters; at most|too long|at most 4,?000/i);
  assert.equal(await tab.composer.inputValue(), LONG);
});

test("a message that is too long or empty is not sent, without JavaScript", async () => {
  const mia = await home.person("Mia", { javaScriptEnabled: false });
  const tab = await mia.registers();
  for (const place of ["a new chat", "a chat"]) {
    await tab.composer.fill(LONG);
    await tab.sendButton.click();
    await tab.sees(/This message has 4004 characters/);
    assert.equal(await tab.composer.inputValue(), LONG, `${place}: the text is kept`);
    await tab.composer.fill("   ");
    await tab.sendButton.click();
    await tab.sees("Write something first.");

    await tab.composer.fill(`Short then, in ${place}.`);
    await tab.sendButton.click();
    await tab.page.waitForURL(/\/chats\/[^/]+$/, { waitUntil: "commit" });
    await tab.sees("A plain answer.", tab.answer);
    await tab.goes(new URL(tab.page.url()).pathname);
    await tab.seesEnd();
  }
  mia.hasNothingToComplainAbout([REFUSED]);
});

test("a message that could not be sent at all stays in the composer", async () => {
  const ned = await home.person("Ned");
  const tab = await ned.registers();
  await tab.asksInNewChat("Warm up.");
  await tab.seesEnd();
  await ned.context.route("**/messages", (route) => route.abort("connectionrefused"));
  await tab.says("Precious words");
  await tab.sees(/That was not sent/);
  assert.equal(await tab.composer.inputValue(), "Precious words");
  await ned.context.unroute("**/messages");
  await tab.composer.press("Enter");
  await tab.sees("Precious words", tab.page.locator("#thread"));
  await tab.seesAnswer("A plain answer.");
  assert.equal(await tab.page.getByText("Precious words", { exact: true }).filter({ visible: true }).count(), 1);
  // the feed may be faster than the reply to sending
  await tab.page.getByText(/That was not sent/).waitFor({ state: "hidden" });
});
