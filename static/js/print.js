// Prints the conversation, once the menu is closed.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-behavior~=print]");
  if (!button) return;
  button.closest("[popover]")?.hidePopover();
  requestAnimationFrame(() => window.print());
});
