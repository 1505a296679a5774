// Messages in line, in two tabs; answers that wait to be tried again; answers that go on where they were cut.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { same } from "./support/people.mjs";
import { until } from "./support/wait.mjs";

const home = house({ env: { PARLOR__GENERATION__RETRY: "58" } });

const articles = (tab) => tab.page.locator("#thread > article");
/** The answer to a question, by the order of the page. */
const answerTo = (tab, question) => tab.page.locator("#thread > article.message--me", { hasText: question }).locator("xpath=following-sibling::article[1]");
const stands = (tab, question, state) => answerTo(tab, question).locator(`> footer[data-state="${state}"]`).waitFor({ state: "attached" });
/** Two tabs show the same, and so does a page that is loaded anew. */
async function alike(tab, other, what) {
  const portrait = async (of) => (await of.portrait(".state__time, .due")).map((article) => article.replace(/data-seconds="\d+"/, ""));
  const shown = await portrait(tab);
  same(await portrait(other), shown, `${what}: the other tab`);
  await other.reloads();
  same(await portrait(other), shown, `${what}: after a reload`);
}

test("two messages in line, in two tabs", async () => {
  const lea = await home.person("Lea");
  const tab = await lea.registers();
  const first = home.provider.answers("One.");
  await tab.asksInNewChat("One.");
  await first.says("The first answer ");
  await tab.seesSoFar("The first");
  const other = await lea.opensTab(tab.page.url());
  await tab.stopButton.waitFor();
  await tab.sendButton.waitFor();

  const [second, third] = [home.provider.answers("Two."), home.provider.answers("Three.")];
  await tab.says("Two.");
  await stands(tab, "Two.", "lined");
  await stands(other, "Two.", "lined");
  assert.equal(await tab.composer.inputValue(), "", "what was sent is no longer in the composer");
  await other.says("Three.");
  for (const each of [tab, other]) {
    await stands(each, "Three.", "lined");
    await each.sees("In line: sent after", answerTo(each, "Three."));
    assert.equal(await each.stopButton.count(), 1, "the running answer can still be stopped");
  }
  await alike(tab, other, "in line");

  await first.says("is here.");
  await first.ends();
  for (const each of [tab, other]) await stands(each, "One.", "completed");
  assert.deepEqual((await second.asked()).messages.map((m) => m.content), ["One.", "The first answer is here.", "Two."]);
  await second.says("The second ");
  for (const each of [tab, other]) {
    await stands(each, "Two.", "streaming");
    await stands(each, "Three.", "lined");
    await each.stopButton.waitFor();
  }
  await second.says("one.");
  // Esc stops what runs, and the line goes on
  await tab.sees("one.", answerTo(tab, "Two."));
  await tab.composer.focus();
  await tab.presses("Escape");
  await second.closed(2000);
  await third.says("The third.");
  await third.ends();
  for (const each of [tab, other]) {
    await stands(each, "Two.", "stopped");
    await stands(each, "Three.", "completed");
    await until("there is nothing to stop any more", async () => (await each.stopButton.count()) === 0);
    assert.equal(await articles(each).count(), 6);
  }
  await alike(tab, other, "at the end");
  lea.hasNothingToComplainAbout();
});

test("what is in line is removed, and the conversation goes on from what is left", async () => {
  const max = await home.person("Max");
  const tab = await max.registers();
  const first = home.provider.answers("Count.");
  await tab.asksInNewChat("Count.");
  await first.says("One, two ");
  const other = await max.opensTab(tab.page.url());
  for (const words of ["Faster.", "Slower.", "Stop."]) {
    await tab.says(words);
    await stands(tab, words, "lined");
  }
  await stands(other, "Stop.", "lined");
  await tab.composer.fill("half a thought");
  await answerTo(tab, "Slower.").getByRole("button", { name: "Remove" }).click();
  for (const each of [tab, other]) {
    await until("two turns are left", async () => (await articles(each).count()) === 4);
    assert.equal(await each.stopButton.count(), 1);
  }
  assert.equal(await tab.composer.inputValue(), "half a thought", "what was being written stays");
  const faster = home.provider.answers("Faster.");
  const next = home.provider.answers("half a thought");
  await tab.composer.press("Enter");
  await stands(other, "half a thought", "lined");
  await first.ends();
  await faster.says("Onetwothree.");
  await faster.ends();
  assert.deepEqual((await next.asked()).messages.map((m) => m.content), ["Count.", "One, two ", "Faster.", "Onetwothree.", "half a thought"]);
  await next.says("Whole.");
  await next.ends();
  for (const each of [tab, other]) await stands(each, "half a thought", "completed");
  await alike(tab, other, "at the end");
  max.hasNothingToComplainAbout();
});

