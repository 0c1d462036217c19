"""How the page looks and the little that moves: one style sheet and one script, both inline."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --surface: #ffffff; --text: #1b1f24; --muted: #57606a; --line: #d8dee4; --faint: #eef1f4;
  --accent: #1f5fbf; --accent-rgb: 31 95 191; --warm-rgb: 190 80 20; --reference: #8a5a00; --ci: #7a9bd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1216; --surface: #171b21; --text: #e6e9ed; --muted: #9aa5b1; --line: #2d343d; --faint: #1f252c;
    --accent: #7fb0ff; --accent-rgb: 90 150 245; --warm-rgb: 225 120 60; --reference: #e0b050; --ci: #47679c;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--page); color: var(--text); overflow-wrap: break-word;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
}
.wrap { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: clamp(1.5rem, 4.5vw, 2.1rem); line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.015em; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .35rem; letter-spacing: -.01em; }
h3 { font-size: 1.05rem; margin: 0 0 .25rem; }
h4, h3.photo { font-size: .9rem; margin: 1rem 0 .4rem; color: var(--muted); font-weight: 600; }
p { margin: 0 0 .7rem; max-width: 48rem; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, button:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px;
}
code, pre {
  font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .86em;
}
.lead { color: var(--muted); margin-bottom: 1rem; }
.muted { color: var(--muted); }
.small { font-size: .86rem; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem; margin: 0 0 1.1rem; padding: 0; list-style: none; }
.facts li { background: var(--surface); border: 1px solid var(--line); border-radius: .6rem; padding: .4rem .8rem; }
.facts b { display: block; font-size: 1.12rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.facts span { color: var(--muted); font-size: .8rem; }
nav ul {
  display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; margin: 0 0 1.5rem; padding: 0; list-style: none;
  font-size: .92rem;
}
section {
  background: var(--surface); border: 1px solid var(--line); border-radius: .9rem;
  padding: 1.3rem 1.4rem; margin: 0 0 1.25rem;
}
.scroll { overflow-x: auto; margin: .6rem 0; -webkit-overflow-scrolling: touch; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .75rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; color: var(--muted); font-weight: 600; white-space: nowrap; }
th:first-child, td.text, th.text { text-align: left; }
tbody tr:last-child > * { border-bottom: 0; }
.figures tbody th, .heat tbody th {
  position: sticky; left: 0; background: var(--surface); z-index: 1; font-weight: 600;
}
.figures { min-width: 100%; border-collapse: separate; border-spacing: 0; }
th a { color: inherit; text-decoration-color: var(--line); }
.figures tbody tr:hover > * { background: var(--faint); }
tbody th { white-space: nowrap; max-width: 15rem; overflow: hidden; text-overflow: ellipsis; }
.interval { display: block; color: var(--muted); font-size: .76rem; white-space: nowrap; }
.wide td { min-width: 13rem; }
td.best { font-weight: 700; color: var(--accent); }
td.best .interval { font-weight: 400; }
tr.reference th, tr.reference td { font-style: italic; }
tr.reference th { color: var(--reference); }
th button {
  all: unset; box-sizing: border-box; cursor: pointer; border-radius: .2rem; color: inherit; font: inherit;
}
th button:hover { color: var(--text); text-decoration: underline; }
th[aria-sort="ascending"] button::after { content: " \\25B4"; }
th[aria-sort="descending"] button::after { content: " \\25BE"; }
.heat { border-collapse: separate; border-spacing: 2px; }
.heat td, .heat th { border: 0; }
.heat td, .heat thead th { text-align: center; width: 5.5rem; min-width: 4.2rem; }
.heat thead th { max-width: 8rem; overflow: hidden; text-overflow: ellipsis; }
.heat tbody td { background: rgb(var(--accent-rgb) / calc(var(--v) * .55)); border-radius: .25rem; }
.heat.dense td { width: 2.9rem; min-width: 2.6rem; padding: .32rem .2rem; font-size: .8rem; }
.heat.dense thead th { width: 2.9rem; min-width: 2.6rem; padding: .3rem .2rem; }
.heat.dense thead span {
  display: inline-block; writing-mode: vertical-rl; transform: rotate(180deg); max-height: 9rem; overflow: hidden;
  text-overflow: ellipsis;
}
.heat tbody td.negative { background: rgb(var(--warm-rgb) / calc(var(--v) * .55)); }
.charts {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr));
  gap: 1.1rem 1.5rem; margin-top: .8rem;
}
figure { margin: 0; min-width: 0; }
figcaption { font-size: .8rem; line-height: 1.35; color: var(--muted); overflow-wrap: anywhere; }
.charts figcaption { font-size: .92rem; color: var(--text); font-weight: 600; margin-bottom: .15rem; }
.charts figcaption span { color: var(--muted); font-weight: 400; font-size: .82rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font-size: 12px; font-family: inherit; }
svg .tick { fill: var(--muted); font-size: 11px; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .ci { stroke: var(--ci); stroke-width: 5; stroke-linecap: round; }
svg .dot { fill: var(--accent); }
svg .reference .dot { fill: var(--reference); }
svg .reference .ci { stroke: var(--reference); opacity: .45; }
svg .reference text { fill: var(--reference); font-style: italic; }
.examples {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr));
  gap: 0 1.5rem;
}
.examples figure { margin-bottom: .8rem; }
.examples h4 span { font-weight: 400; }
.triple { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .35rem; margin-bottom: .25rem; }
.wall {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(46%, 10.5rem), 1fr)); gap: .7rem;
  margin: .4rem 0 1.3rem;
}
img { display: block; width: 100%; height: auto; border-radius: .35rem; background: var(--faint); }
.model { border-top: 1px solid var(--line); padding-top: 1.1rem; margin-top: 1.3rem; }
.model:first-of-type { border-top: 0; padding-top: .2rem; margin-top: .6rem; }
dl {
  display: grid; grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr); gap: .3rem 1.1rem; margin: .6rem 0;
  font-size: .92rem;
}
dt { color: var(--muted); }
dd details { margin: 0; }
dd ul { margin: 0; padding-left: 1.1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: .4rem 0; font-size: .92rem; }
summary { cursor: pointer; color: var(--muted); }
pre {
  background: var(--faint); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem .9rem; margin: .5rem 0;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.command { position: relative; }
.copy {
  font: inherit; font-size: .82rem; color: var(--text); background: var(--surface); border: 1px solid var(--line);
  border-radius: .4rem; padding: .2rem .7rem; cursor: pointer;
}
.copy:hover { border-color: var(--accent); }
.warning { border-left: 4px solid var(--reference); padding: .1rem 0 .1rem .8rem; margin: .7rem 0; }
.warning ul { margin: 0; padding-left: 1.1rem; }
footer { color: var(--muted); font-size: .86rem; }
@media (max-width: 40rem) {
  .wrap { padding: 1.2rem .7rem 2.5rem; }
  section { padding: 1rem .9rem; border-radius: .7rem; }
  .facts li { padding: .3rem .6rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: .45rem; }
  tbody th { max-width: 9rem; }
  th, td { padding: .4rem .55rem; }
}
@media print {
  body { background: none; font-size: 10pt; }
  section { border: 0; padding: 0; }
  .copy, nav { display: none; }
  figure, tr { break-inside: avoid; }
}
"""

SCRIPT = """
"use strict";
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = button.closest("table"), body = table.tBodies[0];
    const column = head.cellIndex, before = head.getAttribute("aria-sort");
    const first = head.dataset.first || "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = before === first ? other : first;
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const key = row => row.cells[column].dataset.value;
    [...body.rows].sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
      const numeric = Number(x) - Number(y);
      return sign * (Number.isNaN(numeric) ? x.localeCompare(y) : numeric);
    }).forEach(row => body.appendChild(row));
  });
}
for (const button of document.querySelectorAll(".copy")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
    button.textContent = "Copied";
  });
}
"""
