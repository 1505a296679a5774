// Reasoning: folded, readable, and timed.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { same } from "./support/people.mjs";
import { until } from "./support/wait.mjs";

const home = house();

test("reasoning comes folded, can be read while it comes, and says how long it took", async () => {
  const gus = await home.person("Gus");
  const tab = await gus.registers();
  await tab.asksInNewChat("Warm up.");
  await tab.seesEnd();
  const other = await gus.opensTab(tab.page.url());

  const answer = home.provider.answers("How many windows has this house?");
  await tab.says("How many windows has this house?");
  await answer.thinks("Let me count <b>them</b> & ");
  const fold = tab.answer.locator("details.thinking");
  await fold.waitFor();
  assert.equal(await fold.getAttribute("open"), null, "it is folded");
  await tab.sees("Thinking", fold);
  const words = fold.locator(".thinking__text");
  assert.equal(await words.isVisible(), false);
  await fold.locator("summary").click();
  await words.waitFor();
  await until("the first thought is there", async () => (await words.textContent()) === "Let me count <b>them</b> & ");
  await answer.thinks("be careful:\n\none, two, three.");
  await until("the rest follows", async () => (await words.textContent()) === "Let me count <b>them</b> & be careful:\n\none, two, three.");
  assert.equal(await words.isVisible(), true, "what the reader unfolded stays open");

  await answer.says("There are **three** windows.");
  await tab.seesSoFar("There are three");
  await answer.ends();
  await tab.seesEnd();
  await tab.sees(/^Thought for \d+ s$/, fold);
  assert.equal(await words.isVisible(), true, "and at the end too");
  await fold.locator("summary").click();

  await other.seesEnd();
  assert.equal(await other.answer.locator(".thinking__text").isVisible(), false, "the other tab's is folded");
  const shown = await tab.portrait();
  same(await other.portrait(), shown, "the other tab");
  await tab.reloads();
  same(await tab.portrait(), shown, "after a reload");
  assert.match(await tab.answer.locator(".thinking__then").innerText(), /^Thought for \d+ s$/);

  const next = home.provider.answers("Sure?");
  await tab.says("Sure?");
  const { messages } = await next.asked();
  assert.equal(messages.at(-2).content, "There are **three** windows.", "thoughts are not sent back to the model");
  await next.ends();
  gus.hasNothingToComplainAbout();
});
