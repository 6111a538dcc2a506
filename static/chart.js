// One cursor over all charts of a page, with what each says at that time. Charts are drawn without it.
const SVG = "http://www.w3.org/2000/svg";

/** The charts of a page with their points: time in milliseconds and words, the earliest first. */
function chartsOf(root) {
  return [...root.querySelectorAll(".drawing[data-points]")].map((drawing) => {
    const line = document.createElementNS(SVG, "line");
    line.setAttribute("class", "cursor");
    line.setAttribute("y1", "0");
    line.setAttribute("y2", String(drawing.getAttribute("height") - 20));
    line.setAttribute("visibility", "hidden");
    drawing.append(line);
    const output = drawing.closest("figure").querySelector(".read-out");
    return { drawing, line, output, before: output?.textContent ?? "", from: Number(drawing.dataset.from),
      until: Number(drawing.dataset.until), points: JSON.parse(drawing.dataset.points) };
  });
}

/** The place of the point that is nearest to a time. */
function nearest(points, time) {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (points[middle][0] < time) low = middle + 1; else high = middle;
  }
  return low > 0 && time - points[low - 1][0] < points[low][0] - time ? low - 1 : low;
}

const clock = (time, span) => new Date(time).toISOString().slice(span > 172_800_000 ? 5 : 11, 19).replace("T", " ");

function show(charts, time) {
  for (const { drawing, line, output, before, from, until, points } of charts) {
    const isIn = time !== null && points.length > 0 && until > from;
    line.setAttribute("visibility", isIn ? "visible" : "hidden");
    if (output) output.textContent = before;
    if (!isIn) continue;
    const [at, words] = points[nearest(points, time)];
    const x = `${((at - from) / (until - from)) * 100}%`;
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    // A bar says its own time.
    if (output) output.textContent = drawing.id ? words : `${clock(at, until - from)} · ${words}`;
  }
}

/** Moves the cursor with the pointer, and with the arrow keys over the first chart. */
export function wireCharts(root) {
  const charts = chartsOf(root);
  if (charts.length === 0) return;
  const timeAt = ({ drawing, from, until }, clientX) => {
    const box = drawing.getBoundingClientRect();
    return from + ((clientX - box.left) / box.width) * (until - from);
  };
  for (const chart of charts) {
    chart.drawing.addEventListener("pointermove", (event) => show(charts, timeAt(chart, event.clientX)));
    chart.drawing.addEventListener("pointerleave", () => show(charts, null));
  }
  const [first] = charts;
  const plot = first.drawing.parentElement;
  plot.tabIndex = 0;
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", "Chart. The arrow keys move a cursor.");
  first.output?.setAttribute("aria-live", "polite");
  let place = first.points.length - 1;
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || first.points.length === 0) return;
    event.preventDefault();
    place = Math.min(Math.max(place + step, 0), first.points.length - 1);
    show(charts, first.points[place][0]);
  });
  plot.addEventListener("blur", () => show(charts, null));
}

wireCharts(document);
