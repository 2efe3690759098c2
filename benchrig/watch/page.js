"use strict";
(() => {
  const place = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  let known = 0;
  let lost = 0;

  const write = (id, text) => {
    const element = place(id);
    if (element.textContent !== text) element.textContent = text;
  };

  const draw = (rates) => {
    const most = Math.max(1, ...rates.filter((rate) => rate !== null));
    const pieces = [[]];
    // The newest value is at the right edge, which is now.
    const x = (at) => ((((at + 60 - rates.length) * 600) / 59).toFixed(1));
    const begins = [];
    rates.forEach((rate, at) => {
      if (rate === null) {
        pieces.push([]);
        return;
      }
      if (at > 0 && rates[at - 1] === null && pieces.some((points) => points.length > 0)) begins.push(x(at));
      pieces[pieces.length - 1].push(`${x(at)},${(78 - (rate / most) * 74).toFixed(1)}`);
    });
    const marks = begins.map((at) => {
      const mark = document.createElementNS(SVG, "line");
      Object.entries({ x1: at, x2: at, y1: 0, y2: 80 }).forEach(([name, value]) => mark.setAttribute(name, value));
      return mark;
    });
    const lines = pieces.filter((points) => points.length > 0).map((points) => {
      const line = document.createElementNS(SVG, "polyline");
      if (points.length === 1) points.push(points[0]);
      line.setAttribute("points", points.join(" "));
      return line;
    });
    place("course").replaceChildren(...marks, ...lines);
  };

  const list = (texts) => {
    const wanted = texts.join("\n");
    if (place("notices").dataset.texts === wanted) return;
    place("notices").dataset.texts = wanted;
    place("notices").replaceChildren(...texts.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }));
  };

  const add = (cell) => {
    const item = document.createElement("li");
    const text = document.createElement("span");
    text.textContent = cell.text;
    text.className = cell.style;
    item.append(text);
    [["warnings invalid", cell.invalid], ["warnings", cell.warnings]].filter(([, said]) => said).forEach(([kind, said]) => {
      const warnings = document.createElement("span");
      warnings.className = kind;
      warnings.textContent = said;
      item.append(warnings);
    });
    place("finished").prepend(item);
    known = cell.number;
  };

  const show = (view) => {
    write("heading", view.heading);
    document.title = view.ended ? `Ended: ${view.heading}` : `${view.now || "between two rows"}: ${view.heading}`;
    write("now", view.now || "Between two rows");
    write("rate", view.rate);
    write("left", view.left);
    write("course-text", view.course);
    place("course").setAttribute("aria-label", view.course || "No throughput is known yet.");
    write("most", view.most);
    place("seconds").hidden = !view.most;
    draw(view.rates);
    list(view.notices);
    view.finished.filter((cell) => cell.number > known).forEach(add);
    place("none").hidden = known > 0;
    if (view.report) {
      place("report").querySelector("code").textContent = view.report;
      place("report").hidden = false;
    }
    if (view.ended) end(`The bench has ended: ${view.ended}.`, view.failed);
  };

  const end = (text, failed) => {
    place("running").hidden = true;
    place("ended").hidden = false;
    place("ended").classList.toggle("failed", failed);
    write("ended", text);
  };

  const look = async () => {
    try {
      const answer = await fetch("state", { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      const view = await answer.json();
      lost = 0;
      show(view);
      if (view.ended) return;
    } catch {
      lost += 1;
      if (lost >= 5) {
        end("./inv watch has ended. What it showed last is below.", true);
        return;
      }
    }
    setTimeout(look, 1000);
  };

  look();
})();
