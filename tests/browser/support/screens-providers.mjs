// What the page of providers looks like: a key that is ready, one that rests, one that was set aside.

/** Each screen; the key is ready afterwards. */
export async function everyProvider(home, mine, at) {
  const made = (role) => home.ground.sql(`update users set role = '${role}' where email = '${mine.person.email}'`);
  const stands = (how) => home.ground.sql(`update provider_keys set ${how}`);
  await made("administrator");
  await stands("hint = '4f7a', requests_per_minute = 1000, tokens_per_minute = 200000");
  await mine.goes("/admin/providers");
  await mine.sees("ready");
  await at("providers", mine);
  await stands("resting_until = now() + interval '40 s', reason = '429 Too Many Requests: \"Rate limit reached for requests\"'");
  await mine.goes("/admin/providers");
  await mine.sees(/rests, is asked again in 0:/);
  await at("providers-resting", mine);
  await stands("set_aside_at = now(), reason = '401 Unauthorized: \"Incorrect API key provided\"'");
  await mine.goes("/admin/providers");
  await mine.sees(/not accepted/);
  await at("providers-set-aside", mine);
  await mine.page.getByRole("button", { name: "Use again" }).click();
  await mine.sees("The key is asked with again, from now on.");
  await at("providers-again", mine);
  await stands("requests_per_minute = 0, tokens_per_minute = 0, reason = ''");
  await made("member");
}

/** What was used: nothing yet, one's own, and everybody's. */
export async function everyUsage(home, mine, at) {
  const made = (role) => home.ground.sql(`update users set role = '${role}' where email = '${mine.person.email}'`);
  const whose = `(select id from users where email = '${mine.person.email}')`;
  await mine.goes("/settings/usage?month=2020-01");
  await at("usage-nothing", mine);
  await home.ground.sql(`insert into usage_days select date_trunc('month', now() at time zone 'UTC')::date + n % 28, ${whose}, 'openai', 'model-' || n % 3, 5 + n, n % 2, 100000 * n, 4000 * n, 9000 * n, 100, 41000 * n, 0 from generate_series(1, 60) n on conflict do nothing`);
  await mine.goes("/settings/usage");
  await mine.sees("By model");
  await at("usage", mine);
  await made("administrator");
  await mine.goes("/admin/usage");
  await mine.sees("By person");
  await at("usage-all", mine);
  await made("member");
  await home.ground.sql("delete from usage_days where model like 'model-%'");
}
