// Where the reader is: at the end it follows, elsewhere it only says that there is something newer.
(() => {
  const NEAR = 100;
  const room = document.querySelector("[data-behavior~=scroll]");
  if (!room) return;
  const newest = document.getElementById("newest");
  let atEnd = true;
  let height = room.scrollHeight; // as last seen: what has grown since then is no reason to stop following

  const toEnd = () => { room.scrollTop = room.scrollHeight; };
  // the room kept free for an answer to come is nothing to be read
  const free = () => {
    const last = [...room.querySelectorAll(".thinking, .message > .prose:not(:empty), .message__foot:not([data-state=queued], [data-state=streaming])")].at(-1);
    return last ? Math.max(0, room.scrollHeight - room.scrollTop - (last.getBoundingClientRect().bottom - room.getBoundingClientRect().top)) : 0;
  };
  const look = () => {
    const seen = room.scrollTop + room.clientHeight; // beyond what was there: more has come above
    atEnd = (seen > height ? room.scrollHeight : height) - free() - seen < NEAR;
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
  const watch = () => [room, document.getElementById("conversation")].forEach((element) => follow.observe(element));

  // the height of a screen without the question, for an answer to come
  const makeRoom = (asked) => {
    document.getElementById("thread").dataset.fresh = "";
    document.documentElement.style.setProperty("--asked", `${asked?.offsetHeight ?? 0}px`);
    height = room.scrollHeight;
  };

  // what the reader sent goes near the top, its answer fills the room below
  document.addEventListener("htmx:after:swap", ({ target, detail }) => {
    if (target.id === "say" && detail.ctx.response?.status < 300) {
      const asked = [...room.querySelectorAll(".message--me")].at(-1);
      // what stands in line does not take the place of what is being read
      if (asked?.nextElementSibling?.querySelector("[data-state=lined]")) return look();
      makeRoom(asked);
      asked?.scrollIntoView({ block: "start" });
      look();
    }
    if (target.id === "conversation" || target === document.body) watch();
  });

  const coming = room.querySelector(".message > :is([data-state=queued], [data-state=streaming])");
  if (coming) makeRoom(coming.parentElement.previousElementSibling);
  toEnd();
  watch();
  room.dataset.ready = "";
})();
