// The page of the API, with everything folded and with one address unfolded.

export async function everyDocument(tab, at) {
  await tab.goes("/api/docs");
  await at("document", tab);
  await tab.page.locator(".document__one > summary").filter({ hasText: "/api/conversations/{id}/messages" }).last().click();
  await at("document-open", tab);
}
