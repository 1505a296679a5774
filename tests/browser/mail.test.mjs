// A forgotten password from beginning to end, and an invitation, by forms alone: without JavaScript.

import { test } from "node:test";
import assert from "node:assert/strict";
import { house } from "./support/house.mjs";
import { lettersLie, readsTheNewest } from "./support/screens-mail.mjs";

const home = house({ env: { REGISTRATION: "invite", ADMIN_EMAIL: "root@parlor.example", ADMIN_PASSWORD: "a sentence for root" } });

async function signsIn(tab, email, password) {
  await tab.goes("/login");
  await tab.page.getByLabel("Email").fill(email);
  await tab.page.getByLabel("Password", { exact: true }).fill(password);
  await tab.page.getByRole("button", { name: "Sign in" }).click();
}

test("an invitation, then a password that is forgotten, without JavaScript", async () => {
  const plain = { javaScriptEnabled: false };
  const root = await (await home.person("Root", plain)).opensTab("/login");
  await signsIn(root, "root@parlor.example", "a sentence for root");
  await root.goes("/admin/invitations");
  await root.page.getByLabel("Email").fill("gerda@parlor.example");
  await root.page.getByRole("button", { name: "Invite" }).click();
  await root.sees("An invitation is on its way to gerda@parlor.example.");
  await lettersLie(home);

  const gerda = await (await home.person("Gerda", plain)).opensTab("/register");
  await gerda.sees("By invitation only");
  await gerda.goes(await readsTheNewest(root));
  await gerda.page.getByLabel("Name").fill("Gerda");
  assert.equal(await gerda.page.getByLabel("Email").inputValue(), "gerda@parlor.example");
  await gerda.page.getByLabel("Password", { exact: true }).fill("a sentence for gerda");
  await gerda.page.getByRole("button", { name: "Create an account" }).click();
  await gerda.sees(/Hello, Gerda/);

  const elsewhere = await (await home.person("Gerda", plain)).opensTab("/login");
  await elsewhere.page.getByRole("link", { name: "Forgotten your password?" }).click();
  await elsewhere.page.getByLabel("Email").fill("GERDA@parlor.example");
  await elsewhere.page.getByRole("button", { name: "Send the link" }).click();
  await elsewhere.sees("Look into your mail");
  await lettersLie(home);
  await elsewhere.goes(await readsTheNewest(root));
  await elsewhere.page.getByLabel("Password", { exact: true }).fill("another sentence for gerda");
  await elsewhere.page.getByRole("button", { name: "Choose another password" }).click();
  await elsewhere.sees("Your password is changed. Sign in with it.");
  await gerda.goes("/");
  await gerda.sees("Welcome back.");
  await signsIn(elsewhere, "gerda@parlor.example", "another sentence for gerda");
  await elsewhere.sees(/Hello, Gerda/);
});
