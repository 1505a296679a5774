// Times are told in the reader's zone and way.
(() => {
  const tell = () => document.querySelectorAll("time[data-behavior~=when]").forEach((time) => {
    time.textContent = new Date(time.dateTime).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
    time.removeAttribute("data-behavior");
  });
  document.addEventListener("htmx:after:swap", tell);
  tell();
})();
