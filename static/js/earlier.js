// Earlier messages come in above: what is being read stays where it is.
(() => {
  const room = document.querySelector("[data-behavior~=scroll]");
  if (!room) return;
  let below = 0;

  document.addEventListener("htmx:before:swap", ({ target }) => {
    if (target.id === "earlier") below = room.scrollHeight - room.scrollTop;
  });
  new MutationObserver(() => {
    if (!below) return;
    room.scrollTop = room.scrollHeight - below;
    below = 0;
  }).observe(document.getElementById("main"), { childList: true, subtree: true });
})();
