// Prints the page, once the menu is closed; the page made for that prints itself when all of it is there.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-behavior~=print]");
  if (!button) return;
  button.closest("[popover]")?.hidePopover();
  requestAnimationFrame(() => window.print());
});
if (document.querySelector("[data-behavior~=print-now]")) addEventListener("load", () => window.print());
