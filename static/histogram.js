// A range of time is dragged over the histogram. A bar is a link to its own time without this.

const LEAST = 5;
/** Pixels from an edge at which the edge is meant: one of them may stand for seconds. */
const EDGE = 4;

/** Follows a drag from `down` over `drawing`, and calls `done` with its two ends, from 0 to 1. */
function drag(drawing, down, done) {
  const box = drawing.getBoundingClientRect();
  const share = (event) => {
    if (event.clientX - box.left <= EDGE) return 0;
    if (box.right - event.clientX <= EDGE) return 1;
    return (event.clientX - box.left) / box.width;
  };
  const from = share(down);
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  mark.setAttribute("class", "dragged");
  mark.setAttribute("height", String(drawing.getAttribute("height") - 20));
  const stop = new AbortController();
  const ends = (event) => [Math.min(from, share(event)), Math.max(from, share(event))];
  window.addEventListener("pointermove", (event) => {
    if (Math.abs(event.clientX - down.clientX) < LEAST && !mark.isConnected) return;
    const [start, end] = ends(event);
    drawing.append(mark);
    mark.setAttribute("x", `${start * 100}%`);
    mark.setAttribute("width", `${(end - start) * 100}%`);
  }, { signal: stop.signal });
  const end = (event) => {
    stop.abort();
    if (!mark.isConnected) return;
    mark.remove();
    // The click that ends a drag leads nowhere.
    drawing.addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true });
    if (event.type === "pointerup") done(ends(event));
  };
  window.addEventListener("pointerup", end, { signal: stop.signal });
  window.addEventListener("pointercancel", end, { signal: stop.signal });
}

/** Gives the histogram of the page its behaviour; after it was read again, too. */
export function wireHistogram() {
  const survey = document.getElementById("survey");
  const drawing = survey?.querySelector(".drawing");
  if (!drawing) return;
  const [first, last] = [Number(drawing.dataset.from), Number(drawing.dataset.until)];
  const time = (share) => new Date(Math.round((first + share * (last - first)) / 1000) * 1000).toISOString().replace(".000Z", "Z");
  drawing.addEventListener("dragstart", (event) => event.preventDefault());
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    drag(drawing, event, ([from, to]) => {
      const [after, before] = [time(from), time(to)];
      if (after === before) return;
      const url = survey.dataset.range.replace("FROM", encodeURIComponent(after)).replace("UNTIL", encodeURIComponent(before));
      location.assign(url);
    });
  });
}

wireHistogram();
