// The composer: Enter sends, Esc stops or cancels, a counter near the limit, and no text is ever lost. What a small
// button under a message was refused for is said here too.
(() => {
  const form = () => document.querySelector("form[data-behavior~=composer]");
  const field = () => document.getElementById("composer-text");
  const typesByTouch = matchMedia("(pointer: coarse) and (hover: none)");
  const over = () => [...field().value].length > form().dataset.max;
  const images = () => document.querySelector("#composer-files :is(:checked, .chip--coming)");
  let sent = "";

  const count = () => {
    const out = document.getElementById("composer-counter");
    const max = Number(form().dataset.max);
    out.hidden = field().value.length < max * 0.8;
    if (out.hidden) return;
    out.value = `${[...field().value].length.toLocaleString()} / ${max.toLocaleString()}`;
    out.toggleAttribute("data-over", over());
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape" && !document.querySelector(":popover-open, dialog[open]")) document.querySelector("#stop, form[data-behavior~=stop]")?.requestSubmit();
    if (event.key !== "Enter" || event.shiftKey || event.target !== field() || typesByTouch.matches) return;
    event.preventDefault();
    const button = document.querySelector("#send-button[form]:enabled");
    if (button && (field().value.trim() || images())) form().requestSubmit(button);
  });

  document.addEventListener("input", (event) => event.target === field() && count());
  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    if ((field().value.trim() || images()) && !over()) return void (sent = field().value);
    event.preventDefault();
    event.stopImmediatePropagation();
    if (over()) document.getElementById("composer-note").textContent = form().dataset.long;
    count();
  }, true);

  const settled = (event) => {
    const note = document.getElementById("composer-note");
    const { response, text } = event.detail.ctx ?? {};
    if (event.target.matches?.("[data-behavior~=act]")) note.textContent = response?.status < 400 ? "" : (response && text) || form().dataset.failed;
    if (event.target !== form()) return;
    if (event.detail.ctx.response?.status < 400) {
      const value = field().value; // what was typed while it was on its way stays
      form().reset();
      field().value = value.startsWith(sent) ? value.slice(sent.length).trimStart() : value;
      sent = "";
      note.textContent = "";
    } else if (!note.textContent) note.textContent = form().dataset.failed;
    count();
  };
  document.addEventListener("htmx:after:swap", settled);
  document.addEventListener("htmx:error", settled);

  addEventListener("pageshow", () => form() && count()); // a page that comes back may come with its text
})();
