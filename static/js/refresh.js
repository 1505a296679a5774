// A part of a page that asks for itself again and again leaves out a turn while nobody looks, and while somebody is about
// to press something in it: nothing moves under a finger.
(() => {
  const busy = ({ target }) => target.matches?.("[data-behavior~=refresh]") && (document.hidden || target.querySelector("form:is(:hover, :focus-within)"));
  for (const moment of ["htmx:before:request", "htmx:before:swap"]) {
    document.addEventListener(moment, (event) => busy(event) && event.preventDefault());
  }
})();
