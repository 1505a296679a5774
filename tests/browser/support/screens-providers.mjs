// What the page of providers looks like: a key that is ready, one that rests, one that was set aside.

/** Each screen; the key is ready afterwards. */
export async function everyProvider(home, mine, at) {
  const made = (role) => home.ground.sql(`update users set role = '${role}' where email = '${mine.person.email}'`);
  const stands = (how) => home.ground.sql(`update provider_keys set ${how}`);
  await made("administrator");
  await stands("hint = '4f7a', requests_per_minute = 10, tokens_per_minute = 200000");
  await mine.goes("/admin/providers");
  await mine.sees("ready");
  await at("providers", mine);
  await stands("resting_until = now() + interval '40 s', reason = '429 Too Many Requests: \"Rate limit reached for requests\"'");
  await mine.goes("/admin/providers");
  await mine.sees(/rests, is asked again in 0:/);
  await at("providers-resting", mine);
  await stands("set_aside_at = now(), reason = '401 Unauthorized: \"Incorrect API key provided\"'");
  await mine.goes("/admin/providers");
  await mine.sees(/not accepted since/);
  await at("providers-set-aside", mine);
  await mine.page.getByRole("button", { name: "Use again" }).click();
  await mine.sees("The key is asked with again, from now on.");
  await at("providers-again", mine);
  await stands("requests_per_minute = 0, tokens_per_minute = 0, reason = ''");
  await made("member");
}
