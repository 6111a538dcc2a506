// Durations as people write them: "500 ms", "1 s", "5 m", "1 h", "30 d".

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1000], ["ms", 1]];
const MS = new Map(UNITS);

/** Milliseconds in the largest unit that needs one decimal place at most. */
export function spoken(ms) {
  const [unit, size] = UNITS.find(([, of]) => ms >= of && Number.isInteger((ms / of) * 10)) ?? ["ms", 1];
  return `${ms / size} ${unit}`;
}

/** The milliseconds of what was typed; a number alone is seconds. Nothing where it is no duration. */
export function typedMs(typed) {
  const [, number, unit = "s"] = typed.trim().match(/^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?$/) ?? [];
  return number === undefined ? undefined : Math.round(Number(number) * MS.get(unit === "min" ? "m" : unit) * 1000) / 1000;
}

/** A duration of the JSON, which is a text or a number of `unit`, as it is shown. */
export function shownDuration(value, unit) {
  if (typeof value === "string") {
    const ms = typedMs(value);
    return ms === undefined ? value : spoken(ms);
  }
  return typeof value === "number" ? spoken(value * MS.get(unit)) : "";
}

/** The JSON of a typed duration as a number of `unit`; what is no duration stays the text that it is. */
export function durationJson(typed, unit) {
  const ms = typedMs(typed);
  return ms === undefined ? JSON.stringify(typed.trim()) : String(ms / MS.get(unit));
}
