// Without scripts, while an answer waits to be tried again.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house({ env: { PARLOR__GENERATION__RETRY: "4" } });

test("the page loads itself anew, says so, and has a way to write in peace", async () => {
  const zoe = await home.person("Zoe", { javaScriptEnabled: false });
  const tab = await zoe.registers();
  const { page } = tab;
  const failing = home.provider.answers("Are you there?");
  await tab.composer.fill("Are you there?");
  await tab.sendButton.click();
  await failing.fails(500);
  await until("it waits", async () => (await home.ground.sql("select state from generations")) === "waiting");
  await tab.goes(new URL(page.url()).pathname, "commit");
  await tab.sees("This page loads itself anew when the answer is tried again.");
  const again = home.provider.answers("Are you there?");
  await page.getByRole("link", { name: "Write the next message" }).click();
  await page.waitForURL(/still$/);
  await tab.composer.fill("A long letter");
  await again.asked(); // it was tried again meanwhile
  await again.says("Yes.");
  await again.ends();
  await page.waitForTimeout(3000); // longer than the page would have waited
  assert.equal(await tab.composer.inputValue(), "A long letter");
  const next = home.provider.answers("A long letter");
  await tab.sendButton.click();
  await next.asked();
  await next.says("Thank you.");
  await next.ends();
  zoe.hasNothingToComplainAbout([/status of 500/]);
});
