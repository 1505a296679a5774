// Everything works with JavaScript off, only less lively.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { PASSWORD } from "./support/people.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const LIVE = /\/chats\/[0-9a-f-]+\?live$/;
const CHAT = /\/chats\/[0-9a-f-]+$/;

test("a whole visit without JavaScript", async () => {
  const rob = await home.person("Rob", { javaScriptEnabled: false });
  const tab = await rob.registers();
  const { page } = tab;
  await tab.sees("Hello, Rob.");
  assert.equal(await page.getByRole("button", { name: "Plan a week" }).count(), 0, "no button that does nothing");

  const answer = home.provider.answers("Tell me of the sea.");
  await tab.composer.fill("Tell me of the sea.");
  await tab.sendButton.click();
  await page.waitForURL(LIVE, { waitUntil: "commit" }); // the page leads itself there
  await tab.sees("Tell me of the sea.");
  await tab.sees(/appears here block by block/);

  await answer.says("# The sea\n\nIt is *wide*.\n\nIt is ");
  await tab.sees("It is wide.");
  await page.getByRole("heading", { name: "The sea", exact: true }).waitFor();
  assert.equal(await page.getByText("deep").count(), 0);
  await answer.says("deep.\n\n- salt\n- waves\n\n```rust\nlet fish = 1;\n```\n\nAnd at the ");
  await tab.sees("It is deep.");
  await tab.sees("let fish = 1;");
  assert.equal(await page.getByText("The answer is complete.").count(), 0, "all that was before the end");
  await answer.says("end a shore.");
  await answer.ends();
  await tab.sees("The answer is complete.");
  await tab.sees("And at the end a shore.");
  await page.getByRole("link", { name: "Reload" }).click();
  await page.waitForURL(CHAT);
  await tab.seesEnd();
  await tab.seesAnswer("The sea It is wide. It is deep. salt waves rust let fish = 1; And at the end a shore.");
  const chat = page.url();

  // a second question, stopped by the form on the page that is held open
  const second = home.provider.answers("And the sky?");
  await tab.composer.fill("And the sky?");
  await tab.sendButton.click();
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  assert.equal((await second.asked()).messages.length, 3);
  await second.says("First block.\n\nSecond ");
  await tab.sees("First block.");
  await page.getByRole("button", { name: "Stop" }).first().click();
  await second.closed(2000);
  await page.waitForURL(CHAT);
  await tab.seesEnd("stopped");
  await tab.sees("First block.");
  await tab.sees("Stopped.");

  // asked again, as a form
  const again = home.provider.answers("And the sky?");
  await page.getByRole("button", { name: "Try again" }).last().click();
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  await again.says("Blue.");
  await again.ends();
  await tab.sees("The answer is complete.");
  await tab.goes(new URL(chat).pathname);
  await tab.seesAnswer("Blue.");
  const more = home.provider.answers("And the sky?");
  await tab.answer.getByRole("button", { name: "Answer again" }).click();
  await page.waitForURL(LIVE, { waitUntil: "commit" });
  await more.says("Still blue.");
  await more.ends();
  await tab.sees("The answer is complete.");
  await tab.goes(new URL(chat).pathname);
  await tab.seesAnswer("Still blue.");

  // renamed, through the page's menu
  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await page.getByLabel("Title").filter({ visible: true }).fill("Sea and sky");
  await page.getByRole("button", { name: "Save" }).filter({ visible: true }).click();
  await page.getByRole("heading", { level: 1, name: "Sea and sky" }).waitFor();
  await page.getByRole("link", { name: "Sea and sky" }).waitFor();

  // deleted, after a question
  await page.getByRole("button", { name: "Menu of this chat" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).filter({ visible: true }).click();
  await tab.sees("Delete this chat?");
  await page.getByRole("button", { name: "Delete", exact: true }).filter({ visible: true }).last().click();
  await page.waitForURL(/\/\?deleted=/);
  assert.equal(await page.getByRole("link", { name: "Sea and sky" }).count(), 0);
  assert.equal((await tab.goes(new URL(chat).pathname)).status(), 404);
  await tab.sees("Nothing here");

  await tab.goes("/");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("/login");
  await tab.goes("/");
  await page.waitForURL("/login");
  await page.getByLabel("Email").fill(rob.email);
  await page.getByLabel("Password", { exact: true }).fill("not it, surely");
  await page.getByRole("button", { name: "Sign in" }).click();
  await tab.sees(/do not belong together/);
  assert.equal(await page.getByLabel("Email").inputValue(), rob.email);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await tab.sees("Hello, Rob.");
  rob.hasNothingToComplainAbout([/status of 4(04|22)/]);
});

test("the pages of renaming and deleting, and a failure, without JavaScript", async () => {
  const sue = await home.person("Sue", { javaScriptEnabled: false });
  const tab = await sue.registers();
  const failing = home.provider.answers("Fail, please.");
  await tab.composer.fill("Fail, please.");
  await tab.sendButton.click();
  await tab.page.waitForURL(LIVE, { waitUntil: "commit" });
  await failing.fails(500);
  await tab.sees(/had an error of its own/);
  const path = new URL(tab.page.url()).pathname;
  await tab.goes(path);
  await tab.seesEnd("failed");
  await tab.sees(/had an error of its own/);

  await tab.goes(`${path}/title`);
  await tab.page.getByLabel("Title").fill("   ");
  await tab.page.getByRole("button", { name: "Save" }).click();
  await tab.page.locator("#title-fault").waitFor();
  await tab.page.getByLabel("Title").fill("A better name");
  await tab.page.getByRole("button", { name: "Save" }).click();
  await tab.page.getByRole("heading", { level: 1, name: "A better name" }).waitFor();
  await tab.goes(`${path}/delete`);
  await tab.page.getByRole("button", { name: "Delete", exact: true }).filter({ visible: true }).click();
  await tab.page.waitForURL(/\/\?deleted=/);
  await until("the list is empty", async () => (await tab.page.getByRole("link", { name: "A better name" }).count()) === 0);
});

test("one's own way, a chat's, and saving it, without JavaScript", async () => {
  const ned = await home.person("Ned", { javaScriptEnabled: false, acceptDownloads: true });
  const tab = await ned.registers();
  const { page } = tab;
  await tab.goes("/settings");
  await page.getByLabel("Instructions").fill("Answer in verse.");
  await page.getByRole("radio", { name: "Dark" }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await tab.sees("Saved.");
  assert.equal(await page.locator("html").evaluate((html) => getComputedStyle(html).colorScheme), "dark");
  await tab.goes("/");
  await tab.composer.fill("Tell me of the sea.");
  await tab.sendButton.click();
  await tab.sees("A plain answer.");
  const chat = new URL(page.url()).pathname;
  await tab.goes(`${chat}/settings`);
  await page.getByLabel("System prompt").fill("You are a sailor.");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL((url) => url.pathname === chat);
  await tab.goes(`${chat}/settings`);
  assert.equal(await page.getByLabel("System prompt").inputValue(), "You are a sailor.");
  const saved = await page.request.get(`${chat}/export?format=markdown`);
  assert.match(await saved.text(), /Tell me of the sea/);
  await ned.leaves();
});
