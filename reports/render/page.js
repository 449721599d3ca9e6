"use strict";
// Tables sort by their heads, long ones filter by words, cases filter by category and words. Without this script all of
// it is there, unsorted and unfiltered.
const LONG = 20;

const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

// A box that shows those of `items` that hold every word typed, and say so.
const search = (items, noun, label, also = () => true) => {
  const box = make("input", { type: "search", placeholder: label, autocomplete: "off" });
  box.setAttribute("aria-label", label);
  const shown = make("output");
  const texts = items.map((item) => item.textContent.toLowerCase());
  const apply = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    items.forEach((item, i) => {
      item.hidden = !(also(item) && words.every((word) => texts[i].includes(word)));
      count += !item.hidden;
    });
    shown.textContent = `${count === items.length ? count : `${count} of ${items.length}`} ${noun}`;
  };
  box.addEventListener("input", apply);
  apply();
  return { box, shown, apply };
};

for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (!table.tHead || body.rows.length < 3) continue;
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.v ? Number(cell.dataset.v) : NaN;
    return Number.isNaN(number) ? cell.textContent.trim() : number;
  };
  // Numbers before words, so that gaps stay at the end either way.
  const compare = (a, b, way) => {
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return way * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  };
  const sort = (column) => {
    const way = heads[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
    body.append(...[...body.rows].sort((a, b) => compare(key(a, column), key(b, column), way)));
  };
  heads.forEach((head, column) => {
    head.classList.add("sorts");
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(column));
    head.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      sort(column);
    });
  });
  if (body.rows.length < LONG) continue;
  const { box, shown } = search([...body.rows], "rows", "Filter rows");
  const controls = make("div", { className: "controls" });
  controls.append(box, shown);
  table.parentElement.before(controls);
}

for (const block of document.querySelectorAll(".cases")) {
  const items = [...block.querySelectorAll(".case")];
  const tags = items.map((item) => item.dataset.tags.split("|"));
  const chosen = [];
  const fits = (item) => chosen.every((tag, place) => !tag || tags[items.indexOf(item)][place] === tag);
  const { box, shown, apply } = search(items, "problems", "Search problems and answers", fits);
  const controls = make("div", { className: "controls" });
  for (const place of [0, 1]) {
    const counts = new Map();
    for (const of of tags) if (of[place]) counts.set(of[place], (counts.get(of[place]) ?? 0) + 1);
    if (counts.size < 2) continue;
    const group = make("span", { className: "group", role: "group" });
    group.setAttribute("aria-label", place ? "Kind" : "Category");
    for (const [tag, count] of counts) {
      const button = make("button", { type: "button", textContent: `${tag} ${count}` });
      button.dataset.tag = tag;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => {
        chosen[place] = chosen[place] === tag ? "" : tag;
        for (const other of group.children) other.setAttribute("aria-pressed", String(other.dataset.tag === chosen[place]));
        apply();
      });
      group.append(button);
    }
    controls.append(group);
  }
  controls.append(box, shown);
  items[0].before(controls);
}

// The section being read is marked among the links.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const visible = new Set();
const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) visible[isIntersecting ? "add" : "delete"](target.id);
  const current = [...links.keys()].find((id) => visible.has(id));
  for (const [id, link] of links) {
    if (id === current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}, { rootMargin: "-60px 0px -50% 0px" });
for (const id of links.keys()) observer.observe(document.getElementById(id));
