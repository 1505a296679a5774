// Copies a block of code, or an answer as it was written. Without the clipboard's permission (plain http) by selection.
(() => {
  const bySelection = (text) => {
    const field = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const block = button.closest("figure.code");
    const text = block ? block.querySelector("code, pre").textContent : button.nextElementSibling.content.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      bySelection(text);
      button.focus();
    }
    button.dataset.done = "";
    setTimeout(() => delete button.dataset.done, 1500);
    document.dispatchEvent(new CustomEvent("parlor:announce", { detail: document.getElementById("announce").dataset.copied }));
  });
})();
