// The screens of images that go along with a message.

import { Buffer } from "node:buffer";
import { picture } from "./picture.mjs";

/** From a new chat: the composer with images, the page that takes one without scripts, a turn with some, one of them large. */
export async function everyImage(tab, at) {
  const { page } = tab;
  await tab.goes("/");
  const link = page.getByRole("link", { name: "Add an image" });
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), link.click()]);
  const file = (name, width, height) => ({ name, mimeType: "image/png", buffer: picture(width, height) });
  await chooser.setFiles([file("The valley, early in the morning.png", 1200, 800), file("hill.png", 500, 700)]);
  await page.getByRole("checkbox", { name: "hill.png" }).waitFor();
  await page.locator(".chip", { hasText: "hill.png" }).click();
  await page.locator(".chip__image").evaluateAll((all) => Promise.all(all.map((image) => image.decode())));
  await at("composer-images", tab);
  await page.locator(".chip", { hasText: "hill.png" }).click();
  await tab.composer.fill("Which of the two would you hang in the hall?");
  await tab.sendButton.click();
  await page.waitForURL("/chats/*");
  await tab.seesEnd();
  const chat = page.url();
  await page.locator(".picture img").first().waitFor();
  await at("chat-images", tab);
  await page.locator(".picture").first().click();
  await page.getByRole("dialog", { name: "The valley" }).waitFor();
  await at("image-large", tab);
  await tab.presses("Escape");
  await tab.goes("/files/new");
  await at("attach", tab);
  await page.getByLabel("Image").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("words") });
  await page.getByRole("button", { name: "Add" }).click();
  await tab.sees(/is not an image that can be sent/);
  await at("attach-refused", tab);
  await tab.goes(new URL(chat).pathname);
}
