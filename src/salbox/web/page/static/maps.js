// Maps as numbers: at a picture's size, as shares of attention, as what a picture of them shows.

import { resizeMap, resizeSmoothly } from "./resize.js";

// Return a map of a network at a size, as Python gives it: Float32Array; of a log density, exp of it sums to 1.
export function mapAt(map, width, height) {
  const values = resizeMap(map.values, map.columns, map.rows, width, height);
  if (map.output === "probability") return values.map((value) => Math.min(1, Math.max(0, value)));
  if (map.output !== "log_density") return values;
  const largest = maximum(values);
  let total = 0;
  for (const value of values) total += Math.exp(value - largest);
  const shift = largest + Math.log(total);
  return values.map((value) => value - shift);
}

// Return a map as a picture shows it, in 0..1; of a log density the density, a probability as it is.
export function shownAt(map, width, height) {
  if (map.output === "probability") return mapAt(map, width, height);
  if (map.output !== "log_density") return minMax(resizeMap(map.values, map.columns, map.rows, width, height));
  const values = resizeSmoothly(map.values, map.columns, map.rows, width, height);
  const largest = maximum(values);
  return minMax(values.map((value) => Math.exp(value - largest)));
}

// Return a map as shares of attention, which sum to 1. A score has no such meaning: its least salient pixel gets nothing.
// Of a probability they are shares of the object.
export function attentionAt(map, width, height) {
  const values = mapAt(map, width, height);
  const shares =
    map.output === "log_density" ? values.map(Math.exp) : map.output === "probability" ? values : minMax(values);
  let total = 0;
  for (const share of shares) total += share;
  return total > 0 ? shares.map((share) => share / total) : shares.fill(1 / shares.length);
}

// Return the share of attention in a rectangle, in pixels that may be parts of one.
export function shareWithin(attention, width, height, { x, y, width: across, height: down }) {
  const columns = overlaps(x, across, width);
  let total = 0;
  for (const [row, inRow] of overlaps(y, down, height)) {
    for (const [column, inColumn] of columns) total += attention[row * width + column] * inRow * inColumn;
  }
  return total;
}

function overlaps(start, length, size) {
  const found = [];
  const end = Math.min(size, start + length);
  for (let k = Math.max(0, Math.floor(start)); k < end; k++) found.push([k, Math.min(k + 1, end) - Math.max(k, start)]);
  return found;
}

export function minMax(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return values.map((value) => (high > low ? (value - low) / (high - low) : 0));
}

function maximum(values) {
  let found = -Infinity;
  for (const value of values) if (value > found) found = value;
  return found;
}
