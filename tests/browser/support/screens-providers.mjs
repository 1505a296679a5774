// What the pages of providers, their models and what was used look like.

/** A key that is ready, one that rests, one that was set aside; it is ready afterwards. */
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
  await everyKeptProvider(home, mine, at);
  await made("member");
}

/** One that an administrator adds: the form, the same refused, its page with a key, and the list; it is gone afterwards. */
async function everyKeptProvider(home, mine, at) {
  const { page } = mine;
  await mine.goes("/admin/providers/new");
  await at("provider-new", mine);
  await page.getByLabel("Name").fill("The lab");
  await page.getByLabel("Address").fill("lab.example");
  await page.getByRole("button", { name: "Save" }).click();
  await mine.sees(/An address such as/);
  await at("provider-refused", mine);
  await page.getByLabel("Name").fill("lab");
  await page.getByLabel("Address").fill(home.provider.url);
  await page.getByLabel("Key", { exact: true }).fill("sk-lab-0123456789-4f7a");
  await page.getByRole("button", { name: "Save" }).click();
  await mine.sees("Saved. It answers");
  await mine.sees("…4f7a");
  await at("provider", mine);
  await mine.goes("/admin/providers");
  await at("providers-kept", mine);
  await page.getByRole("link", { name: "Edit, lab" }).click();
  await page.getByText("Remove this provider").first().click();
  await page.getByRole("button", { name: "Remove this provider" }).click();
  await mine.sees("The provider was removed.");
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

/** The list of models, the form of one, the same refused, and the picker that shows what was said. */
export async function everyModel(home, mine, at) {
  const { page } = mine;
  const made = (role) => home.ground.sql(`update users set role = '${role}' where email = '${mine.person.email}'`);
  const facts = { label: "Thorough 3.5", context: 1050000, max_output: 128000, images: true, tools: true, reasoning: true, price: { input: 2, cached: 0.2, output: 10 } };
  await home.ground.sql(`insert into model_edits values ('openai', 'thorough', 'everyone', '${JSON.stringify(facts)}'), ('openai', 'quick', 'administrators', '{"context": 131072, "price": {"input": 0.075, "output": 0.4}}')`);
  await made("administrator");
  await mine.goes("/admin/models");
  await mine.sees("Thorough 3.5");
  await at("models", mine);
  await page.getByRole("link", { name: "thorough" }).click();
  await mine.sees("Known: thorough.");
  await at("model", mine);
  await page.getByLabel("Context window, in tokens").fill("1000");
  await page.getByLabel("What is asked").fill("two");
  await page.getByRole("button", { name: "Save" }).click();
  await mine.sees("A number from 0");
  await at("model-refused", mine);
  await page.getByLabel("Context window, in tokens").fill("1050000");
  await page.getByLabel("What is asked").fill("2");
  await page.getByRole("button", { name: "Save" }).click();
  await mine.sees("Saved. It holds from now on.");
  await at("models-saved", mine);
  await mine.goes("/");
  await page.locator("#composer-model").click();
  await page.locator("#composer-model option").first().waitFor();
  await at("models-picker", mine);
  await page.keyboard.press("Escape");
  await mine.goes(await page.locator(".chat-link").first().getAttribute("href"));
  await page.getByRole("link", { name: "What is sent next" }).click();
  await page.locator("#more-sheet meter").waitFor();
  await at("context", mine);
  await page.keyboard.press("Escape");
  await mine.goes(`${new URL(page.url()).pathname}/context`);
  await mine.sees("are kept for the answer");
  await at("context-page", mine);
  await home.ground.sql("delete from model_edits");
  await made("member");
}

/** Groups: none yet, the list, one of them, and a model that is for some. */
export async function everyGroup(home, mine, at) {
  const { page, person } = mine;
  const made = (role) => home.ground.sql(`update users set role = '${role}' where email = '${person.email}'`);
  await made("administrator");
  await mine.goes("/admin/groups");
  await at("groups-none", mine);
  await page.getByLabel("Name", { exact: true }).fill("Editorial staff");
  await page.getByLabel(/Budget of a month/).fill("200");
  await page.getByRole("button", { name: "Make the group" }).click();
  await mine.sees("Nobody is in it yet.");
  await page.getByLabel("Address of an account").fill("nobody@parlor.example");
  await page.getByRole("button", { name: "Add" }).click();
  await mine.sees("No account has this address.");
  await at("group-refused", mine);
  await page.getByLabel("Address of an account").fill(person.email);
  await page.getByRole("button", { name: "Add" }).click();
  await mine.sees("Take out");
  await at("group", mine);
  await mine.goes("/admin/groups");
  await mine.sees("Editorial staff");
  await at("groups", mine);
  await mine.goes("/admin/models/edit?model=openai%2Fquick");
  await page.getByText("Groups", { exact: true }).last().click();
  await page.getByText("Editorial staff").waitFor();
  await at("model-groups", mine);
  await home.ground.sql("delete from groups");
  await made("member");
}
