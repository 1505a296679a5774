// Example prompts: one fills the composer, for the reader to go on.
(() => {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-behavior~=opener]");
    if (!opener) return;
    const field = document.getElementById("composer-text");
    field.value = opener.dataset.text;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
