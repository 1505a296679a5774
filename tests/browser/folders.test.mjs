// Folders, by pointer, by keyboard alone, by touch, and without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const row = (page, title) => page.locator(".chat-row", { has: page.getByRole("link", { name: title, exact: true }) });
const folder = (page, name) => page.locator(".folder", { has: page.getByRole("heading", { name, exact: true }) });
const has = (page, name, title) => folder(page, name).locator(".chat-link", { hasText: title });
const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);
const holdsFocus = (what, locator) => until(`the focus is on ${what}`, () => isFocused(locator));

/** Somebody with an answered chat of each title, and folders of these names, on the page of the last chat. */
async function withChats(name, titles, folders, options) {
  const person = await home.person(name, options);
  const tab = await person.registers();
  for (const title of titles) {
    await tab.goes("/");
    await tab.composer.fill(title);
    await tab.sendButton.click();
    await tab.page.waitForURL(/\/chats\/./, { waitUntil: "commit" });
    const { pathname } = new URL(tab.page.url());
    await until("it is answered", async () => {
      await tab.goes(`${pathname}?still`);
      return (await tab.page.locator("#thread footer[data-state=completed]").count()) === 1;
    });
  }
  for (const folder of folders) await home.ground.sql(`insert into folders (user_id, name) select id, '${folder}' from users where email = '${person.email}'`);
  await tab.reloads();
  return { person, tab, page: tab.page };
}

test("a chat is moved into a folder and out of it; folders are folded, and are so on other pages", async () => {
  const { person, tab, page } = await withChats("Ann", ["First", "Second", "Third"], ["Art", "Work"]);
  await page.evaluate(() => { window.same = true; });
  const move = async (title, to) => {
    await row(page, title).hover();
    await row(page, title).getByRole("button", { name: `Menu of ${title}` }).click();
    await row(page, title).getByText("Move to a folder…").click();
    await page.locator("#move-sheet").getByRole("button", { name: to }).click();
  };
  const other = await person.opensTab("/settings");
  await page.bringToFront();
  await move("First", "Work");
  await has(page, "Work", "First").waitFor();
  await has(other.page, "Work", "First").waitFor();
  assert.equal(await page.locator(".chat-link", { hasText: "First" }).count(), 1);
  assert.ok(await page.locator("#move-sheet").isHidden());
  await move("Second", "Art");
  await has(page, "Art", "Second").waitFor();
  await move("Second", "Out of its folder");
  await until("it is in the list", async () => (await has(page, "Art", "Second").count()) === 0 && (await row(page, "Second").count()) === 1);
  await row(page, "Third").hover();
  await row(page, "Third").getByRole("button", { name: "Menu of Third" }).click();
  await row(page, "Third").getByText("Move to a folder…").click();
  await page.getByLabel("A new folder").fill("Zeal");
  await page.keyboard.press("Enter");
  await has(page, "Zeal", "Third").waitFor();
  assert.equal(await has(page, "Zeal", "Third").getAttribute("aria-current"), "page");

  // folded, and opened again
  await page.getByRole("heading", { name: "Work" }).click();
  await until("it is folded in the other tab", async () => !(await folder(other.page, "Work").locator("details").evaluate((details) => details.open)));
  assert.ok(await has(page, "Work", "First").isHidden());
  const third = await person.opensTab("/settings");
  assert.equal(await folder(third.page, "Work").locator("details").evaluate((details) => details.open), false, "it is remembered");
  await page.bringToFront();
  await page.getByRole("heading", { name: "Work" }).click();
  await has(page, "Work", "First").waitFor();
  await has(third.page, "Work", "First").waitFor();
  assert.ok(await page.evaluate(() => window.same), "the page was not left");
  assert.equal(await home.ground.sql("select count(*) from folders where opened"), "3");
  person.hasNothingToComplainAbout();
});

