// Copy buttons, the password that can be shown, the drawer on a phone, the example prompts.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const MARKDOWN = "Here is **code**:\n\n```rust\nfn main() {\n    println!(\"<hi> & bye\");\n}\n```\n\n- and a list\n";

test("code is copied as it is, an answer as it was written", async () => {
  const tom = await home.person("Tom");
  await tom.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: tom.origin });
  const tab = await tom.registers();
  const clipboard = () => tab.page.evaluate(() => navigator.clipboard.readText());
  const answer = home.provider.answers("Show me code.");
  await tab.asksInNewChat("Show me code.");
  await answer.says(MARKDOWN);
  await answer.ends();
  await tab.seesEnd();

  for (const moment of ["as it came", "after a reload"]) {
    await tab.prose.getByRole("button", { name: "Copy code" }).click();
    await until(`the code is copied, ${moment}`, async () => (await clipboard()) === "fn main() {\n    println!(\"<hi> & bye\");\n}\n");
    await tab.page.locator("#announce").getByText("Copied.").first().waitFor({ state: "attached" });
    await tab.answer.locator("> footer").getByRole("button", { name: "Copy", exact: true }).click();
    await until(`the answer is copied, ${moment}`, async () => (await clipboard()) === MARKDOWN || Promise.reject(await clipboard()));
    await tab.page.locator("#thread > .message--me").hover();
    await tab.page.locator("#thread > .message--me").getByRole("button", { name: "Copy", exact: true }).click();
    await until("the question is copied", async () => (await clipboard()) === "Show me code.");
    await tab.reloads();
  }
  await tab.presses("Control+Shift+C");
  await until("the keys copy the last answer", async () => (await clipboard()) === MARKDOWN);
  tom.hasNothingToComplainAbout();
});

test("a password can be shown, and is hidden again before it is sent", async () => {
  const uma = await home.person("Uma");
  const tab = await uma.opensTab("/register");
  const field = tab.page.locator("#password");
  const eye = tab.page.getByRole("button", { name: "Show the password" });
  await field.fill("correct horse battery");
  assert.equal(await field.getAttribute("type"), "password");
  await eye.click();
  assert.equal(await field.getAttribute("type"), "text");
  assert.equal(await eye.getAttribute("aria-pressed"), "true");
  await eye.click();
  assert.equal(await field.getAttribute("type"), "password");
  await eye.click();
  await tab.page.getByLabel("Name").fill("Uma");
  await tab.page.getByLabel("Email").fill("not-an-address@x");
  await tab.page.evaluate(() => document.addEventListener("submit", (event) => { window.sentAs = document.getElementById("password").type; event.preventDefault(); }));
  await tab.page.getByRole("button", { name: "Create an account" }).click();
  assert.equal(await tab.page.evaluate(() => window.sentAs), "password");
  uma.hasNothingToComplainAbout();
});

test("on a phone the table of an answer is a table still", async () => {
  const wes = await home.person("Wes", { viewport: { width: 390, height: 844 } });
  const tab = await wes.registers();
  const answer = home.provider.answers("A table.");
  await tab.asksInNewChat("A table.");
  await answer.says("| Bird | Weight |\n|---|--:|\n| heron | 1.5 kg |\n| wren | 9 g |\n");
  await answer.ends();
  await tab.seesEnd();
  const box = (words) => tab.prose.getByText(words, { exact: true }).boundingBox();
  const [bird, weight, heron, grams] = [await box("Bird"), await box("Weight"), await box("heron"), await box("1.5 kg")];
  assert.ok(bird.y === weight.y && bird.height > 10, "its head is seen");
  assert.ok(heron.y === grams.y && heron.y > bird.y && grams.x > heron.x, "its lines are lines");
  wes.hasNothingToComplainAbout();
});

test("on a phone the list is a drawer", async () => {
  const vic = await home.person("Vic", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const tab = await vic.registers();
  await tab.composer.fill("One");
  await tab.sendButton.tap();
  await tab.page.waitForURL("/chats/*");
  await tab.seesEnd();
  const list = tab.page.locator("#list");
  assert.equal(await list.isVisible(), false);
  await tab.page.getByRole("button", { name: "Show the list of chats" }).tap();
  await list.waitFor();
  await tab.sees("One", list);
  await tab.page.getByRole("button", { name: "Hide the list of chats" }).tap();
  await list.waitFor({ state: "hidden" });
  await tab.page.getByRole("button", { name: "Show the list of chats" }).tap();
  await list.waitFor();
  await tab.page.touchscreen.tap(380, 400); // beside it
  await list.waitFor({ state: "hidden" });
  await tab.page.getByRole("button", { name: "Show the list of chats" }).tap();
  await list.getByRole("link", { name: "New chat" }).tap();
  await tab.page.waitForURL("/");

  // with a thumb's keyboard Enter makes a new line, and the button sends
  await tab.composer.fill("A line");
  await tab.composer.press("Enter");
  assert.equal(await tab.composer.inputValue(), "A line\n");
  await tab.sendButton.tap();
  await tab.page.waitForURL("/chats/*");
  await tab.seesEnd();
  await tab.fitsItsWidth();
  vic.hasNothingToComplainAbout();
});

test("the list can be put away, and stays away", async () => {
  const wil = await home.person("Wil", { viewport: { width: 1280, height: 800 } });
  const tab = await wil.registers();
  const list = tab.page.locator("#list");
  await tab.page.getByRole("button", { name: "Hide the list of chats" }).filter({ visible: true }).click();
  await list.waitFor({ state: "hidden" });
  await tab.reloads();
  assert.equal(await list.isVisible(), false);
  await tab.page.getByRole("button", { name: "Show the list of chats" }).filter({ visible: true }).click();
  await list.waitFor();
});

test("an example prompt fills the composer, for the reader to go on", async () => {
  const xia = await home.person("Xia");
  const tab = await xia.registers();
  const openers = tab.page.getByRole("list", { name: "Ways to begin" }).getByRole("button");
  assert.equal(await openers.count(), 4);
  await openers.filter({ hasText: "Plan a week" }).click();
  assert.match(await tab.composer.inputValue(), /^Plan my week\./);
  assert.equal(await tab.composer.evaluate((field) => document.activeElement === field), true);
  assert.equal(tab.page.url(), `${xia.origin}/`, "nothing is sent by itself");
});
