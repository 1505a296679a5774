// What limits look like: a little left, nothing left, pages that are refused, and the administrators' form.

/** The person's own limits, and so many messages of theirs taken just now. */
export async function given(home, person, minute, day, taken) {
  const whose = `(select id from users where email = '${person.email}')`;
  await home.ground.sql(`insert into user_limits values (${whose}, ${minute}, ${day}) on conflict (user_id) do update set messages_per_minute = ${minute}, messages_per_day = ${day}; delete from taken_messages where user_id = ${whose}; insert into taken_messages select ${whose}, clock_timestamp(), gen_random_uuid() from generate_series(1, ${taken})`);
}

/** Each screen; the person has no limits afterwards. */
export async function everyLimit(home, mine, at) {
  const { page, person } = mine;
  await given(home, person, 20, 100, 17);
  await mine.goes("/");
  await mine.sees("3 of 20 left this minute");
  await at("limit-near", mine);
  await given(home, person, 0, 1000, 1000);
  await mine.goes("/");
  await mine.composer.fill("What I have to say is still here.");
  await mine.sendButton.click();
  await mine.sees(/1000 messages were sent within 24 hours/);
  await at("limit-reached", mine);
  const made = (role) => home.ground.sql(`update users set role = '${role}' where email = '${person.email}'`);
  await made("administrator");
  await mine.goes("/admin/limits");
  await page.locator("#member_minute").fill("many");
  await at("limits", mine);
  await page.getByRole("button", { name: "Save" }).click();
  await mine.sees(/A whole number/);
  await at("limits-refused", mine);
  await page.locator("#member_minute").fill("0");
  await page.getByRole("button", { name: "Save" }).click();
  await mine.sees("Saved. It holds from now on.");
  await at("limits-saved", mine);
  await home.ground.sql("delete from role_limits");
  await made("member");
  await given(home, person, 0, 0, 0);
}

/** Somebody who has tried wrong passwords. */
export async function everyTry(home, tab, at) {
  await home.ground.sql("update password_tries set failed = 9, at = clock_timestamp()");
  await tab.goes("/login");
  await tab.page.getByLabel("Email").fill("nobody@parlor.example");
  await tab.page.getByLabel("Password", { exact: true }).fill("wrong password");
  await tab.page.getByRole("button", { name: "Sign in" }).click();
  await tab.sees(/has to wait a little/);
  await at("login-limited", tab);
  await home.ground.sql("delete from password_tries");
}
