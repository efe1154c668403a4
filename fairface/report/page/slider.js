"use strict";
// Moves the numbers of the group tables with the threshold. Nothing is computed here but rate = errors / comparisons and
// expected = people * rate: counts and interval ends come from the data block of the page.
(() => {
  const data = JSON.parse(document.getElementById("slider-data").textContent);
  const slider = document.getElementById("slider-threshold");
  const people = document.getElementById("slider-people");
  const told = document.getElementById("slider-told");
  const cells = [...document.querySelectorAll("td[data-row]")];

  // As the numbers of the tables are written: four digits, with a power of ten below 0.0001.
  function number(value) {
    if (value === null || Number.isNaN(value)) return "n/a";
    if (value === 0) return "0";
    if (Math.abs(value) >= 1e-4) return String(Number(value.toPrecision(4)));
    return value.toExponential(2).replace(/e-(\d)$/, "e-0$1");
  }

  // Whole numbers from 100 on, three digits below.
  function count(value) {
    if (value === null || Number.isNaN(value)) return "n/a";
    return value >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
  }

  function rate(sweep, place) {
    return sweep.n === 0 ? null : sweep.errors[place] / sweep.n;
  }

  function withInterval(sweep, place, write, times) {
    const value = rate(sweep, place), low = sweep.low[place], high = sweep.high[place];
    if (value === null) return "n/a";
    const interval = low === null || high === null ? "" : ` [${write(times * low)}, ${write(times * high)}]`;
    return write(times * value) + interval;
  }

  function show() {
    const place = Number(slider.value);
    const given = Number(people.value);
    const among = Number.isFinite(given) && given >= 0 && people.value !== "" ? given : data.people;
    for (const cell of cells) {
      const row = data.rows[Number(cell.dataset.row)];
      if (cell.dataset.shows === "expected") cell.textContent = withInterval(row.fmr, place, count, among);
      else cell.textContent = withInterval(row[cell.dataset.shows], place, number, 1);
    }
    for (const heading of document.querySelectorAll("[data-people]")) heading.textContent = among.toLocaleString("en-US");
    const threshold = number(data.thresholds[place]);
    const own = place === data.operating ? " (the evaluated threshold)" : "";
    told.textContent = `threshold ${threshold}${own}: FMR ${number(rate(data.rows[0].fmr, place))}, `
      + `FNMR ${number(rate(data.rows[0].fnmr, place))} (${data.rows[0].group})`;
    slider.setAttribute("aria-valuetext", `threshold ${threshold}`);
  }

  slider.addEventListener("input", show);
  people.addEventListener("input", show);
  document.getElementById("slider-back").addEventListener("click", () => { slider.value = String(data.operating); show(); });
  document.getElementById("slider").hidden = false;
  show();
})();
