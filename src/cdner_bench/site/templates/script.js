"use strict";
// Sorts tables, chooses rows and hides columns. Without it every page is complete; what it adds, it makes itself.
const make = (tag, text = "", values = {}) => Object.assign(document.createElement(tag), { textContent: text }, values);

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b, "en", { numeric: true });
}

function read(cell) {
  return "value" in cell.dataset ? Number(cell.dataset.value) : cell.textContent.trim();
}

for (const table of document.querySelectorAll("table.data")) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 2) continue;
  const tools = make("div", "", { className: "tools" });
  const said = make("p");
  said.setAttribute("role", "status");

  heads.forEach((head, n) => {
    const button = make("button", head.textContent, { type: "button" });
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const empty = (value) => value === "" || value === "–";
      const keyed = rows.map((row) => [read(row.cells[n]), row]);
      keyed.sort(([a], [b]) => empty(a) - empty(b) || (up ? compare(a, b) : compare(b, a)));
      table.tBodies[0].append(...keyed.map(([, row]) => row));
    });
    head.replaceChildren(button);
  });

  const selects = [];
  heads.forEach((head, n) => {
    if (!("filter" in head.dataset)) return;
    const values = [...new Set(rows.map((row) => row.cells[n].textContent.trim()))].sort();
    if (values.length < 2) return;
    const select = make("select");
    select.append(make("option", "all", { value: "" }), ...values.map((value) => make("option", value)));
    select.firstChild.dataset.all = "";
    const label = make("label", head.textContent);
    label.append(select);
    tools.append(label);
    selects.push([n, select]);
    select.addEventListener("change", () => {
      let shown = 0;
      for (const row of rows) {
        row.hidden = selects.some(
          ([m, other]) => other.selectedIndex > 0 && row.cells[m].textContent.trim() !== other.value);
        shown += !row.hidden;
      }
      said.textContent = `${shown} of ${rows.length} rows`;
    });
  });

  const columns = make("details");
  const boxes = make("fieldset");
  boxes.append(make("legend", "Columns to show"));
  heads.forEach((head, n) => {
    const box = make("input", "", { type: "checkbox", checked: true });
    const label = make("label");
    label.append(box, head.textContent);
    boxes.append(label);
    box.addEventListener("change", () => {
      for (const row of [table.tHead.rows[0], ...rows]) row.cells[n].hidden = !box.checked;
    });
  });
  columns.append(make("summary", "Columns"), boxes);
  if (heads.length > 3) tools.append(columns);
  tools.append(said);
  if (tools.children.length > 1) table.closest(".wide").before(tools);
}
