// Nothing moves that the reader did not move: no layout shift while a message is sent, an answer begins, grows and ends.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { RICH, pieces } from "./support/rich.mjs";

const home = house();

/** Writes down every layout shift from now on, those after a key or a click too: here nothing may move for them either. */
async function watch(page) {
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const { value, startTime, sources } of list.getEntries()) {
        const what = sources.map(({ node, previousRect: a, currentRect: b }) => `${node?.id || node?.className || node?.nodeName} from ${Math.round(a.top)} to ${Math.round(b.top)}`);
        window.shifts.push({ value, startTime, what });
      }
    }).observe({ type: "layout-shift" });
    document.querySelector("h1").style.marginTop = "40px";
  });
  await page.waitForFunction(() => window.shifts.length > 0); // they are seen at all
  await page.evaluate(() => document.querySelector("h1").style.removeProperty("margin-top"));
  await page.waitForFunction(() => window.shifts.length > 1);
  await page.evaluate(() => { window.shifts = []; });
}

/** The shift as it is reckoned everywhere: the worst window of at most 5 s with no gap of 1 s (web.dev/articles/cls). Columns
 * of a table that find their width while it comes are within what is rounded off. `moving` says what is meant to move. */
async function staysStill(tab, t, moving = /^$/) {
  await tab.page.waitForTimeout(300); // what comes late is seen too
  const shifts = (await tab.page.evaluate(() => window.shifts)).filter(({ what }) => !what.every((line) => moving.test(line)));
  let worst = 0, sum = 0, from = 0, last = -Infinity;
  for (const { value, startTime } of shifts) {
    if (startTime - last > 1000 || startTime - from > 5000) [sum, from] = [0, startTime];
    sum += value;
    last = startTime;
    worst = Math.max(worst, sum);
  }
  t.diagnostic(`layout shift ${worst.toFixed(4)}`);
  const most = shifts.toSorted((a, b) => b.value - a.value).slice(0, 8).map(({ value, what }) => `${value.toFixed(4)} ${what.join(", ")}`);
  assert.equal(worst.toFixed(2), "0.00", most.join("\n"));
}

for (const [width, height] of [[1440, 900], [390, 844]]) {
  test(`at ${width} px, while a long answer comes and a short one is stopped`, async (t) => {
    const una = await home.person("Una", { viewport: { width, height } });
    const tab = await una.registers();
    await tab.asksInNewChat("The first one");
    await tab.seesEnd();
    await tab.reloads();
    await tab.page.locator("[data-ready]").waitFor();
    await watch(tab.page);

    const rich = home.provider.answers("Show me everything");
    await tab.says("Show me everything");
    await rich.asked();
    await tab.sees("thinking", tab.answer);
    await rich.thinks("Let me see what there is. ");
    await tab.answer.locator(".thinking").waitFor();
    for (const piece of pieces(RICH.slice(0, RICH.length / 3))) {
      await rich.says(piece);
      await tab.page.waitForTimeout(15); // some of them are drawn alone
    }
    await rich.ends({ usage: { prompt_tokens: 9, completion_tokens: 1412, total_tokens: 1421 } });
    await tab.seesEnd();
    await staysStill(tab, t);

    const short = home.provider.answers("And something short");
    await tab.says("And something short");
    await short.says("Yes. ");
    await tab.seesSoFar("Yes.");
    await tab.stopButton.click();
    await tab.seesEnd("stopped");
    await staysStill(tab, t);
    await una.leaves();
  });

  test(`at ${width} px, while short answers come and one that was open already ends`, async (t) => {
    const una = await home.person("Una", { viewport: { width, height } });
    const tab = await una.registers();
    const open = home.provider.answers("Are you there?");
    await tab.asksInNewChat("Are you there?");
    await open.says("I was");
    await tab.seesSoFar("I was");
    await tab.reloads();
    await tab.page.locator("[data-ready]").waitFor();
    await watch(tab.page);
    await open.says(" here all the time.\n\nAnd I");
    await tab.seesSoFar("I was here all the time. And");
    await open.says(" stay.");
    await open.ends();
    await tab.seesEnd();
    await staysStill(tab, t);
    for (const question of ["Are you well?", "What time is it?", "Is it late?"]) {
      const answer = home.provider.answers(question);
      await tab.says(question);
      await answer.asked();
      await tab.sees("thinking", tab.answer);
      await answer.says("It is");
      await tab.seesSoFar("It is");
      await answer.says(" as it is.");
      await answer.ends();
      await tab.seesEnd();
    }
    await staysStill(tab, t);
    await una.leaves();
  });

  test(`at ${width} px, while the next message waits in line and is sent`, async (t) => {
    const una = await home.person("Una", { viewport: { width, height } });
    const tab = await una.registers();
    const [first, second] = [home.provider.answers("The first?"), home.provider.answers("The second?")];
    await tab.asksInNewChat("The first?");
    await first.says("The first");
    await tab.seesSoFar("The first");
    await watch(tab.page);
    await tab.says("The second?");
    await tab.sees("In line: sent after");
    const lined = await tab.page.locator("#thread > article").evaluateAll((all) => all.slice(-2).map((article) => article.id));
    await staysStill(tab, t);
    await first.says(" answer.\n\nIt goes on.");
    await first.ends();
    await second.asked();
    await second.says("The second answer.");
    await second.ends();
    await tab.seesEnd();
    await staysStill(tab, t, new RegExp(lined.join("|"))); // what was in line takes its place under the first answer
    await una.leaves();
  });
}
