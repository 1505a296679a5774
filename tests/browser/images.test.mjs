// Images that go along with a message: picked, pasted, dropped, taken out again, and shown large.

import { test } from "node:test";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { house } from "./support/house.mjs";
import { picture } from "./support/picture.mjs";
import { until } from "./support/wait.mjs";

const home = house();

/** What a person has on the clipboard, or drags over the page. */
const hands = (tab, how, files) =>
  tab.page.evaluate(([how, files]) => {
    const data = new DataTransfer();
    for (const { name, type, base64 } of files) data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
    const target = document.getElementById("composer-text");
    const event = how === "paste" ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }) : new DragEvent(how, { dataTransfer: data, bubbles: true, cancelable: true });
    target.dispatchEvent(event);
  }, [how, files]);
const file = (name, bytes, type = "image/png") => ({ name, type, base64: bytes.toString("base64") });

test("an image is picked, pasted and dropped, and goes along without a word", async () => {
  const pia = await home.person("Pia");
  const tab = await pia.registers();
  const { page } = tab;
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("link", { name: "Add an image" }).click()]);
  await chooser.setFiles([{ name: "picked.png", mimeType: "image/png", buffer: picture(60, 40) }]);
  await page.getByRole("checkbox", { name: "picked.png" }).waitFor();
  await hands(tab, "paste", [file("pasted.png", picture(30, 30))]);
  await page.getByRole("checkbox", { name: "pasted.png" }).waitFor();
  await hands(tab, "dragover", [file("dropped.png", picture(30, 30))]);
  assert.ok(await page.locator(".composer[data-drop]").count(), "the composer says that it takes it");
  await hands(tab, "drop", [file("dropped.png", picture(30, 30))]);
  await page.getByRole("checkbox", { name: "dropped.png" }).waitFor();
  assert.equal(await page.locator(".composer[data-drop]").count(), 0);

  // one is left out, by keyboard, and comes back; another stays out
  const pasted = page.getByRole("checkbox", { name: "pasted.png" });
  await pasted.focus();
  await tab.presses("Space");
  assert.equal(await pasted.isChecked(), false);
  await tab.presses("Space");
  await page.locator(".chip", { hasText: "dropped.png" }).click();
  await tab.composer.press("Enter");
  await page.waitForURL("/chats/*");
  await tab.seesEnd();
  const images = page.locator(".message--me .picture");
  assert.deepEqual(await images.locator("img").evaluateAll((all) => all.map((image) => image.alt)), ["picked.png", "pasted.png"]);
  await until("both are drawn", () => images.locator("img").evaluateAll((all) => all.every((image) => image.complete && image.naturalWidth > 0)));
  // one of them large, and away again
  await images.first().click();
  const large = page.getByRole("dialog", { name: "picked.png" });
  await large.waitFor();
  assert.equal(await large.getByRole("link", { name: "Save the original" }).getAttribute("download"), "");
  await tab.presses("Escape");
  await large.waitFor({ state: "hidden" });

  // in the chat: the turn comes with its image, and the composer is empty again
  await hands(tab, "paste", [file("again.png", picture(20, 20))]);
  await page.getByRole("checkbox", { name: "again.png" }).waitFor();
  await tab.composer.fill("And this one?");
  await tab.sendButton.click();
  await page.locator(".message--me").nth(1).locator(".picture img[alt='again.png']").waitFor();
  await tab.seesEnd();
  await until("the composer has none", async () => (await page.locator("#composer-files .chip").count()) === 0);
  assert.equal(await tab.composer.getAttribute("required"), "", "a word is needed again");
  pia.hasNothingToComplainAbout();
});

test("what is no image is said, and a message waits for its image", async () => {
  const pia = await home.person("Pia");
  const tab = await pia.registers();
  const { page } = tab;
  await hands(tab, "drop", [file("notes.txt", Buffer.from("words"), "text/plain")]);
  await tab.sees(/Only images can be added/);
  await hands(tab, "drop", [file("broken.png", picture(200, 200).subarray(0, 90))]);
  await tab.sees("“broken.png” could not be read: the image is damaged.");
  assert.equal(await page.locator("#composer-files .chip").count(), 0);

  let pass;
  await page.route("**/files", async (route) => {
    await new Promise((resolve) => (pass = resolve));
    await route.continue();
  });
  await hands(tab, "drop", [file("slow.png", picture(40, 40))]);
  await page.getByRole("progressbar", { name: "slow.png" }).waitFor();
  await tab.composer.press("Enter"); // without a word
  await tab.sees("Your message goes as soon as the image is there.");
  assert.equal(new URL(page.url()).pathname, "/");
  await until("it is on its way", () => Boolean(pass));
  pass();
  await page.waitForURL("/chats/*");
  await page.locator(".message--me .picture img[alt='slow.png']").waitFor();
  await tab.seesEnd();
});

test("a connection that breaks is said, and the words stay", async () => {
  const pia = await home.person("Pia");
  const tab = await pia.registers();
  await tab.page.route("**/files", (route) => route.abort());
  await tab.composer.fill("Look at this");
  await hands(tab, "drop", [file("lost.png", picture(10, 10))]);
  await tab.sees("The image could not be sent. Check the connection and add it again.");
  assert.equal(await tab.composer.inputValue(), "Look at this");
});

test("an image that is added while a message is on its way stays for the next one", async () => {
  const pia = await home.person("Pia");
  const tab = await pia.registers();
  const { page } = tab;
  await tab.composer.fill("First");
  await tab.sendButton.click();
  await page.waitForURL("/chats/*");
  await tab.seesEnd();
  await hands(tab, "paste", [file("first.png", picture(20, 20))]);
  await page.getByRole("checkbox", { name: "first.png" }).waitFor();
  let pass;
  await page.route("**/messages", async (route) => {
    await new Promise((resolve) => (pass = resolve));
    await route.continue();
  });
  await tab.composer.fill("Second");
  await tab.composer.press("Enter");
  await until("it is on its way", () => Boolean(pass));
  await hands(tab, "paste", [file("next.png", picture(20, 20))]);
  await page.getByRole("checkbox", { name: "next.png" }).waitFor();
  pass();
  await page.locator(".message--me .picture img[alt='first.png']").waitFor();
  await until("what was sent is gone", async () => (await page.getByRole("checkbox", { name: "first.png" }).count()) === 0);
  assert.ok(await page.getByRole("checkbox", { name: "next.png" }).isChecked());
  await tab.seesEnd();

  // an edited question shows its images, and goes along with those that are left
  const question = page.locator(".message--me").nth(1);
  await question.hover();
  await question.getByRole("link", { name: "Edit" }).click();
  await question.locator(".edit .chip", { hasText: "first.png" }).click();
  await question.locator(".edit").getByRole("button", { name: "Save and ask" }).click();
  await until("the image is off", async () => (await page.locator(".message--me .picture").count()) === 0);
});
