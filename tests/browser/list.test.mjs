// The list and finding, by pointer, by keyboard alone, and without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();

/** A picture, if somebody wants to look, light and dark. */
async function picture(page, name) {
  if (!process.env.SHOTS) return;
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: join(process.env.SHOTS, `${name}-${page.viewportSize().width}-${colorScheme}.png`) });
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
}

/** Somebody with chats of these titles, the last the newest, on the page of the last. */
async function withChats(name, titles, options) {
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
  return { person, tab, page: tab.page };
}

const row = (page, title) => page.locator(".chat-row", { has: page.getByRole("link", { name: title }) });
const titles = (page) => page.locator(".list .chat-link__title").allInnerTexts();
const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);
const holdsFocus = (what, locator) => until(`the focus is on ${what}`, () => isFocused(locator));

test("a chat is pinned, archived, renamed and deleted in the list, and the page stays", async () => {
  const { person, tab, page } = await withChats("Ana", ["First things", "Second thoughts", "Third time"]);
  await page.evaluate(() => { window.same = true; });
  const menu = async (title, name) => {
    await row(page, title).hover();
    await row(page, title).getByRole("button", { name: `Menu of ${title}` }).click();
    if (name === "Pin") await picture(page, "list-menu");
    await row(page, title).getByText(name, { exact: true }).click();
  };
  await menu("First things", "Pin");
  await until("it is on top", async () => (await titles(page)).join() === "First things,Third time,Second thoughts");
  await tab.sees("Pinned");
  await menu("First things", "Unpin");
  await until("it is where it was", async () => (await titles(page)).at(-1) === "First things");

  await menu("Second thoughts", "Rename");
  const field = page.locator(".chat-row__rename input");
  await holdsFocus("the name", field);
  await picture(page, "list-rename");
  await page.keyboard.type("Second wind");
  await page.keyboard.press("Enter");
  await until("it has the new name", async () => (await titles(page))[1] === "Second wind");

  await menu("Second wind", "Archive");
  await tab.sees("In the archive:");
  assert.equal((await titles(page)).join(), "Third time,First things");
  await page.getByRole("button", { name: "Undo" }).click();
  await until("it is back", async () => (await titles(page)).length === 3);

  await menu("First things", "Delete");
  await tab.sees("Deleted:");
  await picture(page, "list-undo");
  await page.getByRole("button", { name: "Undo" }).click();
  await until("it is back", async () => (await titles(page)).length === 3);
  await menu("First things", "Delete");
  await tab.sees("Deleted:");
  await page.mouse.move(900, 300);
  await until("the word goes by itself", async () => (await page.getByText("Deleted:").count()) === 0, 14_000);
  assert.ok(await page.evaluate(() => window.same), "the page was not left");

  await menu("Third time", "Delete");
  await page.waitForURL(/\/\?deleted=/);
  await tab.sees("Deleted:");
  await picture(page, "home-undo");
  await page.locator("main").getByRole("button", { name: "Undo" }).click();
  await page.waitForURL("/chats/*");
  await page.getByRole("heading", { level: 1, name: "Third time" }).waitFor();
  person.hasNothingToComplainAbout();
});

test("a chat that is brought back stands in the list once, though the feed tells of it while the answer is under way", async () => {
  const { person, tab, page } = await withChats("Una", ["First things", "Second thoughts"]);
  await row(page, "First things").hover();
  await row(page, "First things").getByRole("button", { name: "Menu of First things" }).click();
  await row(page, "First things").getByText("Delete", { exact: true }).click();
  await tab.sees("Deleted:");
  await until("it is gone", async () => (await titles(page)).join() === "Second thoughts");
  await page.route("**/restore", async (route) => {
    const response = await route.fetch();
    await pause(1500); // longer than the list takes to be told
    await route.fulfill({ response });
  });
  await page.getByRole("button", { name: "Undo" }).click();
  await until("it is back", async () => (await titles(page)).length >= 2);
  await page.waitForTimeout(500); // what was held meanwhile is put in
  assert.deepEqual(await titles(page), ["Second thoughts", "First things"]);
  person.hasNothingToComplainAbout();
});

