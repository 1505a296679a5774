// Earlier messages come in above: what is being read stays where it is. And the link for more, here or in the list, hands
// the focus on to what it brought.
(() => {
  const room = document.querySelector("[data-behavior~=scroll]");
  let below = 0;
  let [above, parent] = [null, null];

  document.addEventListener("htmx:before:swap", ({ target }) => {
    if (!/^(earlier|older)$/.test(target.id)) return;
    if (target.id === "earlier" && room) below = room.scrollHeight - room.scrollTop;
    if (target === document.activeElement) [above, parent] = [target.previousElementSibling, target.parentElement];
  });
  document.addEventListener("htmx:after:swap", () => {
    const first = above?.nextElementSibling ?? parent?.firstElementChild;
    (first?.matches("a, .message") ? first : first?.querySelector("a"))?.focus({ preventScroll: true });
    [above, parent] = [null, null];
  });
  if (room) new MutationObserver(() => {
    if (!below) return;
    room.scrollTop = room.scrollHeight - below;
    below = 0;
  }).observe(document.getElementById("main"), { childList: true, subtree: true });
})();
