"use strict";
(() => {
  const words = document.getElementById("words").dataset;
  const table = document.querySelector("table.rows");
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const suite = [...body.rows];
  const filters = document.querySelector(".filters");

  // Sorting: a number where a cell has one; what has no value is always last; the third step is the order of the suite.
  const order = { column: -1, down: false };

  const collator = new Intl.Collator(undefined, { numeric: true });

  function value(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    // A badge stands before a value, and a panel behind the warnings.
    const shown = cell.querySelector(".more") ?? cell.lastChild ?? cell;
    const text = shown.textContent.trim();
    if (text === "–" || text === "" || cell.querySelector(".bare")) return null;
    const number = Number(text.replaceAll(",", ""));
    return Number.isNaN(number) ? text : number;
  }

  function compare(a, b) {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const numbers = typeof a === "number" && typeof b === "number";
    const found = numbers ? a - b : collator.compare(a, b);
    return order.down ? -found : found;
  }

  function sort() {
    const keyed = suite.map((row) => [order.column < 0 ? null : value(row, order.column), row]);
    keyed.sort((one, other) => compare(one[0], other[0]));
    body.replaceChildren(...keyed.map(([, row]) => row));
    headings.forEach((heading, column) => {
      if (column === order.column) heading.setAttribute("aria-sort", order.down ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
    choice.value = order.column < 0 ? "" : `${order.column}${order.down ? "-" : ""}`;
  }

  function step(column) {
    if (order.column !== column) Object.assign(order, { column, down: false });
    else if (!order.down) order.down = true;
    else order.column = -1;
    sort();
  }

  const choice = document.getElementById("order");
  choice.append(new Option(words.suite, ""));
  headings.forEach((heading, column) => {
    const name = heading.textContent.trim().replace(/\s+/g, " ");
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => step(column));
    heading.append(button);
    choice.append(new Option(`${name} ↑`, `${column}`), new Option(`${name} ↓`, `${column}-`));
  });
  choice.addEventListener("change", () => {
    const down = choice.value.endsWith("-");
    Object.assign(order, { column: choice.value === "" ? -1 : parseInt(choice.value, 10), down });
    sort();
  });

  // Filtering: each word that was typed must be in a text of the row, in its name, system, route, host or warnings.
  const texts = new Map();
  const filter = document.getElementById("filter");
  const valid = document.getElementById("valid");
  const count = document.getElementById("count");

  function text(row) {
    if (!texts.has(row)) {
      const parts = [...row.querySelectorAll("th, .word:not(.last), .more, .why, .reasons")];
      texts.set(row, parts.map((part) => part.textContent).join(" ").toLowerCase());
    }
    return texts.get(row);
  }

  function select() {
    const wanted = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of suite) {
      row.hidden = (valid.checked && row.className !== "") || !wanted.every((word) => text(row).includes(word));
      if (!row.hidden) shown += 1;
    }
    const said = words.shown.replace("%1", shown).replace("%2", suite.length);
    count.textContent = shown ? said : `${said}: ${words.none}`;
  }

  filter.addEventListener("input", select);
  valid.addEventListener("change", select);
  filters.hidden = false;
  // A browser may keep what was typed when the page is loaded again.
  select();

  // Copying: a page that was opened from a disk may not use the clipboard; then the text is selected.
  function selectText(of) {
    const range = document.createRange();
    range.selectNodeContents(of);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  for (const button of document.querySelectorAll("button.copy")) button.hidden = false;
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button.copy");
    if (!button) return;
    const from = button.parentElement.querySelector("pre");
    const name = button.textContent;
    try {
      await navigator.clipboard.writeText(from.textContent);
      button.textContent = words.copied;
    } catch {
      selectText(from);
      button.textContent = words.selected;
    }
    setTimeout(() => { button.textContent = name; }, 3000);
  });

  // A count of claims unfolds what it leads to.
  for (const count of document.querySelectorAll("a.verdict")) {
    count.addEventListener("click", () => { document.querySelector(count.hash).open = true; });
  }

  // The reasons behind a badge, shown while it has the focus or the pointer is on it or on them.
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.setAttribute("popover", "manual");
  if (!tip.showPopover) return;
  document.body.append(tip);
  let told = null;

  function hide() {
    if (!told) return;
    told.removeAttribute("aria-describedby");
    told = null;
    tip.hidePopover();
  }

  function tell(badge) {
    if (badge === told) return;
    hide();
    const panel = document.getElementById(badge.getAttribute("popovertarget"));
    if (panel.matches(":popover-open")) return;
    const numbers = badge.lastChild.textContent.match(/\d+/g);
    const reasons = [...panel.querySelectorAll("li[data-n]")].filter((one) => numbers.includes(one.dataset.n));
    tip.replaceChildren(...reasons.map((one) => Object.assign(document.createElement("p"), { textContent: one.textContent })));
    told = badge;
    badge.setAttribute("aria-describedby", "tip");
    tip.showPopover();
    put(badge);
  }

  function put(badge) {
    const place = badge.getBoundingClientRect();
    const below = place.bottom + 6;
    const top = below + tip.offsetHeight < innerHeight ? below : Math.max(4, place.top - 6 - tip.offsetHeight);
    tip.style.top = `${top}px`;
    tip.style.left = `${Math.max(4, Math.min(place.left, innerWidth - tip.offsetWidth - 4))}px`;
  }

  const badgeOf = (event) => event.target.closest?.("button.b");
  let leaving = 0;
  document.addEventListener("pointerover", (event) => {
    clearTimeout(leaving);
    const badge = badgeOf(event);
    if (badge) tell(badge);
    else if (told && !tip.contains(event.target)) leaving = setTimeout(hide, 200);
  });
  // When a panel closes, its badge gets the focus back: its reasons have just been read.
  let closing = false;
  document.addEventListener("beforetoggle", (event) => {
    closing = event.newState === "closed" && event.target !== tip;
    setTimeout(() => { closing = false; });
  }, true);
  document.addEventListener("focusin", (event) => {
    if (badgeOf(event) && !closing) tell(badgeOf(event));
    else hide();
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("click", hide);
  // A badge that gets the focus is scrolled into view, and keeps its reasons.
  document.addEventListener("scroll", () => { if (told && told === document.activeElement) put(told); else hide(); }, true);
  document.addEventListener("keydown", (event) => { if (event.key !== "Escape") return;
    if (told) hide();
    else document.querySelector("details.columns").open = false;
  });
})();
