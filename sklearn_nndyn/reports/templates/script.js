"use strict";
const said = document.getElementById("said");

function key(row, at) {
  const cell = row.cells[at];
  if ("value" in cell.dataset) return Number(cell.dataset.value);
  return cell.textContent === "–" ? null : cell.textContent;
}

function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

function sort(table, at, head) {
  const descending = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => [key(row, at), row]);
  const known = rows.filter(([value]) => value !== null).sort(([a], [b]) => (descending ? -1 : 1) * compare(a, b));
  for (const [, row] of [...known, ...rows.filter(([value]) => value === null)]) body.append(row);
  said.textContent = `Sorted by ${head.innerText.trim()}, ${head.getAttribute("aria-sort")}`;
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  Array.from(table.tHead.rows[0].cells).forEach((head, at) => {
    if (head.textContent === "Picture") return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(table, at, head));
    head.replaceChildren(button);
  });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function copyButton(words, textOf) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = words;
  button.addEventListener("click", async () => {
    said.textContent = (await copy(textOf())) ? "Copied" : "Not copied: the browser does not allow it";
    button.textContent = said.textContent;
    setTimeout(() => { button.textContent = words; }, 2000);
  });
  return button;
}

for (const table of document.querySelectorAll("table[data-copies]")) {
  const ids = () => Array.from(table.tBodies[0].rows, (row) => row.cells[Number(table.dataset.copies)].textContent);
  table.parentElement.before(copyButton("Copy the ids, in this order", () => ids().join("\n")));
}
for (const lines of document.querySelectorAll("pre")) lines.after(copyButton("Copy", () => lines.textContent));
