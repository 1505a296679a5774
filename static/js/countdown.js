// Counts down to the next attempt at an answer, from when its seconds were first seen here: nobody's clock matters.
(() => {
  const due = new WeakMap();
  const two = (number) => String(number).padStart(2, "0");
  const clock = (s) => (s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}` : Math.floor(s / 60)) + `:${two(s % 60)}`;

  const look = () => {
    for (const element of document.querySelectorAll("[data-behavior~=countdown]")) {
      const { seconds, now } = element.dataset;
      if (due.get(element)?.seconds !== seconds) due.set(element, { seconds, at: performance.now() + seconds * 1000 });
      const left = Math.ceil((due.get(element).at - performance.now()) / 1000);
      const time = element.querySelector("span");
      if (left <= 0) element.textContent = now;
      else if (time) time.textContent = clock(left);
    }
  };
  document.addEventListener("htmx:after:swap", look);
  setInterval(look, 500);
  look();
})();
