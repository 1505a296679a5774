// ⌘K or Ctrl+K: commands, and what is found while one writes. Arrows choose, Enter goes there; Enter before anything
// was found opens the page of the search.
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const field = dialog.querySelector("input");
  const found = document.getElementById("palette-found");
  const options = () => [...found.querySelectorAll("[role=option]:not([aria-disabled])")];
  const chosen = () => found.querySelector("[aria-selected=true]");

  const choose = (option) => {
    for (const other of options()) other.setAttribute("aria-selected", other === option);
    if (option) field.setAttribute("aria-activedescendant", option.id);
    else field.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const open = () => {
    if (dialog.open) return dialog.close();
    document.querySelector(":popover-open")?.hidePopover();
    dialog.showModal();
    field.value = "";
    htmx.trigger(field, "parlor:ask");
  };

  document.addEventListener("keydown", (event) => {
    const asked = (event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k";
    if (!asked || event.isComposing) return;
    event.preventDefault();
    open();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-behavior~=search]") && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      open();
    }
    if (event.target === dialog || event.target.closest("#palette [role=option]:not([aria-disabled])")) dialog.close();
  }, true);
  field.addEventListener("input", () => choose(null));
  // whoever was quicker than htmx: what is written already is asked for now
  field.addEventListener("htmx:after:init", () => dialog.open && htmx.trigger(field, "parlor:ask"));
  document.addEventListener("htmx:after:swap", ({ target }) => [field, found].includes(target) && choose(options()[0]));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const all = options();
    const at = all.indexOf(chosen());
    const step = { ArrowDown: at + 1, ArrowUp: at < 0 ? -1 : at - 1 + all.length }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      choose(step < 0 ? all.at(-1) : all[step % all.length]);
    } else if (event.key === "Enter" && chosen()) {
      event.preventDefault();
      chosen().click();
    }
  });
})();
