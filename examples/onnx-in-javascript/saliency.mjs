// Where people look, in Node: a network that `salbox export` wrote, run by onnxruntime-web.
//
//     salbox export gaze -o gaze.onnx
//     npm install onnxruntime-web
//     node saliency.mjs gaze.onnx photo.ppm map.bin
//
// The photo is a binary PPM (P6, 8 bits), so that no decoder is needed; in a browser take the pixels of a canvas and
// leave out every fourth number. The map is written as float32, row by row.

import { readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [model, photo, output] = process.argv.slice(2);

// Where the package is, if it is not installed beside this file.
const place = process.env.ONNXRUNTIME_WEB;
const ort = await import(place ? pathToFileURL(`${place}/dist/ort.wasm.bundle.min.mjs`).href : "onnxruntime-web/wasm");
ort.env.wasm.numThreads = 1;
if (place) ort.env.wasm.wasmPaths = pathToFileURL(`${place}/dist/`).href;

const { pixels, width, height } = readPpm(await readFile(photo));
const session = await ort.InferenceSession.create(new Uint8Array(await readFile(model)));
const image = new ort.Tensor("uint8", pixels, [1, height, width, 3]);
const { maps } = await session.run({ image });

// Of several heads the first; each is height * width numbers. gaze gives logarithms of a density.
const map = maps.data.slice(0, height * width);
await writeFile(output, new Uint8Array(map.buffer, map.byteOffset, map.byteLength));
const peak = map.indexOf(map.reduce((most, value) => Math.max(most, value), -Infinity));
console.log(`people look most at x ${peak % width}, y ${Math.floor(peak / width)} of ${width} x ${height}`);

function readPpm(bytes) {
  const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 64).toString("latin1"));
  if (!head) throw new Error(`${photo}: expected a binary PPM of 8 bits`);
  const [width, height] = [Number(head[1]), Number(head[2])];
  return { pixels: new Uint8Array(bytes.subarray(head[0].length)), width, height };
}
