// The page of API keys, with none, with some, and with one that was made a moment ago.

export async function everyKey(home, mine, at) {
  const { page } = mine;
  await mine.goes("/settings/keys");
  await at("api-keys-none", mine);
  await page.getByLabel("What it is for").fill(" ");
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.locator(".field__fault").first().waitFor();
  await at("api-keys-refused", mine);
  const purpose = "The nightly backup on the machine in the cellar, with a name that goes on for a while";
  for (const name of [purpose.slice(0, 80), "CI"]) {
    await page.getByLabel("What it is for").fill(name);
    await page.getByLabel("How long it is good").selectOption(name === "CI" ? "90" : "");
    await page.getByRole("button", { name: "Make the key" }).click();
    await mine.sees("Copy the key now");
  }
  await at("api-keys-made", mine);
  await home.ground.sql(`update api_keys set used_at = now() - interval '3 hours', expires_at = now() - interval '1 hour' where name = 'CI'`);
  await mine.goes("/settings/keys");
  await page.locator(".keys-list__revoke > summary").first().click();
  await at("api-keys", mine);
}
