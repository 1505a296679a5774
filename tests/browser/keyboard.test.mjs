// Everything by keyboard: what Tab reaches and in which order, that focus is seen and never lost, and the shortcuts.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();

/** What has the focus, in words. */
const focused = (tab) => tab.page.evaluate(() => {
  const element = document.activeElement;
  if (!element || element === document.body) return "nothing";
  return element.getAttribute("aria-label") ?? element.labels?.[0]?.innerText.trim().split("\n")[0] ?? element.textContent.trim().split("\n")[0];
});

const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);
const holdsFocus = (what, locator) => until(`the focus is on ${what}`, () => isFocused(locator));

test("Tab reaches everything, in the order of reading, and the focus can be seen", async () => {
  const abe = await home.person("Abe", { reducedMotion: "reduce" });
  const tab = await abe.registers();
  await tab.asksInNewChat("Where am I?");
  await tab.seesEnd();
  await tab.reloads();
  await tab.composer.fill("something to send");

  const { page } = tab;
  const stops = [];
  for (let n = 0; n < 40; n++) {
    await page.keyboard.press("Tab");
    const name = await focused(tab);
    if (stops.length > 1 && name === stops[0]) break;
    stops.push(name);
    if (name === "nothing") continue;
    // focus is visible: the picture around it changes when the focus goes
    const box = await page.evaluate(() => {
      const { x, y, width, height } = document.activeElement.getBoundingClientRect();
      return { x, y, width, height };
    });
    const clip = { x: Math.max(0, box.x - 8), y: Math.max(0, box.y - 8), width: Math.min(box.width + 16, 1280), height: Math.min(box.height + 16, 800) };
    const here = page.locator(":focus");
    const element = await here.elementHandle();
    const lit = await page.screenshot({ clip });
    await element.evaluate((e) => e.blur());
    const dark = await page.screenshot({ clip });
    assert.ok(!lit.equals(dark), `the focus on “${name}” can be seen`);
    await element.focus();
  }
  const start = stops.indexOf("Skip to the conversation");
  assert.ok(start >= 0, `the skip link is reached: ${stops.join(" | ")}`);
  const order = [...stops.slice(start), ...stops.slice(0, start)];
  const wanted = ["Skip to the conversation", "Parlor", "Hide the list of chats", "New chat", /^Where am I\?/, "Settings", "Keyboard shortcuts", "Sign out", "Menu of this chat", "Conversation", "Copy", "Answer again", "Message", /^Model/, "Prompts", "Send"];
  let at = -1;
  for (const name of wanted) {
    const next = order.findIndex((stop, n) => n > at && (name instanceof RegExp ? name.test(stop) : stop === name));
    assert.ok(next > at, `“${name}” comes after “${order[at]}” in: ${order.join(" | ")}`);
    at = next;
  }
  abe.hasNothingToComplainAbout();
});

test("the skip link leads to the conversation", async () => {
  const ben = await home.person("Ben");
  const tab = await ben.registers();
  await tab.asksInNewChat("Skip.");
  await tab.seesEnd();
  const skip = tab.page.getByRole("link", { name: "Skip to the conversation" });
  await skip.focus();
  await until("the skip link shows itself", async () => (await skip.boundingBox())?.x >= 0);
  await tab.presses("Enter");
  await until("the focus is in the room", () => tab.page.evaluate(() => document.activeElement.closest("#main") != null));
});

test("Enter sends, Shift+Enter breaks the line, Esc stops, and the focus stays in the composer", async () => {
  const cal = await home.person("Cal");
  const tab = await cal.registers();
  await holdsFocus("the composer of a new chat", tab.composer);
  const first = home.provider.answers("one\ntwo");
  await tab.page.keyboard.type("one");
  await tab.presses("Shift+Enter");
  await tab.page.keyboard.type("two");
  assert.equal(await tab.composer.inputValue(), "one\ntwo");
  await tab.presses("Enter");
  await tab.page.waitForURL("/chats/*");
  await holdsFocus("the composer of the chat", tab.composer);
  await first.says("Never ending story ");
  await tab.seesSoFar("Never");
  await tab.presses("Enter"); // an empty composer sends nothing
  await tab.presses("Escape");
  await first.closed(2000);
  await tab.seesEnd("stopped");
  await holdsFocus("the composer after stopping", tab.composer);

  const second = home.provider.answers("three");
  await tab.page.keyboard.type("three");
  await tab.presses("Enter");
  await second.asked();
  await tab.sees("three", tab.page.locator("#thread"));
  await until("the composer is empty again", async () => (await tab.composer.inputValue()) === "");
  await holdsFocus("the composer after sending", tab.composer);
  await tab.page.keyboard.type("typed while it answers");
  await second.says("Yes.");
  await second.ends();
  await tab.seesEnd();
  await holdsFocus("the composer at the end", tab.composer);
  assert.equal(await tab.composer.inputValue(), "typed while it answers", "what was typed meanwhile is kept");

  // pressed on the button itself, the focus is not lost either
  await tab.sendButton.focus();
  const third = home.provider.answers("typed while it answers");
  await tab.presses("Enter");
  await third.asked();
  await tab.stopButton.waitFor();
  assert.notEqual(await focused(tab), "nothing", "the focus is not lost when Send becomes Stop");
  await third.says("Well.");
  await third.ends();
  await tab.seesEnd();
  await tab.sendButton.waitFor();
  assert.notEqual(await focused(tab), "nothing", "nor when Stop becomes Send");
  cal.hasNothingToComplainAbout();
});

