// The pages around letters: a forgotten password, another address, invitations, the outbox. Without a mail server the
// letters lie in the outbox, where an administrator reads the links.

import { PASSWORD } from "./people.mjs";
import { until } from "./wait.mjs";

/** Waits until no letter is on its way. */
export const lettersLie = (home) => until("letters are written", async () =>
  (await home.ground.sql("select (select count(*) from reset_wishes) + (select count(*) from mail where state = 'sending' or (state = 'queued' and next_attempt_at <= now()))")) === "0");

/** Opens the newest letter in the outbox, and returns the path and query of its link. */
export async function readsTheNewest(tab) {
  await tab.goes("/admin/outbox");
  await tab.page.getByRole("link", { name: /^Read/ }).first().click();
  const words = await tab.page.locator(".letter__text").innerText();
  return words.match(/https?:\/\/[^/\s]+(\/\S*token=\w+)/)?.[1];
}

/** Each of them; the person is an administrator only meanwhile. */
export async function everyLetterPage(home, mine, options, at) {
  const { page } = mine;
  const { email } = mine.person;
  const made = async (role) => home.ground.sql(`update users set role = '${role}' where email = '${email}'`);
  await made("administrator");
  const guest = await home.person("Gerda", options);
  const tab = await guest.opensTab("/password/forgot");
  await at("forgot", tab);
  await tab.page.getByLabel("Email").fill("gerda@nowhere");
  await tab.page.getByRole("button", { name: "Send the link" }).click();
  await tab.page.locator(".field__fault").waitFor();
  await at("forgot-refused", tab);
  await tab.page.getByLabel("Email").fill(email);
  await tab.page.getByRole("button", { name: "Send the link" }).click();
  await tab.sees("Look into your mail");
  await at("forgot-sent", tab);
  await lettersLie(home);
  await home.ground.sql("insert into mail (kind, recipient, state, attempts, last_error, body) values ('invitation', 'a-rather-long-name@a-company-with-a-name.example.org', 'failed', 5, 'permanent error (550): no such mailbox here', 'x')");
  await home.ground.sql("insert into mail (kind, recipient, state, attempts, last_error, next_attempt_at) values ('reset', 'bob@example.org', 'queued', 2, 'Connection error: Connection refused (os error 111)', now() + interval '9 min')");
  await home.ground.sql("insert into mail (kind, recipient, state) values ('password_changed', 'bob@example.org', 'sent')");
  await mine.goes("/admin/outbox");
  await at("outbox", mine);
  const reset = await readsTheNewest(mine);
  await at("letter", mine);
  await tab.goes(reset);
  await at("reset", tab);
  await tab.goes("/password/reset?token=used");
  await at("reset-gone", tab);

  await mine.goes("/settings/email");
  await page.getByLabel("New address").fill("zoe@another.example.org");
  await page.getByLabel("Password", { exact: true }).fill("not my password");
  await page.getByRole("button", { name: "Send a link there" }).click();
  await page.locator(".field__fault").waitFor();
  await at("address-refused", mine);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Send a link there" }).click();
  await mine.sees(/A link is on its way/);
  await at("address-sent", mine);
  await lettersLie(home);
  await tab.goes(await readsTheNewest(mine));
  await at("address-confirm", tab);

  await home.ground.sql("delete from invitations");
  await mine.goes("/admin/invitations");
  await at("invitations-none", mine);
  await page.getByLabel("Email").fill("nowhere@nowhere");
  await page.getByRole("button", { name: "Invite" }).click();
  await page.locator(".field__fault").waitFor();
  await at("invitations-refused", mine);
  const gerda = `gerda-${Date.now()}@example.org`;
  await page.getByLabel("Email").fill(gerda);
  await page.getByRole("button", { name: "Invite" }).click();
  await mine.sees(/An invitation is on its way/);
  await home.ground.sql("insert into invitations (email, email_key, role, token_hash, expires_at, used_at) values ('adam@example.org', 'adam@example.org', 'administrator', '\\x01', now(), now()), ('eve@example.org', 'eve@example.org', 'member', '\\x02', now(), null)");
  await at("invitations-made", mine);
  await tab.goes(new URL(await page.getByLabel(/This is the link/).inputValue()).pathname + new URL(await page.getByLabel(/This is the link/).inputValue()).search);
  await at("register-invited", tab);
  await mine.goes("/admin/invitations");
  await at("invitations", mine);
  await tab.goes("/register?token=used");
  await at("register-gone", tab);
  await guest.leaves();
  await home.ground.sql("delete from mail where state <> 'written'");
  await home.ground.sql("delete from invitations");
  await made("member");
}
