// The administrators' pages about people, what was done, and the system.

/** Each of them; the person is an administrator only meanwhile. */
export async function everyAdministratorsPage(home, mine, at) {
  const { page } = mine;
  const made = async (role) => home.ground.sql(`update users set role = '${role}' where email = '${mine.person.email}'`);
  await made("administrator");
  await mine.goes("/admin/users?q=nobody-is-called-so");
  await mine.sees(/No account has this/);
  await at("users-none", mine);
  await mine.goes("/admin/users/new");
  await page.getByLabel("Name").fill("Odile");
  await page.getByLabel("Email").fill(`odile-with-a-rather-long-name-${Date.now()}@a-company-with-a-name.example.org`);
  await page.locator("#password").fill("a sentence of four words");
  await at("user-new", mine);
  await page.getByRole("button", { name: "Make the account" }).click();
  await mine.sees("The account was made.");
  await at("user", mine);
  await mine.goes("/admin/users");
  await at("users", mine);
  await mine.goes("/admin/audit");
  await at("audit", mine);
  await mine.goes("/admin/system");
  await mine.sees("complete");
  await at("system", mine);
  await made("member");
}