test("J and K walk between messages", async () => {
  const don = await home.person("Don");
  const tab = await don.registers();
  await tab.asksInNewChat("First?");
  await tab.seesEnd();
  await tab.says("Second?");
  await until("both are answered", async () => (await tab.page.locator("#thread footer[data-state=completed]").count()) === 2);
  await tab.presses("j");
  assert.equal(await tab.composer.inputValue(), "j", "in the composer J is a letter");
  await tab.composer.fill("");
  const message = (n) => tab.page.locator("#thread > article").nth(n);
  await tab.page.getByRole("region", { name: "Conversation" }).focus();
  await tab.presses("k");
  await holdsFocus("the last message", message(3));
  await tab.presses("k");
  await holdsFocus("the one before", message(2));
  await tab.presses("k", "k", "k");
  await holdsFocus("the first", message(0));
  await tab.presses("j");
  await holdsFocus("the second", message(1));
});

test("shortcuts: help, new chat, the list; Esc closes what is open before it stops anything", async () => {
  const eli = await home.person("Eli");
  const tab = await eli.registers();
  const answer = home.provider.answers("Keep talking.");
  await tab.asksInNewChat("Keep talking.");
  await answer.says("On and on ");
  await tab.seesSoFar("On and");
  const help = tab.page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await tab.presses("Control+/");
  await help.waitFor();
  await tab.sees("Stop the answer", help);
  await tab.presses("Escape");
  await help.waitFor({ state: "hidden" });
  assert.equal(await tab.stopButton.count(), 1, "the answer goes on");
  await holdsFocus("the composer again", tab.composer);
  await tab.presses("Control+/", "Control+/");
  await help.waitFor({ state: "hidden" });
  await tab.presses("Escape");
  await tab.seesEnd("stopped");

  await tab.presses("Control+Shift+S");
  await tab.page.locator("#list").waitFor({ state: "hidden" });
  await tab.presses("Control+Shift+S");
  await tab.page.locator("#list").waitFor();
  await tab.presses("Control+Shift+O");
  await tab.page.waitForURL("/");
  await holdsFocus("the composer", tab.composer);
  eli.hasNothingToComplainAbout();
});

test("the menu of a chat", async () => {
  const flo = await home.person("Flo");
  const tab = await flo.registers();
  await tab.asksInNewChat("An unremarkable chat");
  await tab.seesEnd();
  const { page } = tab;
  const opener = page.getByRole("button", { name: "Menu of this chat" });
  await opener.focus();
  await tab.presses("Enter", "Tab");
  await holdsFocus("Rename", page.getByRole("button", { name: "Rename", exact: true }));
  await tab.presses("Escape");
  await page.locator("#chat-menu").waitFor({ state: "hidden" });
  await holdsFocus("what opened it", opener);

  await tab.presses("Enter", "Tab", "Enter");
  const field = page.locator("#rename-field");
  await holdsFocus("the title's field", field);
  await tab.presses("Control+a");
  await page.keyboard.type("A remarkable chat");
  await tab.presses("Enter");
  await page.getByRole("heading", { level: 1, name: "A remarkable chat" }).waitFor();

  await opener.focus();
  await tab.presses("Enter", ...Array(9).fill("Tab"), "Enter"); // the last of the menu
  await holdsFocus("Cancel", page.locator("#delete").getByRole("button", { name: "Cancel" }));
  await tab.presses("Escape");
  await page.locator("#delete").waitFor({ state: "hidden" });
  assert.notEqual(await focused(tab), "nothing", "the focus is not lost when the question closes");
  await opener.focus();
  if (await page.locator("#chat-menu").isVisible()) await tab.presses("Escape");
  await tab.presses("Enter", ...Array(9).fill("Tab"), "Enter"); // the last of the menu
  await holdsFocus("Cancel", page.locator("#delete").getByRole("button", { name: "Cancel" }));
  await tab.presses("Tab", "Enter");
  await page.waitForURL(/\/\?deleted=/);
  assert.equal(await page.getByRole("link", { name: "A remarkable chat" }).count(), 0);
  flo.hasNothingToComplainAbout();
});

test("the way in by keyboard", async () => {
  const gia = await home.person("Gia");
  const tab = await gia.opensTab("/register");
  await holdsFocus("the name", tab.page.getByLabel("Name"));
  await tab.page.keyboard.type("Gia");
  await tab.presses("Tab");
  await tab.page.keyboard.type(gia.email);
  await tab.presses("Tab");
  await tab.page.keyboard.type("a long enough password");
  await tab.presses("Enter");
  await tab.page.waitForURL("/");
  await tab.page.getByRole("button", { name: "Sign out" }).press("Enter");
  await tab.page.waitForURL("/login");
  await holdsFocus("the address", tab.page.getByLabel("Email"));
  gia.hasNothingToComplainAbout();
});
