// Times are told in the reader's zone and way; and the server is told that zone, which sorts the list by days.
(() => {
  const zone = `zone=${-new Date().getTimezoneOffset()}`;
  if (!document.cookie.split("; ").includes(zone)) document.cookie = `${zone}; path=/; max-age=31536000; samesite=lax`;

  const tell = () => document.querySelectorAll("time[data-behavior~=when]").forEach((time) => {
    const timeStyle = time.matches("[data-behavior~=day]") ? undefined : "short";
    time.textContent = new Date(time.dateTime).toLocaleString(document.documentElement.lang, { dateStyle: "long", timeStyle });
    time.removeAttribute("data-behavior");
  });
  document.addEventListener("htmx:after:swap", tell);
  tell();
})();