test("the list by keyboard alone", async () => {
  const { person, tab, page } = await withChats("Bea", ["Alpha", "Omega"]);
  const link = page.locator(".chat-link", { hasText: "Alpha" });
  await link.focus();
  await tab.presses("F2");
  await holdsFocus("the name", page.locator(".chat-row__rename input"));
  await page.keyboard.type("Beta");
  await tab.presses("Escape");
  await holdsFocus("the link", link);
  await page.waitForTimeout(300);
  assert.equal(await home.ground.sql("select count(*) from chats where title = 'Beta'"), "0", "Esc keeps the old name");
  await tab.presses("F2");
  await page.keyboard.type("Gamma");
  await tab.presses("Enter");
  const renamed = page.locator(".chat-link", { hasText: "Gamma" });
  await holdsFocus("the link again", renamed);
  assert.equal(await home.ground.sql("select count(*) from feed_events e join chats c on c.id = e.chat_id where e.kind = 'title' and c.title = 'Gamma'"), "1", "it was sent once");
  await tab.presses("Tab", "Enter", "Tab", "Tab", "Tab");
  await holdsFocus("Pin", row(page, "Gamma").getByText("Pin", { exact: true }));
  await tab.presses("Enter");
  await tab.sees("Pinned");
  await until("the focus is in its line", () => page.evaluate(() => document.activeElement.closest(".chat-row")?.textContent.includes("Gamma")));
  await renamed.focus();
  await tab.presses("Tab", "Enter", "Tab", "Tab", "Tab", "Tab", "Tab", "Enter");
  const undo = page.getByRole("button", { name: "Undo" });
  await holdsFocus("Undo", undo);
  await page.route("**/restore", async (route) => {
    await pause(1500); // meanwhile the feed tells that it went
    await route.continue();
  });
  await tab.presses("Enter");
  await renamed.waitFor();
  await pause(1000); // that is put in, and then what came of the undoing
  await renamed.waitFor();
  await holdsFocus("the link that came back", renamed);
  person.hasNothingToComplainAbout();
});

test("the palette: commands, finding, and Enter", async () => {
  const { person, tab, page } = await withChats("Cem", ["Where do herons winter?", "Cooking rice"]);
  const palette = page.locator("#palette");
  await page.keyboard.press("Control+k");
  await palette.getByRole("option", { name: "New chat" }).waitFor();
  assert.ok(await isFocused(palette.getByRole("combobox")));
  await picture(page, "palette");
  await page.keyboard.type("heron");
  await palette.locator("mark").first().waitFor();
  await picture(page, "palette-found");
  await until("the first is chosen", async () => (await palette.locator("[aria-selected=true]").count()) === 1);
  await tab.presses("ArrowDown");
  const second = palette.getByRole("option").nth(1);
  assert.equal(await second.getAttribute("aria-selected"), "true");
  await tab.presses("ArrowUp", "Enter");
  await page.getByRole("heading", { level: 1, name: "Where do herons winter?" }).waitFor();

  await page.keyboard.press("Control+k");
  await palette.getByRole("option", { name: "New chat" }).waitFor();
  await page.keyboard.type("keyboard");
  await until("the command is alone", async () => (await palette.getByRole("option").count()) === 1);
  await until("it is chosen", async () => (await palette.locator("[aria-selected=true]").count()) === 1);
  await tab.presses("Enter");
  await page.locator("#keys").waitFor();
  await tab.presses("Escape");
  await page.locator("#keys").waitFor({ state: "hidden" });

  await page.keyboard.press("Control+k");
  await palette.getByRole("option", { name: "New chat" }).waitFor();
  await page.keyboard.type("import");
  await until("the command is chosen", async () => (await palette.locator("[aria-selected=true]").innerText()) === "Import");
  await tab.presses("Enter");
  await page.waitForURL("/settings/import");
  await page.goBack();

  await tab.composer.focus();
  await page.keyboard.press("Control+k");
  await palette.getByRole("option", { name: "New chat" }).waitFor();
  await tab.presses("Escape");
  await palette.waitFor({ state: "hidden" });
  assert.ok(await isFocused(tab.composer), "Esc gives the focus back");

  await page.keyboard.press("Control+k");
  await palette.getByRole("option", { name: "New chat" }).waitFor();
  await page.keyboard.type("sign out");
  await until("the command is chosen", async () => (await palette.locator("[aria-selected=true]").innerText()) === "Sign out");
  await tab.presses("Enter");
  await page.waitForURL("/login");
  person.hasNothingToComplainAbout();
});

test("what is typed into the palette before htmx has begun is found too", async () => {
  const { person, tab, page } = await withChats("Cyd", ["Where do herons winter?"]);
  // htmx begins by a timer without a time
  await page.addInitScript(() => { const real = window.setTimeout; window.setTimeout = (act, ms, ...more) => real(act, ms ?? 1000, ...more); });
  await tab.goes("/");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("heron");
  assert.equal(await page.locator("[data-htmx-powered]").count(), 0, "it has begun already: this shows nothing");
  await page.locator("#palette mark").first().waitFor();
  person.hasNothingToComplainAbout();
});

