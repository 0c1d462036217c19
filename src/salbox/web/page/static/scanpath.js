// A sampled scanpath: places drawn from a density one after the other, each less likely where one has looked before.

import { element } from "./svg.js";

const LOOKS = 8;
const INHIBITION = 0.08; // standard deviation of where one has just looked, as a share of the longer side

// Return [[x, y], ...] in pixels, drawn from shares of attention with random numbers of a seed.
export function sampleScanpath(attention, width, height, seed) {
  const random = generator(seed);
  const left = Float64Array.from(attention);
  const sigma = INHIBITION * Math.max(width, height);
  const looks = [];
  for (let n = 0; n < LOOKS; n++) {
    const place = drawn(left, random());
    const [x, y] = [place % width, Math.floor(place / width)];
    looks.push([x + 0.5, y + 0.5]);
    for (let k = 0; k < left.length; k++) {
      const distance = (((k % width) - x) ** 2 + (Math.floor(k / width) - y) ** 2) / (2 * sigma * sigma);
      if (distance < 20) left[k] *= 1 - Math.exp(-distance);
    }
  }
  return looks;
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
