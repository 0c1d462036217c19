// A sampled scanpath, drawn one look after the other by the rule of salbox.models.scanpaths: a density, changed by
// how far places lie from where one has looked before.

import { resizeMap, roundToEven } from "./resize.js";
import { element } from "./svg.js";

const LOOKS = 8;

// Return [[x, y], ...] in pixels, drawn from shares of attention with random numbers of a seed.
//
// `saccades` has the rule's numbers: the weight of the density, what distances of the last look, the one before and
// earlier ones add at nodes, and the longest side at which distances are weighed.
export function sampleScanpath(attention, width, height, seed, saccades) {
  const random = generator(seed);
  const looks = [];
  for (let n = 0; n < LOOKS; n++) {
    const place = drawn(nextShares(attention, width, height, looks, saccades), random());
    looks.push([(place % width) + 0.5, Math.floor(place / width) + 0.5]);
  }
  return looks;
}

// Return the shares of attention of the look that follows others, up to a factor: Float64Array.
export function nextShares(attention, width, height, looks, saccades) {
  const added = weights(width, height, looks, saccades);
  return Float64Array.from(attention, (share, k) => share ** saccades.density * Math.exp(added[k]));
}

// Return what the looks so far add to the log density; without one the middle counts as the last.
function weights(width, height, looks, saccades) {
  const longest = Math.max(width, height);
  const scale = Math.min(1, saccades.side / longest);
  const [columns, rows] = [width, height].map((side) => Math.max(1, roundToEven(side * scale)));
  const total = new Float32Array(columns * rows);
  const before = looks.length ? looks : [[width / 2, height / 2]];
  [...before].reverse().forEach(([left, top], back) => {
    const nodes = back === 0 ? saccades.lastNodes : saccades.earlierNodes;
    const values = [saccades.last, saccades.previous][back] ?? saccades.earlier;
    for (let k = 0; k < total.length; k++) {
      const x = (((k % columns) + 0.5) * width) / columns - left;
      const y = ((Math.floor(k / columns) + 0.5) * height) / rows - top;
      total[k] += between(Math.hypot(x, y) / longest, nodes, values);
    }
  });
  return resizeMap(total, columns, rows, width, height);
}

// Return what lies at a place between nodes, of whose last one and beyond it is 0.
function between(place, nodes, values) {
  const next = nodes.findIndex((node) => place < node);
  if (next < 0) return 0;
  const [low, high] = [values[next - 1], values[next] ?? 0];
  return low + ((high - low) * (place - nodes[next - 1])) / (nodes[next] - nodes[next - 1]);
}

function drawn(weights, share) {
  let total = 0;
  for (const weight of weights) total += weight;
  let rest = share * total;
  for (let k = 0; k < weights.length; k++) {
    rest -= weights[k];
    if (rest < 0) return k;
  }
  return weights.length - 1;
}

// Return a generator of numbers in 0..1: mulberry32, so that a seed gives one path.
function generator(seed) {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0; // seeds that follow each other begin alike otherwise
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Return a drawing of a scanpath, numbered.
export function scanpathShape(looks, width, height) {
  const unit = Math.max(width, height) / 300;
  const points = looks.map((look) => look.join(",")).join(" ");
  const lines = ["under", "over"].map((kind, k) =>
    element("polyline", { class: kind, points, "stroke-width": (2 - k) * 0.9 * unit }),
  );
  const circles = looks.flatMap(([x, y], n) => {
    const text = element("text", {
      x, y: y + 2.2 * unit, "text-anchor": "middle", "font-size": 6.5 * unit, "stroke-width": 0,
    });
    text.textContent = n + 1;
    return [element("circle", { class: "look", cx: x, cy: y, r: 5 * unit, "stroke-width": 0.7 * unit }), text];
  });
  return element("g", { class: "path" }, [...lines, ...circles]);
}