test("what is in line is edited where it stands, by pointer and by keyboard", async () => {
  const ida = await home.person("Ida");
  const tab = await ida.registers();
  const first = home.provider.answers("The first?");
  await tab.asksInNewChat("The first?");
  await first.says("It is");
  await tab.says("The secnod?");
  await tab.sees("In line: sent after");
  const field = tab.page.locator("#thread").getByRole("textbox");
  await tab.page.locator("#thread").getByRole("link", { name: "Edit" }).filter({ visible: true }).last().click();
  await field.waitFor();
  await tab.presses("Escape");
  await field.waitFor({ state: "detached" });
  assert.ok(await tab.composer.evaluate((element) => element === document.activeElement), "the focus is not lost");
  await tab.presses("ArrowUp");
  await field.fill("The second?");
  await tab.tabsTo(tab.page.locator("#thread").getByRole("button", { name: "Save" }));
  await tab.presses("Enter");
  await tab.sees("The second?", tab.page.locator("#thread"));
  await tab.sees("In line: sent after");
  const second = home.provider.answers("The second?");
  await first.ends();
  await second.asked();
  await second.says("Yes.");
  await second.ends();
  await tab.seesAnswer("Yes.");
  await ida.leaves();
});

test("an answer that waits counts down and is cancelled; what it held goes on", async () => {
  const nia = await home.person("Nia");
  const tab = await nia.registers();
  const failing = home.provider.answers("Are you there?");
  await tab.asksInNewChat("Are you there?");
  const other = await nia.opensTab(tab.page.url());
  await failing.fails(500, "secret words of the provider");
  for (const each of [tab, other]) {
    await stands(each, "Are you there?", "waiting");
    await each.sees(/had an error of its own/, each.answer);
    await each.sees(/^0:5\d$/, each.answer);
    assert.equal(await each.stopButton.count(), 0);
  }
  const time = async () => tab.answer.locator(".due > span").textContent();
  const before = await time();
  await until("the time goes down", async () => (await time()) < before);
  await alike(tab, other, "waiting");

  const next = home.provider.answers("Then something else.");
  await tab.says("Then something else.");
  for (const each of [tab, other]) await each.sees(/is still to be tried again/, answerTo(each, "Then something else."));
  await alike(tab, other, "held");
  await answerTo(other, "Are you there?").getByRole("button", { name: "Cancel" }).click();
  await next.says("Gladly.");
  await next.ends();
  for (const each of [tab, other]) {
    await stands(each, "Are you there?", "stopped");
    await each.sees("Try again", answerTo(each, "Are you there?"));
    await stands(each, "Then something else.", "completed");
  }
  await alike(tab, other, "at the end");
  nia.hasNothingToComplainAbout();
});

test("an answer that was cut goes on, is cut again, goes on; a held line follows it", async () => {
  const oda = await home.person("Oda");
  const tab = await oda.registers();
  const begun = home.provider.answers("Tell me a story.");
  await tab.asksInNewChat("Tell me a story.");
  await begun.says("Once upon a ti");
  await tab.seesSoFar("Once upon");
  await tab.says("And then?");
  await stands(tab, "And then?", "lined");
  await begun.breaks();
  await tab.sees(/because the answer above was cut off/, answerTo(tab, "And then?"));
  await tab.page.getByRole("button", { name: "Send now" }).waitFor();
  for (const [words, breaks] of [["me there w", true], ["as a king.", false]]) {
    const more = home.provider.continues();
    await answerTo(tab, "Tell me a story.").getByRole("button", { name: "Continue" }).click();
    const { messages } = await more.asked();
    assert.deepEqual(messages.map((m) => m.role), ["user", "assistant", "user"]);
    await tab.sees(/Once upon a ti/);
    await stands(tab, "And then?", "lined");
    await more.says(words);
    if (breaks) {
      await tab.sees("Once upon a time there w");
      await more.breaks();
      await stands(tab, "Tell me a story.", "interrupted");
    } else await more.ends();
  }
  await tab.sees("Once upon a time there was a king.", answerTo(tab, "Tell me a story."));
  await stands(tab, "And then?", "completed");
  assert.equal(await answerTo(tab, "Tell me a story.").getByRole("button", { name: "Continue" }).count(), 0);
  const shown = await tab.portrait();
  await tab.reloads();
  same(await tab.portrait(), shown, "after a reload");
  oda.hasNothingToComplainAbout();
});

