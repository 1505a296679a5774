// The menus of the list: what was pressed closes its menu, and the focus goes on where the list goes on. The word that
// offers to undo goes after ten seconds, unless somebody points to it or is in it with the keyboard.
(() => {
  const SECONDS = 10;
  const undo = document.getElementById("undo");
  let came; // the chat whose menu was used
  let byKey = false;

  document.addEventListener("submit", ({ target }) => {
    const ours = target.matches("[data-behavior~=place], #undo form");
    if (!ours) return;
    byKey = target.querySelector(":focus-visible") != null;
    came = target.closest(".chat-row")?.id ?? `c-${target.getAttribute("action").split("/")[2]}`;
    target.closest(".menu, #move-sheet")?.hidePopover();
  });
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    if (!came || detail.ctx?.sourceElement?.id === "chats") return; // news of the list, not the answer
    const link = document.querySelector(`[id="${came}"] > .chat-link`);
    came = undefined;
    if (document.activeElement !== document.body && document.activeElement?.checkVisibility()) return;
    const next = undo?.querySelector("button") ?? link ?? document.querySelector(".list__new");
    next?.focus({ focusVisible: byKey });
  });
  setInterval(() => {
    const word = document.querySelector(".put-away:not([inert])");
    if (!word || word.querySelector(":focus-visible") || word.matches(":hover")) return;
    word.dataset.age = Number(word.dataset.age ?? 0) + 1;
    if (word.dataset.age < SECONDS) return;
    if (word.parentElement === undo) word.remove();
    else word.inert = true; // in a page it keeps its place: nothing moves
  }, 1000);
})();
