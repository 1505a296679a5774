// Images for a message, from whoever found some (pick.js): each is taken by the server at once and then stands in the
// composer (chips.js).
(() => {
  const room = () => document.getElementById("composer-files");
  const link = () => document.querySelector("a[data-behavior~=attach]");
  const note = (words) => (document.getElementById("composer-note").textContent = words);
  const settle = (failed = "") => document.dispatchEvent(new CustomEvent("parlor:chips", { detail: failed }));

  const take = (file) => {
    const chip = Object.assign(document.createElement("p"), { className: "chip chip--coming" });
    const progress = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name });
    const name = Object.assign(document.createElement("span"), { className: "chip__name", textContent: file.name });
    chip.append(progress, name);
    room().append(chip);
    settle();
    const [request, body] = [new XMLHttpRequest(), new FormData()]; // fetch tells no progress
    request.upload.onprogress = ({ loaded, total }) => (progress.value = loaded / total);
    request.onloadend = () => {
      const taken = request.status >= 200 && request.status < 300;
      if (taken) chip.outerHTML = request.responseText;
      else chip.remove();
      settle(taken ? "" : (request.status && request.responseText) || link().dataset.failed);
    };
    request.open("POST", "/files");
    request.setRequestHeader("HX-Request", "true");
    body.set("file", file);
    request.send(body);
  };

  document.addEventListener("parlor:files", ({ detail }) => {
    const { types, none, large, max } = link().dataset;
    note("");
    for (const file of detail) {
      if (!types.split(",").includes(file.type)) note(none);
      else if (file.size > max * 1048576) note(large);
      else take(file);
    }
  });
})();
