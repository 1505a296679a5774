// What somebody who listens is told while an answer comes: that it begins, its blocks when they are whole, that it is over.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house({ env: { PARLOR__GENERATION__RETRY: "58" } });

/** Somebody in an answered chat, whose polite region is written down from now on. */
async function listens(name) {
  const person = await home.person(name);
  const tab = await person.registers();
  await tab.asksInNewChat("Warm up.");
  await tab.seesEnd();
  await tab.reloads(); // nothing was said on this page yet
  await tab.page.locator("#say[data-htmx-powered]").waitFor(); // what is sent sooner is sent by a new page
  await hears(tab);
  return { person, tab };
}

/** Writes down what the region says: each paragraph once, also one that goes again. */
const hears = (tab) => tab.page.locator("#announce").evaluate((region) => {
  window.heard = [];
  new MutationObserver((records) => {
    for (const { addedNodes } of records) for (const node of addedNodes) window.heard.push(node.textContent);
  }).observe(region, { childList: true });
});
const heard = (tab) => tab.page.evaluate(() => window.heard);
const hasHeard = (tab, ...expected) => until(`it was said: ${expected.join(" / ")}`, async () => {
  const now = await heard(tab);
  return now.join("|") === expected.join("|") || Promise.reject(now.join("|"));
});

test("an answer begins, says its blocks, and is finished; in every tab", async () => {
  const { person, tab } = await listens("Ann");
  const other = await person.opensTab(tab.page.url());
  await other.page.locator("[data-ready]").waitFor();
  await hears(other);
  // what is heard: a polite region that is there for those who listen, beside a conversation that is silent itself
  const region = tab.page.locator("#announce");
  assert.equal(await region.getAttribute("aria-live"), "polite");
  assert.equal(await region.evaluate((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest("[aria-hidden=true], [inert], [hidden]")), true);
  assert.equal(await tab.page.getByRole("log").getAttribute("aria-live"), "off");

  const answer = home.provider.answers("Why is the sky blue?");
  await tab.says("Why is the sky blue?");
  await answer.asked();
  await hasHeard(tab, "Answering.");
  await answer.says("Because **air** scatters ");
  await tab.seesSoFar("Because air");
  await hasHeard(tab, "Answering."); // not every token
  await answer.says("blue.\n\nThe rest ");
  await hasHeard(tab, "Answering.", "Because air scatters blue.");
  await answer.says("passes. ");
  for (const each of [tab, other]) await each.seesAnswer("Because air scatters blue. The rest passes.");
  await hasHeard(tab, "Answering.", "Because air scatters blue."); // the last block may still grow
  await answer.ends();
  for (const each of [tab, other]) {
    await each.seesEnd();
    await hasHeard(each, "Answering.", "Because air scatters blue.", "The rest passes.", "Answer finished.");
  }
  await region.getByText("Answer finished.").waitFor({ state: "attached" });
  // the last words come together with the end
  await tab.page.evaluate(() => { window.heard = []; });
  const short = home.provider.answers("And at night?");
  await tab.says("And at night?");
  await short.asked();
  await hasHeard(tab, "Answering.");
  await short.says("It is black.\n\nThere is no ");
  await short.says("light.");
  await short.ends();
  await tab.seesEnd();
  await hasHeard(tab, "Answering.", "It is black.", "There is no light.", "Answer finished.");
  assert.ok(await tab.composer.evaluate((field) => field === document.activeElement), "the focus was left where it was");
  person.hasNothingToComplainAbout();
  await person.leaves();
});

test("one that is stopped, and one that did not come, are told as well", async () => {
  const { person, tab } = await listens("Bea");
  const stopped = home.provider.answers("Count.");
  await tab.says("Count.");
  await stopped.says("One, two,");
  await tab.seesSoFar("One, two,");
  await tab.page.locator("#stop[data-htmx-powered]").waitFor(); // sooner, it is stopped by a new page
  await tab.presses("Escape");
  await tab.seesEnd("stopped");
  await hasHeard(tab, "Answering.", "One, two,", "Answer stopped.");
  await tab.page.evaluate(() => { window.heard = []; });
  const failed = home.provider.answers("And this?");
  await tab.says("And this?");
  await failed.fails(400);
  await tab.seesEnd("failed");
  await until("it says why", async () => (await heard(tab)).length === 2);
  const [first, second] = await heard(tab);
  assert.equal(first, "Answering.");
  await tab.sees(second, tab.answer);
  await person.leaves();
});

test("the first answer of a new chat is told too, once its page is there", async () => {
  const cem = await home.person("Cem");
  const tab = await cem.registers();
  const answer = home.provider.answers("Are you there?");
  await tab.asksInNewChat("Are you there?");
  await answer.asked();
  await tab.sees("thinking", tab.answer);
  await tab.page.locator("#announce").getByText("Answering.").waitFor({ state: "attached" });
  await hears(tab);
  await answer.says("Yes.");
  await tab.seesAnswer("Yes.");
  await answer.ends();
  await hasHeard(tab, "Yes.", "Answer finished.");
  cem.hasNothingToComplainAbout();
  await cem.leaves();
});
