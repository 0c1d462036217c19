// Images and maps at other sizes, by OpenCV's rules: what Python does before and after a network.
//
// All are separable: a table per axis says of which places, and with which weights, an output is made.

const FIXED = 2048; // parts to which OpenCV rounds the weights of bilinear interpolation in 8-bit images

// The inverse of an inverse, as OpenCV has it: another last digit decides which place a border falls into.
function scaleOf(from, to) {
  return 1 / (to / from);
}

function areaTable(from, to) {
  const scale = scaleOf(from, to);
  return Array.from({ length: to }, (_, place) => {
    const first = place * scale;
    const last = first + scale;
    const cell = Math.min(scale, from - first);
    const high = Math.min(Math.floor(last), from - 1);
    const low = Math.min(Math.ceil(first), high);
    const taps = [];
    if (low - first > 1e-3) taps.push([low - 1, (low - first) / cell]);
    for (let k = low; k < high; k++) taps.push([k, 1 / cell]);
    if (last - high > 1e-3) taps.push([high, Math.min(last - high, 1, cell) / cell]);
    return taps;
  });
}

function linearTable(from, to) {
  const scale = scaleOf(from, to);
  return Array.from({ length: to }, (_, place) => {
    const position = (place + 0.5) * scale - 0.5;
    const low = Math.floor(position);
    return linearTaps(low, position - low, from);
  });
}

function linearTaps(low, share, from) {
  if (low < 0) return [[0, 1]];
  if (low >= from - 1) return [[from - 1, 1]];
  return share === 0 ? [[low, 1]] : [[low, 1 - share], [low + 1, share]];
}

function cubicTable(from, to) {
  const A = -0.75; // OpenCV's
  const near = (x) => ((A + 2) * x - (A + 3)) * x * x + 1;
  const far = (x) => ((A * x - 5 * A) * x + 8 * A) * x - 4 * A;
  const scale = scaleOf(from, to);
  return Array.from({ length: to }, (_, place) => {
    const position = (place + 0.5) * scale - 0.5;
    const low = Math.floor(position);
    const x = position - low;
    const weights = [far(x + 1), near(x), near(1 - x)];
    weights.push(1 - weights[0] - weights[1] - weights[2]);
    return weights.map((weight, k) => [Math.min(Math.max(low - 1 + k, 0), from - 1), weight]);
  });
}

// Return a table as flat arrays, of which loops are fast: output k takes the taps from starts[k] to starts[k + 1].
function flat(table) {
  const starts = new Int32Array(table.length + 1);
  table.forEach((taps, k) => (starts[k + 1] = starts[k] + taps.length));
  const taps = table.flat();
  return {
    length: table.length,
    starts,
    places: Int32Array.from(taps, (tap) => tap[0]),
    weights: Float32Array.from(taps, (tap) => tap[1]),
  };
}

// Return channels that lie side by side at another size: Float32Array of rows.length x columns.length x channels.
function resample(source, width, channels, stride, rowTable, columnTable) {
  const height = source.length / (width * stride);
  const [rows, columns] = [flat(rowTable), flat(columnTable)];
  const length = columns.length * channels;
  const between = new Float32Array(height * length);
  let out = 0;
  for (let y = 0; y < height; y++) {
    const line = y * width * stride;
    for (let x = 0; x < columns.length; x++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let k = columns.starts[x]; k < columns.starts[x + 1]; k++) {
          sum += source[line + columns.places[k] * stride + c] * columns.weights[k];
        }
        between[out++] = sum;
      }
    }
  }
  const found = new Float32Array(rows.length * length);
  for (let y = 0; y < rows.length; y++) {
    for (let k = rows.starts[y]; k < rows.starts[y + 1]; k++) {
      const [line, weight, target] = [rows.places[k] * length, rows.weights[k], y * length];
      for (let x = 0; x < length; x++) found[target + x] += between[line + x] * weight;
    }
  }
  return found;
}

// Return an image, RGBA as a canvas gives it, at another size: RGB, Uint8Array of height x width x 3.
// INTER_AREA if a side shrinks, INTER_CUBIC if none does.
export function resizeImage(rgba, width, height, toWidth, toHeight) {
  const found = new Uint8Array(toHeight * toWidth * 3);
  if (width === toWidth && height === toHeight) {
    for (let i = 0, k = 0; i < rgba.length; i += 4) {
      found[k++] = rgba[i];
      found[k++] = rgba[i + 1];
      found[k++] = rgba[i + 2];
    }
    return found;
  }
  const isSmaller = toWidth <= width && toHeight <= height;
  if (!isSmaller && (toWidth < width || toHeight < height)) return areaEnlarging(rgba, width, height, toWidth, toHeight);
  const table = isSmaller ? areaTable : cubicTable;
  const values = resample(rgba, width, 3, 4, table(height, toHeight), table(width, toWidth));
  const isHalf = width === 2 * toWidth && height === 2 * toHeight; // where OpenCV rounds halves up, elsewhere to even
  const round = isHalf ? Math.round : roundToEven;
  for (let k = 0; k < found.length; k++) found[k] = Math.min(255, Math.max(0, round(values[k])));
  return found;
}

// Return a number rounded as Python does it, a half to the even one.
export function roundToEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

// INTER_AREA where one side does not shrink: bilinear, but for where it samples, in whole numbers, rounded as OpenCV does.
function areaEnlarging(rgba, width, height, toWidth, toHeight) {
  const found = new Uint8Array(toHeight * toWidth * 3);
  const columns = enlargingPlaces(width, toWidth);
  enlargingPlaces(height, toHeight).forEach(([upper, lower, upperWeight, lowerWeight], y) => {
    columns.forEach(([left, right, leftWeight, rightWeight], x) => {
      for (let c = 0; c < 3; c++) {
        const across = (row) =>
          (rgba[4 * (row * width + left) + c] * leftWeight + rgba[4 * (row * width + right) + c] * rightWeight) >> 4;
        const sum = ((upperWeight * across(upper)) >> 16) + ((lowerWeight * across(lower)) >> 16);
        found[3 * (y * toWidth + x) + c] = (sum + 2) >> 2;
      }
    });
  });
  return found;
}

// Return [place, next place, weight, next weight] for each place of a longer or shorter side.
function enlargingPlaces(from, to) {
  const enlargement = to / from;
  return Array.from({ length: to }, (_, place) => {
    const low = Math.min(Math.floor(place * scaleOf(from, to)), from - 1);
    const past = Math.max(0, place + 1 - (low + 1) * enlargement);
    const weight = Math.round((past - Math.floor(past)) * FIXED);
    return [low, Math.min(low + 1, from - 1), FIXED - weight, weight];
  });
}

// Return a map at another size by INTER_LINEAR: Float32Array of height x width.
export function resizeMap(values, width, height, toWidth, toHeight) {
  if (width === toWidth && height === toHeight) return values;
  return resample(values, width, 1, 1, linearTable(height, toHeight), linearTable(width, toWidth));
}

// Return a map at another size without kinks between its cells, for pictures: Float32Array of height x width.
export function resizeSmoothly(values, width, height, toWidth, toHeight) {
  return resample(values, width, 1, 1, cubicTable(height, toHeight), cubicTable(width, toWidth));
}
