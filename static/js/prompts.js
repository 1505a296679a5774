// Prompts in a dialog: "/" in an empty composer, or the button below it, lists them; one with variables shows its form.
// Who closes it goes on after the stroke. Each step is the page that stands at that address; the last one has a composer, whose text comes into ours.
(() => {
  const dialog = () => document.getElementById("prompts");
  const field = () => document.getElementById("composer-text");

  const put = (text) => {
    dialog().close();
    field().value = text;
    field().dispatchEvent(new Event("input", { bubbles: true }));
    field().focus();
    field().setSelectionRange(text.length, text.length);
  };

  const go = async (url, form) => {
    let page;
    try {
      const response = await fetch(url, form && { method: "post", body: new URLSearchParams(new FormData(form)) });
      page = response.ok && new DOMParser().parseFromString(await response.text(), "text/html");
    } catch { /* as below */ }
    const [composer, step] = page ? [page.getElementById("composer-text"), page.getElementById("prompt")] : [];
    if (composer) return put(composer.value);
    if (!step) return form ? form.submit() : location.assign(url); // the page itself says what is wrong
    document.getElementById("prompts-title").textContent = page.querySelector("h1").textContent;
    document.getElementById("prompts-room").replaceChildren(...step.childNodes);
    if (!dialog().open) dialog().showModal();
    document.querySelector("#prompts-room :is(textarea, a)")?.focus();
  };

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("a[data-behavior~=prompts], #prompts a[href^='/prompts']");
    const cancel = event.target.closest("#prompts .actions > a");
    if (event.target === dialog() || cancel) dialog().close();
    if (!link && !cancel) return;
    event.preventDefault();
    if (link) go(link.href);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.isComposing || event.ctrlKey || event.metaKey || event.target !== field() || field().value) return;
    go(document.querySelector("a[data-behavior~=prompts]").href);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("#prompts .settings__form")) return;
    event.preventDefault();
    go(event.target.action, event.target);
  });
})();
