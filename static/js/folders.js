// A folder that is opened or folded in the list is so on every page. Where a chat is to be is asked in a sheet.
(() => {
  document.addEventListener("toggle", ({ target }) => {
    if (!target.matches("details.folder__chats") || String(target.open) === target.dataset.opened) return;
    target.dataset.opened = target.open;
    htmx.ajax("POST", `/folders/${target.dataset.of}/open`, { source: target, values: { open: target.open }, swap: "none" });
  }, true);

  let asked; // the menu's button: the focus goes back there
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    const { ctx } = detail;
    const sheet = document.getElementById("move-sheet");
    const menu = ctx?.target === sheet && ctx.sourceElement.closest(".chat-row__menu");
    if (!menu && !sheet?.querySelector("[aria-invalid]")) return;
    if (menu) asked = menu.parentElement.querySelector(".chat-row__more").id;
    if (menu) menu.hidePopover();
    sheet.showPopover();
    sheet.querySelector("[aria-invalid], button, input:not([type=hidden])")?.focus();
  });
  document.addEventListener("beforetoggle", ({ target, newState }) => {
    if (target.id !== "move-sheet" || newState !== "closed") return;
    if (target.contains(document.activeElement)) document.getElementById(asked)?.focus();
    target.querySelector("[aria-invalid]")?.removeAttribute("aria-invalid");
  }, true);
})();
