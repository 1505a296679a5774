// Too fast: nothing typed is lost, and it is said how long to wait.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { given } from "./support/screens-limits.mjs";
import { until } from "./support/wait.mjs";

const home = house();

const gone = (home, person) => home.ground.sql(`update taken_messages set at = at - interval '61 s' where user_id = (select id from users where email = '${person.email}')`);

for (const javaScriptEnabled of [true, false]) {
  test(`the composer keeps what was typed, ${javaScriptEnabled ? "with" : "without"} JavaScript`, async () => {
    const ann = await home.person("Ann", { javaScriptEnabled });
    const tab = await ann.registers();
    await given(home, ann, 5, 0, 2);
    await tab.goes("/");
    assert.equal(await tab.page.locator(".meter").count(), 0, "two of five");
    for (const [n, words] of ["the first", "the second", "the third"].entries()) {
      const answer = home.provider.answers(words);
      await tab.composer.fill(words);
      await tab.sendButton.click();
      await answer.says(`Answer to ${words}.`);
      await answer.ends();
      await tab.sees(`Answer to ${words}.`);
      if (!javaScriptEnabled) await tab.goes(new URL(tab.page.url()).pathname);
      if (n === 0) assert.equal(await tab.page.locator(".meter").count(), 0, "three of five");
      if (n === 1) await tab.sees("1 of 5 left this minute");
    }
    await tab.sees("none of 5 left this minute");
    await tab.composer.fill("what is too much");
    await tab.composer.press("Enter");
    if (!javaScriptEnabled) await tab.sendButton.click();
    await tab.sees(/5 messages were sent within a minute, which is as many as can be\. Try again in \d+ seconds?\./);
    assert.equal((await tab.composer.inputValue()).trim(), "what is too much");
    assert.equal(await tab.page.locator("#composer-note").getAttribute("role"), "alert");
    // a minute later the same text goes
    await gone(home, ann);
    const answer = home.provider.answers("what is too much");
    await tab.sendButton.click();
    await answer.says("Not too much now.");
    await answer.ends();
    await tab.sees("Not too much now.");
    if (javaScriptEnabled) await until("the composer is empty", async () => (await tab.composer.inputValue()) === "");
    assert.equal(await tab.page.locator("#composer-note").textContent(), "");
    assert.equal(await tab.page.locator(".meter").count(), 0, "one of five");
    await ann.leaves();
  });
}

test("a button under a message that comes too early says so", async () => {
  const bob = await home.person("Bob");
  const tab = await bob.registers();
  await given(home, bob, 1, 0, 0);
  await tab.goes("/");
  const answer = home.provider.answers("hi");
  await tab.composer.fill("hi");
  await tab.sendButton.click();
  await answer.says("Hello.");
  await answer.ends();
  await tab.seesEnd();
  await tab.page.getByRole("button", { name: "Answer again" }).click();
  await tab.sees(/One message was sent within a minute/);
  await bob.leaves();
});