test("the list goes on as it is scrolled, and a found message is shown", async () => {
  const { person, tab, page } = await withChats("Dov", ["The newest of all"]);
  await home.ground.sql(`insert into chats (user_id, title, active_at) select id, 'chat ' || n, now() - interval '1 day' * n from users, generate_series(1, 120) n where name = 'Dov'`);
  await tab.goes("/");
  assert.equal((await titles(page)).length, 50);
  await until("all are there", async () => {
    await page.locator(".list__chats").evaluate((list) => list.scrollTo(0, list.scrollHeight));
    return (await titles(page)).length === 121;
  });
  assert.equal(new Set(await titles(page)).size, 121);
  await picture(page, "list-long");
  await tab.goes("/search?q=newest");
  await picture(page, "search");
  await page.locator(".found__one a").last().click();
  await page.waitForURL(/#m-/);
  person.hasNothingToComplainAbout();
});

for (const [width, height] of [[390, 844], [820, 1100]]) {
  test(`the list, the archive and finding at ${width} px, also by touch`, async () => {
    const { person, tab, page } = await withChats("Eve", ["A long title that does not fit into the list, whatever one tries to do about it", "Short"], { viewport: { width, height }, hasTouch: true, isMobile: true, reducedMotion: "reduce" });
    const open = () => page.getByRole("button", { name: "Show the list of chats" }).filter({ visible: true }).tap();
    await open();
    await row(page, "Short").getByRole("button", { name: "Menu of Short" }).tap();
    await row(page, "Short").getByText("Pin", { exact: true }).waitFor();
    await picture(page, "list-menu");
    await row(page, "Short").getByText("Archive", { exact: true }).tap();
    await page.waitForTimeout(300);
    await tab.sees("In the archive:");
    await picture(page, "list-undo");
    await tab.goes("/archive");
    await tab.sees("Bring back");
    await tab.fitsItsWidth();
    await picture(page, "archive");
    await tab.goes("/search?q=title");
    await tab.sees(/Found/);
    await tab.fitsItsWidth();
    await picture(page, "search");
    await page.keyboard.press("Control+k");
    await page.locator("#palette").getByRole("option", { name: "New chat" }).waitFor();
    await picture(page, "palette");
    person.hasNothingToComplainAbout();
  });
}

test("the list and finding without JavaScript", async () => {
  const { person, tab, page } = await withChats("Fay", ["Once upon", "A time"], { javaScriptEnabled: false });
  const menu = async (title, name) => {
    await row(page, title).hover();
    await row(page, title).getByRole("button", { name: `Menu of ${title}` }).click();
    await row(page, title).getByText(name, { exact: true }).click();
  };
  await menu("Once upon", "Pin");
  await page.getByRole("heading", { level: 1, name: "Once upon" }).waitFor();
  await tab.sees("Pinned");
  await menu("Once upon", "Rename");
  await page.getByRole("heading", { level: 1, name: "Rename this chat" }).waitFor();
  await tab.goes("/");
  await menu("Once upon", "Archive");
  await tab.sees("In the archive:");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("heading", { level: 1, name: "Once upon" }).waitFor();
  await menu("Once upon", "Delete");
  await tab.sees("Deleted:");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("heading", { level: 1, name: "Once upon" }).waitFor();
  await page.getByRole("link", { name: "Search" }).click();
  await page.getByLabel("Words to look for").fill("upon");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await tab.sees(/Found/);
  await page.locator(".found__one a").first().click();
  await page.getByRole("heading", { level: 1, name: "Once upon" }).waitFor();
  person.hasNothingToComplainAbout();
});

test("a new title reaches the other tab: its headline, its list, its name", async () => {
  const { person, tab, page } = await withChats("Gus", ["Untold"]);
  const other = await person.opensTab(new URL(page.url()).pathname);
  await other.page.locator(".chat-link").focus();
  await other.presses("F2");
  await other.page.keyboard.type("Told");
  await other.presses("Enter");
  await page.getByRole("heading", { level: 1, name: "Told" }).waitFor();
  await until("the tab has its name", async () => (await page.title()) === "Told · Parlor");
  assert.deepEqual(await titles(page), ["Told"]);
  assert.equal(await other.page.title(), "Told · Parlor");
  person.hasNothingToComplainAbout();
});
