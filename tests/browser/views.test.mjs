// One answer, four views: the page that asked, a page opened before, one opened half-way, and one opened after its end.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { same } from "./support/people.mjs";
import { RICH, pieces } from "./support/rich.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const TIME = ".state__time"; // counts seconds, in each page for itself

test("all views of a rich answer are equal, on the way and at its end", async () => {
  assert.ok(Buffer.byteLength(RICH) >= 20_000);
  const eve = await home.person("Eve");
  const asking = await eve.registers();
  await asking.asksInNewChat("Good morning.");
  await asking.seesEnd();
  const before = await eve.opensTab(asking.page.url());

  const answer = home.provider.answers("Show me all you can do.");
  await asking.says("Show me all you can do.");
  await before.sees("Show me all you can do.", before.page.locator("#thread"));
  const all = pieces(RICH);
  await answer.saysInOddBytes(all.slice(0, all.length / 2));
  const seen = /Part 7/;
  for (const tab of [asking, before]) await until("half has come", async () => seen.test(await tab.answerText()));

  const halfway = await eve.opensTab(asking.page.url());
  await until("the late page has what the others have", async () => seen.test(await halfway.answerText()));
  const parts = await until("the open pages agree on the way", async () => {
    const [one, two, three] = await Promise.all([asking, before, halfway].map((tab) => tab.portrait(TIME)));
    same(two, one, "a tab opened before");
    same(three, one, "a tab opened half-way");
    return one;
  });
  assert.equal(parts.length, 4);

  await answer.saysInOddBytes(all.slice(all.length / 2));
  await answer.ends();
  for (const tab of [asking, before, halfway]) await tab.seesEnd();
  const later = await eve.opensTab(asking.page.url());
  const settled = await later.portrait();
  for (const [name, tab] of Object.entries({ asking, before, halfway })) {
    same(await tab.portrait(), settled, `the page “${name}” against a reload`);
  }

  // and it is what was asked for
  const prose = later.prose;
  const count = (selector) => prose.locator(selector).count();
  assert.equal(await count("table"), 14);
  assert.equal(await count("tbody tr"), 42);
  const aligned = (n) => prose.locator("tbody tr").first().locator("td").nth(n).evaluate((cell) => getComputedStyle(cell).textAlign);
  assert.deepEqual([await aligned(1), await aligned(2)].map((a) => a.replace("end", "right")), ["right", "center"], "columns are aligned as asked");
  assert.equal(await count("figure.code"), 28);
  assert.ok((await count("figure.code .k")) > 20, "code is highlighted");
  assert.deepEqual(await prose.locator("figure.code > figcaption").first().innerText().then((t) => t.split("\n")[0].toLowerCase()), "rust");
  assert.equal(await count("blockquote blockquote"), 14);
  assert.equal(await count("ol > li > ul > li > ul > li"), 28);
  assert.equal(await count("input[type=checkbox][disabled]"), 42);
  assert.equal(await count("input[type=checkbox]:checked"), 28);
  assert.ok((await count("sup a")) >= 2, "footnotes are linked");
  assert.equal(await count("img, script, style, iframe"), 0, "a remote picture is no picture");
  assert.equal(await prose.locator("a[href='https://example.com/picture.png']").count(), 1, "but a link");
  const text = await prose.textContent();
  for (const word of ["読書室", "غرفة القراءة", "👩‍👩‍👧‍👦", "naïve café", "a < b && c > d", "Hello, 世界 <&>"]) assert.ok(text.includes(word), word);
  assert.ok(!text.includes("\ufffd"), "no character was torn");
  eve.hasNothingToComplainAbout();
});

test("many short answers one after the other leave the same page in every tab", async () => {
  const fay = await home.person("Fay");
  const asking = await fay.registers();
  await asking.asksInNewChat("Zero");
  await asking.seesEnd();
  const other = await fay.opensTab(asking.page.url());
  for (const word of ["One", "Two", "Three", "Four"]) {
    const answer = home.provider.answers(word);
    await asking.says(word);
    await answer.says(`- ${word}\n- and *${word}* again\n\n\`\`\`\n${word}`);
    await answer.says("\n```\n");
    await answer.ends();
    await until("the answer is over", async () => (await asking.page.locator("#thread footer[data-state=completed]").count()) === ["Zero", "One", "Two", "Three", "Four"].indexOf(word) + 1);
  }
  await until("the other tab has them all", async () => (await other.page.locator("#thread footer[data-state=completed]").count()) === 5);
  const late = await fay.opensTab(asking.page.url());
  const settled = await late.portrait();
  assert.equal(settled.length, 10);
  same(await asking.portrait(), settled, "the page that asked");
  same(await other.portrait(), settled, "the other tab");
  fay.hasNothingToComplainAbout();
});
