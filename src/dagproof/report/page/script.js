"use strict";
const said = document.getElementById("said");

for (const button of document.querySelectorAll("[data-copies]")) {
  const text = document.getElementById(button.dataset.copies);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = "Copied.";
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      said.textContent = "Selected; copy it with the keyboard.";
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

for (const diff of document.querySelectorAll("[data-diff]")) {
  const filter = diff.querySelector("[data-filter]");
  const kinds = [...diff.querySelectorAll("[data-kind]")];
  const count = diff.querySelector("[data-count]");
  const rows = [...diff.querySelectorAll("[data-row]")].map((element) => {
    const cells = [...element.querySelectorAll("th, td")].map((cell) => cell.textContent);
    const text = [element.closest("table").dataset.table ?? "", ...cells].join(" ").toLowerCase();
    return { element, text, kind: element.dataset.row };
  });
  const update = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const hidden = new Set(kinds.filter((box) => !box.checked).map((box) => box.dataset.kind));
    let shown = 0;
    for (const row of rows) {
      const fits = !hidden.has(row.kind) && words.every((word) => row.text.includes(word));
      row.element.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} listed rows shown`;
  };
  filter.addEventListener("input", update);
  for (const box of kinds) box.addEventListener("change", update);
  diff.querySelector(".tools").hidden = false;
  update();
}