test("folders by keyboard alone", async () => {
  const { person, tab, page } = await withChats("Bea", ["Alpha", "Omega"], ["Deep"]);
  const link = page.locator(".chat-link", { hasText: "Alpha" });
  await link.focus();
  await tab.presses("Tab", "Enter", "Tab", "Tab");
  await holdsFocus("the way to the folders", row(page, "Alpha").getByText("Move to a folder…"));
  await tab.presses("Enter");
  await holdsFocus("the first folder", page.locator("#move-sheet").getByRole("button", { name: "Deep" }));
  await tab.presses("Escape");
  await holdsFocus("the menu's button", row(page, "Alpha").locator(".chat-row__more"));
  await tab.presses("Enter", "Tab", "Tab", "Enter");
  await holdsFocus("the first folder again", page.locator("#move-sheet").getByRole("button", { name: "Deep" }));
  await tab.presses("Enter");
  await has(page, "Deep", "Alpha").waitFor();
  await until("the focus is in its line", () => page.evaluate(() => document.activeElement.closest(".chat-row")?.textContent.includes("Alpha")));
  const summary = folder(page, "Deep").locator("summary");
  await summary.focus();
  await tab.presses("Enter");
  await until("it is kept", async () => (await home.ground.sql("select count(*) from folders where name = 'Deep' and not opened")) === "1");
  await page.waitForTimeout(400);
  assert.ok(await isFocused(summary), "the focus stays");
  await tab.presses("Enter");
  await has(page, "Deep", "Alpha").waitFor();
  await tab.presses("Tab", "Tab", "Tab");
  await holdsFocus("the folder's own page", folder(page, "Deep").locator(".folder__way"));
  await tab.presses("Enter");
  await page.getByRole("heading", { level: 1, name: "Deep" }).waitFor();
  person.hasNothingToComplainAbout();
});

test("folders without JavaScript", async () => {
  const { person, tab, page } = await withChats("Fay", ["Once upon"], [], { javaScriptEnabled: false });
  await page.getByRole("link", { name: "Folders", exact: true }).click();
  await page.getByLabel("A new folder").fill("Tales");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("heading", { level: 1, name: "Tales" }).waitFor();
  await tab.goes("/");
  await row(page, "Once upon").hover();
  await row(page, "Once upon").getByRole("button", { name: "Menu of Once upon" }).click();
  await row(page, "Once upon").getByText("Move to a folder…").click();
  await page.getByRole("heading", { level: 1, name: "Move to a folder" }).waitFor();
  await page.getByRole("button", { name: "Tales" }).click();
  await page.getByRole("heading", { level: 1, name: "Once upon" }).waitFor();
  await has(page, "Tales", "Once upon").waitFor();
  await folder(page, "Tales").locator(".folder__way").click();
  await page.getByText("Change this folder").click();
  await page.getByLabel("Name").fill("Stories");
  await page.getByLabel("Show its chats in the list").uncheck();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { level: 1, name: "Stories" }).waitFor();
  assert.equal(await folder(page, "Stories").locator("details").evaluate((details) => details.open), false);
  await page.getByRole("heading", { level: 2, name: "Stories" }).click();
  await folder(page, "Stories").getByRole("link", { name: "Its chats" }).click();
  await page.locator(".shelf__line a").first().waitFor();
  await page.getByText("Change this folder").click();
  await page.getByRole("link", { name: "Delete this folder…" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Folders" }).waitFor();
  assert.equal(await page.locator(".folder").count(), 0);
  await row(page, "Once upon").waitFor();
  person.hasNothingToComplainAbout();
});

test("folders by touch, on a phone", async () => {
  const { person, tab, page } = await withChats("Eve", ["Long words in a title that does not fit into the list at all"], ["A name of sixty characters that does not fit into the list.."], { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, reducedMotion: "reduce" });
  await page.getByRole("button", { name: "Show the list of chats" }).filter({ visible: true }).tap();
  await page.locator(".chat-row__more").tap();
  await page.locator(".chat-row").getByText("Move to a folder…").tap();
  await page.locator("#move-sheet").getByRole("button", { name: "A name of sixty" }).tap();
  await page.locator(".folder .chat-link").waitFor();
  await tab.fitsItsWidth();
  await tab.goes("/folders");
  await tab.fitsItsWidth();
  await page.locator(".shelf__line a").tap();
  await page.getByRole("heading", { level: 1, name: "A name of sixty" }).waitFor();
  await tab.fitsItsWidth();
  person.hasNothingToComplainAbout();
});
