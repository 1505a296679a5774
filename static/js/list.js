// The list beside the room can be put away; this browser remembers. (On a narrow page it is a popover and needs no script.)
(() => {
  const house = document.querySelector("[data-behavior~=house]");
  const wide = matchMedia("(width >= 60rem)");
  if (!house) return;
  if (localStorage.getItem("list") === "closed") house.dataset.list = "closed";

  const toggle = () => {
    if (!wide.matches) return document.getElementById("list").togglePopover();
    const closed = house.dataset.list !== "closed";
    house.dataset.list = closed ? "closed" : "open";
    localStorage.setItem("list", house.dataset.list);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-behavior~=list]");
    if (!button) return;
    toggle();
    [...document.querySelectorAll("[data-behavior~=list]")].find((other) => other !== button && other.checkVisibility())?.focus();
  });
  document.addEventListener("parlor:list", toggle);
})();
