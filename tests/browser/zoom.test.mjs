// Zoomed to 200 %: a window of 1280 × 1024 px has room for 640 × 512 CSS pixels then. All of it can be read and used without
// scrolling sideways; what is wide by nature, code and tables, scrolls in itself.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { manyChats } from "./support/many.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const ZOOMED = { viewport: { width: 640, height: 512 }, deviceScaleFactor: 2, reducedMotion: "reduce" };
const WIDE = [
  "Some words before.",
  "```rust\nlet line = \"" + "a line of code that is much longer than the window ".repeat(5) + "\";\n```",
  "| " + Array.from({ length: 12 }, (_, n) => `A long heading ${n + 1}`).join(" | ") + " |\n|" + " --- |".repeat(12) + "\n| " + Array.from({ length: 12 }, (_, n) => `Cell number ${n + 1}`).join(" | ") + " |",
  "Donaudampfschifffahrts" + "elektrizitätenhauptbetriebswerkbauunterbeamten".repeat(6) + "gesellschaft",
  "- `" + "a_name_without_any_place_to_break_".repeat(6) + "`",
].join("\n\n");

/** Nothing is wider than the window: not the page, not what scrolls up and down in it, and nothing in sight is cut off at its
 * edge unless it can be scrolled itself. */
async function fits(tab, what) {
  const wide = await tab.page.evaluate(() => {
    const page = document.scrollingElement;
    const found = page.scrollWidth > innerWidth ? [`the page: ${page.scrollWidth} in ${innerWidth}`] : [];
    const rooms = [...document.querySelectorAll("*")].filter((e) => e.checkVisibility() && /auto|scroll/.test(getComputedStyle(e).overflowY) && !e.matches("pre, .table, textarea"));
    for (const room of rooms) if (room.scrollWidth > room.clientWidth + 1) found.push(`${room.className || room.tagName}: ${room.scrollWidth} in ${room.clientWidth}`);
    const scrolls = (e) => e && (/auto|scroll/.test(getComputedStyle(e).overflowX) && e.scrollWidth > e.clientWidth || scrolls(e.parentElement));
    for (const e of document.querySelectorAll("a, button, input, select, textarea, p, li, h1, h2, td, th, label")) {
      if (!e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || e.closest(".visually-hidden, .skip")) continue;
      const { left, right, width } = e.getBoundingClientRect();
      if (width > 0 && (right > innerWidth + 1 || left < -1) && !scrolls(e)) found.push(`${e.tagName} “${e.textContent.trim().slice(0, 30)}” from ${Math.round(left)} to ${Math.round(right)}`);
    }
    return found;
  });
  assert.deepEqual(wide, [], `${what} fits`);
}

/** It is whole in sight. */
async function isInSight(tab, place) {
  const box = await place.boundingBox();
  const { width, height } = tab.page.viewportSize();
  assert.ok(box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 1 && box.y + box.height <= height + 1, `in sight: ${JSON.stringify(box)}`);
}

test("a chat with code, a table and a long word; one goes on writing in it", async () => {
  const zed = await home.person("Zed", ZOOMED);
  const tab = await zed.registers();
  await fits(tab, "a new chat");
  const question = "Show me " + "averylongwordthatapersontyped".repeat(8);
  const answer = home.provider.answers(question);
  await tab.asksInNewChat(question);
  await answer.says(WIDE);
  await answer.ends();
  await tab.seesEnd();
  await tab.prose.locator("table").waitFor();
  for (const moment of ["as it came", "after a reload"]) {
    await fits(tab, `the chat, ${moment}`);
    for (const wide of ["pre", ".table"]) assert.ok(await tab.prose.locator(wide).evaluate((e) => { e.scrollLeft = 50; return e.scrollLeft === 50; }), `${wide} scrolls in itself`);
    await tab.reloads();
  }
  await isInSight(tab, tab.composer);
  await isInSight(tab, tab.sendButton);
  const next = home.provider.answers("And more?");
  await tab.says("And more?");
  await next.says("More.");
  await next.ends();
  await tab.seesAnswer("More.");
  await until("the answer is in sight", () => isInSight(tab, tab.prose).then(() => true));
  await tab.page.getByRole("button", { name: "Menu of this chat" }).click();
  await isInSight(tab, tab.page.getByRole("link", { name: "Save as Markdown" }));
  await fits(tab, "the menu of a chat");
  await tab.presses("Escape");
  await tab.answer.getByRole("link", { name: "More" }).click();
  await tab.page.getByRole("dialog", { name: "What to do with this message" }).waitFor();
  await fits(tab, "the sheet of a message");
  zed.hasNothingToComplainAbout();
  await zed.leaves();
});

test("the list, the archive, the settings, the search and the palette", async () => {
  const zoe = await home.person("Zoe", ZOOMED);
  const tab = await zoe.registers();
  const { page } = tab;
  await manyChats(home.ground, zoe.email, 20);
  await manyChats(home.ground, zoe.email, 3, { archived: true });
  await home.ground.sql(`update chats set title = repeat('averylongtitle', 12) where title = 'chat 2'`);
  await tab.goes("/");
  await page.getByRole("button", { name: "Show the list of chats" }).filter({ visible: true }).click();
  await page.getByRole("link", { name: "chat 1", exact: true }).waitFor();
  await fits(tab, "the list");
  await page.getByRole("button", { name: "Menu of chat 1", exact: true }).click();
  await page.getByRole("group", { name: "Menu of chat 1" }).waitFor();
  await fits(tab, "the menu of a chat in the list");
  for (const path of ["/archive", "/settings", "/settings/prompts", "/settings/import", "/search?q=hello", "/search?q=averylongtitle"]) {
    await tab.goes(path);
    await fits(tab, path);
  }
  await tab.presses("Control+k");
  const palette = page.getByRole("dialog", { name: "Search and commands" });
  await palette.getByRole("option", { name: "New chat" }).waitFor();
  await isInSight(tab, palette);
  await fits(tab, "the palette");
  await tab.types("hello");
  await palette.locator("mark").first().waitFor();
  await fits(tab, "the palette, with what was found");
  await tab.presses("Escape", "Control+/");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await fits(tab, "the shortcuts");
  zoe.hasNothingToComplainAbout();
  await zoe.leaves();
});
