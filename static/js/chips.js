// The images in the composer: with one there need not be a word, a message that is sent while one is still coming goes when
// it is there, and those that were sent go away with it. The answer to the form leaves them alone (`hx-morph-skip`), so that
// what was added meanwhile stays.
(() => {
  const form = () => document.querySelector("form[data-behavior~=composer]");
  const room = () => document.getElementById("composer-files");
  const coming = () => room()?.querySelector(".chip--coming");
  const note = (words) => (document.getElementById("composer-note").textContent = words);
  let waiting = false; // to be sent

  const settle = () => {
    document.getElementById("composer-text").required = !room().querySelector(":checked, .chip--coming");
    if (coming() || !waiting) return;
    waiting = false;
    note("");
    form().requestSubmit(document.querySelector("#send-button[form]:enabled"));
  };

  document.addEventListener("parlor:chips", ({ detail }) => {
    if (detail) {
      waiting = false;
      note(detail);
    }
    settle();
  });
  document.addEventListener("change", ({ target }) => target.closest("#composer-files") && settle());
  document.addEventListener("htmx:after:swap", ({ target, detail }) => {
    if (target.id !== "say") return;
    const sent = room().querySelectorAll("[data-sent]");
    if (detail.ctx.response.status < 400) sent.forEach((chip) => chip.remove());
    else sent.forEach((chip) => delete chip.dataset.sent);
    settle();
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    if (!coming()) return room().querySelectorAll(".chip").forEach((chip) => (chip.dataset.sent = ""));
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = true;
    note(document.querySelector("a[data-behavior~=attach]").dataset.coming);
  }, true);
})();
