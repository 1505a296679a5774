// Where the reader is: at the end it follows, elsewhere it only says that there is something newer.
(() => {
  const NEAR = 100;
  const room = document.querySelector("[data-behavior~=scroll]");
  if (!room) return;
  const newest = document.getElementById("newest");
  const end = () => room.scrollHeight - room.clientHeight;
  let atEnd = true;
  let height = 0; // as last seen: what has grown since then is no reason to stop following
  let below = 0;

  const toEnd = () => { room.scrollTop = end(); };
  const look = () => {
    atEnd = height - room.clientHeight - room.scrollTop < NEAR;
    newest.hidden = atEnd;
    if (atEnd) newest.querySelector(".dot").hidden = true;
  };

  room.addEventListener("scroll", look, { passive: true });
  newest.addEventListener("click", () => { height = room.scrollHeight; toEnd(); look(); });

  const follow = new ResizeObserver(() => {
    if (atEnd) toEnd();
    else if (room.scrollHeight > height) newest.querySelector(".dot").hidden = !document.querySelector("#stop");
    height = room.scrollHeight;
    if (!atEnd) look();
  });
  const watch = () => {
    follow.disconnect();
    follow.observe(room);
    follow.observe(document.getElementById("conversation"));
  };

  // what the reader sent goes near the top, its answer fills the room below
  document.addEventListener("htmx:after:swap", ({ target, detail }) => {
    if (target.id === "say" && detail.ctx.response?.status < 300) {
      const thread = document.getElementById("thread");
      thread.dataset.fresh = "";
      height = room.scrollHeight;
      [...thread.querySelectorAll(".message--me")].at(-1)?.scrollIntoView({ block: "start" });
      look();
    }
    if (target.id === "conversation" || target === document.body) watch();
  });

  // earlier messages come in above: what is being read stays where it is
  document.addEventListener("htmx:before:swap", ({ target }) => { if (target.id === "earlier") below = room.scrollHeight - room.scrollTop; });
  new MutationObserver(() => {
    if (!below) return;
    height = room.scrollHeight;
    room.scrollTop = height - below;
    below = 0;
  }).observe(document.getElementById("main"), { childList: true, subtree: true });

  toEnd();
  watch();
  room.dataset.ready = "";
})();