test("a held message is sent by hand, and the focus is not lost with the button", async () => {
  const pat = await home.person("Pat");
  const tab = await pat.registers();
  const first = home.provider.answers("Will it work?");
  await tab.asksInNewChat("Will it work?");
  const other = await pat.opensTab(tab.page.url());
  await first.asked();
  await tab.says("And this?");
  await stands(other, "And this?", "lined");
  await first.fails(400);
  for (const each of [tab, other]) await each.sees(/because the answer above did not come/, answerTo(each, "And this?"));
  await alike(tab, other, "held");
  const second = home.provider.answers("And this?");
  await tab.page.getByRole("button", { name: "Send now" }).focus();
  await tab.presses("Enter");
  await second.says("It does.");
  await until("the focus is in the composer", () => tab.composer.evaluate((element) => element === document.activeElement));
  // and when the button that is held goes because the answer ended
  await other.stopButton.focus();
  await second.ends();
  for (const each of [tab, other]) await stands(each, "And this?", "completed");
  await until("the focus is in the composer", () => other.composer.evaluate((element) => element === document.activeElement));
  await alike(tab, other, "at the end");
  pat.hasNothingToComplainAbout();
});

test("a button that was refused says why; a full line keeps the text", async () => {
  const pia = await home.person("Pia");
  const tab = await pia.registers();
  const first = home.provider.answers("Go.");
  await tab.asksInNewChat("Go.");
  await first.says("Going ");
  for (let n = 1; n <= 10; n++) {
    await tab.says(`Number ${n}.`);
    await stands(tab, `Number ${n}.`, "lined");
  }
  await tab.says("One too many.");
  await tab.sees(/10 messages are waiting in line already/);
  assert.equal(await tab.composer.inputValue(), "One too many.");
  assert.equal(await tab.page.locator(".composer").evaluate((e) => e.scrollWidth <= e.clientWidth + 1), true);
  // removed here after it has been removed elsewhere
  const stale = answerTo(tab, "Number 10.").getByRole("button", { name: "Remove" });
  const action = await answerTo(tab, "Number 10.").locator("form").getAttribute("action");
  await tab.page.route(`**${action}`, (route) => route.fulfill({ status: 409, contentType: "text/plain", headers: { "hx-reswap": "none" }, body: "Only a message that is still waiting in line can be removed." }));
  await stale.click();
  await tab.sees(/Only a message that is still waiting/);
  await first.ends();
  pia.hasNothingToComplainAbout([/status of 409/]);
});

test("the line without JavaScript", async () => {
  const quin = await home.person("Quin", { javaScriptEnabled: false });
  const tab = await quin.registers();
  const first = home.provider.answers("First.");
  await tab.composer.fill("First.");
  await tab.sendButton.click();
  await tab.page.waitForURL(/\?live$/, { waitUntil: "commit" });
  await first.says("A block.\n\nMore ");
  await tab.sees("A block.");
  const path = new URL(tab.page.url()).pathname;
  // the page that is held open leads to one that can be written on, and back
  await tab.page.getByRole("link", { name: "Write the next message" }).click();
  await tab.page.waitForURL(/\?still$/);
  await tab.composer.fill("Second.");
  await tab.sendButton.click();
  await tab.page.waitForURL(/\?live$/, { waitUntil: "commit" });
  await tab.sees(/1 message is in line behind it/);
  await tab.page.getByRole("link", { name: "Write the next message" }).click();
  await tab.sees("In line: sent after");
  await tab.composer.fill("Third.");
  await tab.sendButton.click();
  await tab.page.waitForURL(/\?live$/, { waitUntil: "commit" });
  await tab.page.getByRole("link", { name: "Write the next message" }).click();
  await answerTo(tab, "Third.").getByRole("button", { name: "Remove" }).click();
  await tab.page.waitForURL(/\?live$/, { waitUntil: "commit" });
  await tab.sees(/1 message is in line behind it/);
  const second = home.provider.answers("Second.");
  await first.ends();
  await tab.sees("The answer is complete.");
  await tab.page.getByRole("link", { name: "Reload" }).click();
  await tab.page.waitForURL(/\?live$/, { waitUntil: "commit" });
  await second.fails(500);
  await tab.sees(/had an error of its own/);
  await tab.goes(path);
  await tab.sees(/Tries again in/);
  await tab.page.getByRole("button", { name: "Cancel" }).click();
  await stands(tab, "Second.", "stopped");
  quin.hasNothingToComplainAbout();
});
