// An answer read by the browser's voice, block by block (long utterances are cut off by some browsers); pressed again, it
// stops.
(() => {
  const voice = window.speechSynthesis;
  const label = () => document.querySelectorAll("[data-behavior~=aloud]").forEach((button) => {
    button.hidden = !voice || !document.getElementById(`t-${button.dataset.of}`);
    button.querySelector("span").textContent = button.dataset[voice?.speaking ? "stop" : "read"];
  });

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-behavior~=aloud]");
    if (!button || !voice) return;
    const reading = voice.speaking;
    voice.cancel();
    if (!reading) {
      const prose = document.getElementById(`t-${button.dataset.of}`);
      const blocks = [...prose.children].map((block) => block.innerText.trim()).filter(Boolean);
      blocks.forEach((text) => voice.speak(new SpeechSynthesisUtterance(text)));
    }
    button.closest("[popover]")?.hidePopover();
  });

  document.addEventListener("htmx:after:swap", label);
  label();
  addEventListener("pagehide", () => voice?.cancel());
})();
