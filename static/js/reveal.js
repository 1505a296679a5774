// Shows a password, and hides it again before it is sent.
(() => {
  const show = (button, shown) => {
    document.getElementById(button.getAttribute("aria-controls")).type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", shown);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-behavior~=reveal]");
    if (button) show(button, button.getAttribute("aria-pressed") !== "true");
  });
  document.addEventListener("submit", () => document.querySelectorAll("[data-behavior~=reveal]").forEach((button) => show(button, false)));
})();
