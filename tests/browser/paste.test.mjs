// Long texts that people paste: whole in the composer, folded in the conversation.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { until } from "./support/wait.mjs";

const home = house();
const lines = (count) => Array.from({ length: count }, (_, n) => `Line ${n + 1} of what was pasted, with a few words more`).join("\n");

/** Puts a text on the clipboard, and pastes it as a person does. */
async function pastes(tab, text) {
  await tab.page.evaluate((text) => navigator.clipboard.writeText(text), text);
  await tab.composer.focus();
  await tab.presses("Control+V");
}

test("a long paste is whole in the composer, and folded once it is sent", async () => {
  const pia = await home.person("Pia");
  await pia.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: pia.origin });
  const tab = await pia.registers();
  const text = lines(70);
  await pastes(tab, text);
  assert.equal(await tab.composer.inputValue(), text);
  await tab.sees("/ 4,000");
  const [field, room] = [await tab.composer.boundingBox(), tab.page.viewportSize()];
  assert.ok(field.height <= 0.4 * room.height + 1, `the composer takes ${field.height} px`);
  await tab.sendButton.click();
  await tab.page.waitForURL("/chats/*");
  await tab.seesEnd();

  const block = tab.page.locator("#thread > .message--me").last();
  const height = () => block.locator("> .prose").evaluate((element) => element.clientHeight);
  assert.ok((await height()) <= 256, "folded");
  assert.equal((await block.locator("> .prose").innerText()).trim(), text, "whole for those who do not see");
  // by keyboard, and back by pointer
  await block.getByRole("checkbox", { name: "Show all" }).focus();
  await tab.presses("Space");
  await until("all of it is in sight", async () => (await height()) > 1500);
  await block.getByText("Show less").click();
  await until("it is folded again", async () => (await height()) <= 256);
  await tab.reloads();
  assert.ok((await height()) <= 256, "folded after a reload");
  pia.hasNothingToComplainAbout();
});

test("what is too long to be sent stays where it is, and is said", async () => {
  const pia = await home.person("Pia");
  await pia.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: pia.origin });
  const tab = await pia.registers();
  const text = lines(100);
  await pastes(tab, text);
  await tab.sees(`${text.length.toLocaleString("en")} / 4,000`);
  await tab.composer.press("Enter");
  await tab.sees(/too long: at most 4,000 characters/);
  assert.equal(await tab.composer.inputValue(), text);
  await tab.composer.fill(lines(5));
  await tab.composer.press("Enter");
  await tab.page.waitForURL("/chats/*");
  assert.equal(await tab.page.getByRole("checkbox", { name: "Show all" }).count(), 0, "five lines are not folded");
});

test("without JavaScript it unfolds as well", async () => {
  const pia = await home.person("Pia", { javaScriptEnabled: false });
  const tab = await pia.registers();
  await tab.composer.fill(lines(40));
  await tab.sendButton.click();
  await tab.sees("A plain answer.");
  const block = tab.page.locator("#thread > .message--me").last();
  const box = async () => (await block.locator("> .prose").boundingBox()).height;
  assert.ok((await box()) <= 257);
  await block.getByText("Show all").click();
  assert.ok((await box()) > 800);
});
