// Counts the seconds of a running answer, from the time in its id; a clock that is off counts from when it was seen.
(() => {
  const seen = new Map();

  setInterval(() => {
    for (const element of document.querySelectorAll("[data-behavior~=elapsed]")) {
      const id = element.dataset.since;
      if (!seen.has(id)) {
        const born = parseInt(id.replaceAll("-", "").slice(0, 12), 16);
        const age = Date.now() - born;
        seen.set(id, age > 0 && age < 3600000 ? born : Date.now());
      }
      const seconds = Math.round((Date.now() - seen.get(id)) / 1000);
      if (seconds > 0) element.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    }
  }, 1000);
})();
