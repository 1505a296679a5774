// Hebrew and Arabic in a page that reads from left to right: their words begin at the right, code stays as it is.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";

const home = house();
const HEBREW = "למה השמיים כחולים?";
const ARABIC = "لأن الهواء يبعثر الضوء الأزرق.";
const direction = (place) => place.evaluate((element) => getComputedStyle(element).direction);
/** At which side of its block the first line of a text begins. */
const side = (place) => place.evaluate((element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const [line, block] = [range.getClientRects()[0], element.getBoundingClientRect()];
  const [left, right] = [line.left - block.left, block.right - line.right];
  return Math.abs(left - right) < 2 ? "neither" : left < right ? "left" : "right";
});

test("a question and an answer are written from right to left, with a list, a table and code in it", async () => {
  const rut = await home.person("Rut");
  const tab = await rut.registers();
  await tab.composer.click();
  await tab.types(HEBREW);
  assert.equal(await direction(tab.composer), "rtl", "while it is written");
  const answer = home.provider.answers(HEBREW);
  await tab.presses("Enter");
  await tab.page.waitForURL("/chats/*");
  await answer.says(`${ARABIC}\n\n`);
  await tab.seesSoFar(ARABIC);
  const paragraph = tab.prose.getByText(ARABIC);
  assert.equal(await direction(paragraph), "rtl", "while it comes");
  await answer.says(`- ${ARABIC}\n\n\`\`\`js\nconst sky = "أزرق";\n\`\`\`\n\n| لون | ضوء |\n| --- | --- |\n| أزرق | نعم |\n\n> ${ARABIC}\n\n${ARABIC}\n`);
  await answer.ends();
  await tab.seesEnd();
  const question = tab.page.locator("#thread > .message--me").last();
  for (const moment of ["as it came", "after a reload"]) {
    assert.equal(await direction(tab.page.locator("html")), "ltr", "the page is what it was");
    assert.equal(await direction(question.getByText(HEBREW)), "rtl", moment);
    for (const part of ["> p >> nth=0", "li", "table", "th >> nth=0", "td >> nth=0", "blockquote", "blockquote p"]) {
      assert.equal(await direction(tab.prose.locator(part)), "rtl", `${part}, ${moment}`);
    }
    assert.equal(await side(tab.prose.locator("> p").first()), "right", moment);
    const code = tab.prose.locator("pre");
    assert.equal(await direction(code), "ltr", moment);
    assert.equal(await side(code.locator("code").or(code).first()), "left", moment);
    assert.equal(await direction(tab.page.getByRole("navigation", { name: "Chats" }).getByText(HEBREW)), "rtl", "its title in the list");
    await tab.fitsItsWidth();
    await tab.reloads();
  }
  rut.hasNothingToComplainAbout();
  await rut.leaves();
});

test("each paragraph has its own direction where languages are mixed", async () => {
  const sam = await home.person("Sam");
  const tab = await sam.registers();
  const answer = home.provider.answers("Translate, please.");
  await tab.asksInNewChat("Translate, please.");
  await answer.says(`In Arabic:\n\n${ARABIC}\n\nIn Hebrew:\n\n${HEBREW}\n`);
  await answer.ends();
  await tab.seesEnd();
  const paragraphs = tab.prose.locator("> p");
  const sides = [];
  for (const paragraph of await paragraphs.all()) sides.push(await side(paragraph));
  assert.deepEqual(sides, ["left", "right", "left", "right"]);
  sam.hasNothingToComplainAbout();
  await sam.leaves();
});
