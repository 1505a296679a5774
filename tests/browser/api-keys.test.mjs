// API keys on their page: made, shown once, copied, and revoked; by pointer, by keyboard alone, and without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";

const home = house();

/** What the door for programs says to whoever shows this. */
const asks = (key) => fetch(`${home.parlor.origin}/api/models`, { headers: { authorization: `Bearer ${key}` } });
const shown = (page) => page.locator(".new-key__secret > code");

test("a key is made by keyboard alone, copied, works, is shown no second time, and is revoked", async () => {
  const ann = await home.person("Ann", { permissions: ["clipboard-read", "clipboard-write"] });
  const tab = await ann.registers();
  const { page } = tab;
  await tab.goes("/settings");
  await page.getByRole("link", { name: "API keys" }).click();
  await tab.sees("You have no keys yet.");
  await page.getByLabel("What it is for").focus();
  await page.keyboard.type("My laptop");
  await page.keyboard.press("Enter");
  await tab.sees("Copy the key now");
  const key = await shown(page).innerText();
  assert.match(key, /^parlor_[A-Za-z0-9]{43}[0-9a-f]{6}$/);
  await page.getByRole("button", { name: "Copy the key" }).focus();
  await page.keyboard.press("Enter");
  await page.locator("#announce").getByText("Copied.").waitFor({ state: "attached" });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  assert.ok(!page.url().includes("parlor_"), "it is in no address");
  assert.equal((await asks(key)).status, 200);

  await tab.goes("/settings/keys");
  assert.equal(await shown(page).count(), 0);
  assert.ok(!(await page.content()).includes(key));
  await tab.sees("last used", page.locator(".keys-list"));
  await page.locator(".keys-list__revoke > summary").focus();
  await page.keyboard.press("Enter");
  await tab.sees("This cannot be undone.");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await tab.sees("Revoked. Whatever used this key");
  assert.equal((await asks(key)).status, 401);
  ann.hasNothingToComplainAbout();
});

test("without JavaScript it is the same page, with nothing on it that does nothing", async () => {
  const ned = await home.person("Ned", { javaScriptEnabled: false });
  const tab = await ned.registers();
  const { page } = tab;
  await tab.goes("/settings/keys");
  await page.getByLabel("What it is for").fill("Script");
  await page.getByLabel("How long it is good").selectOption("30 days");
  await page.getByRole("button", { name: "Make the key" }).click();
  await tab.sees("Copy the key now");
  const key = await shown(page).innerText();
  assert.equal((await asks(key)).status, 200);
  assert.equal(await page.getByRole("button", { name: "Copy the key" }).isVisible(), false, "there is nothing to copy with");
  assert.equal(await page.locator(".keys-list__scopes > li").allInnerTexts().then((all) => all.join()), "Read my chats,Write in my chats, make and delete them,See which models there are, and call them");
  await page.getByText("Revoke", { exact: true }).first().click();
  await page.getByRole("button", { name: "Revoke Script" }).click();
  await tab.sees("Revoked. Whatever used this key");
  assert.equal((await asks(key)).status, 401);
});
