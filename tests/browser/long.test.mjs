// A long chat: its newest messages first, earlier ones as the reader comes to them, and nothing jumps.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { longChat, scrollsUp } from "./support/long.mjs";

const home = house();
const html = Array.from({ length: 3 }, (_, n) => `<p>Paragraph ${n + 1} of an answer that takes some room, as answers do; ${"it goes on ".repeat(20)}</p>`).join("");
const questions = (tab) => tab.page.locator("#thread > .message--me .prose").allTextContents();
const whole = Array.from({ length: 50 }, (_, n) => `Question ${2 * n} of the long talk, in one line?`);

for (const [width, height] of [[1280, 800], [390, 844]]) {
  test(`scrolling up at ${width} px`, async () => {
    const lea = await home.person("Lea", { viewport: { width, height } });
    const tab = await lea.registers();
    await tab.goes(await longChat(home.ground, lea.email, { count: 100, text: "An answer.", html }));
    await tab.page.locator("[data-ready]").waitFor();
    assert.deepEqual(await questions(tab), whole.slice(-20), "the newest 40 messages");
    const { jumps, shift } = await scrollsUp(tab, 100);
    assert.deepEqual(jumps, []);
    assert.equal(shift.toFixed(2), "0.00");
    assert.deepEqual(await questions(tab), whole, "all of them, once each, in their order");
    assert.equal(await tab.page.locator("#earlier").count(), 0);
    await lea.leaves();
  });
}

test("earlier messages by a plain link, without JavaScript", async () => {
  const lea = await home.person("Lea", { javaScriptEnabled: false });
  const tab = await lea.registers();
  await tab.goes(await longChat(home.ground, lea.email, { count: 100, text: "An answer.", html }));
  const seen = [await questions(tab)];
  for (let pages = 1; pages < 3; pages++) {
    const [first] = seen[0];
    await tab.page.getByRole("link", { name: "Earlier messages" }).click();
    await tab.page.locator(".message--me").filter({ hasText: first }).waitFor({ state: "detached" });
    seen.unshift(await questions(tab));
  }
  assert.deepEqual(seen.flat(), whole);
  assert.equal(await tab.page.getByRole("link", { name: "Earlier messages" }).count(), 0);
});
