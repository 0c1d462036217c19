// Runs the networks, off the page's own thread.

import { resizeImage } from "./resize.js";
import { workingSize } from "./sizes.js";
import * as ort from "./ort.wasm.min.mjs";

const MOST_THREADS = 4; // more share too little work in networks this small

ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
// Threads share memory, which browsers allow on pages that are isolated from others.
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;

let networks;

async function open() {
  const page = await (await fetch("./page.json")).json();
  const opened = [];
  for (const network of page.networks) {
    const content = new Uint8Array(await (await fetch(`./${network.file}`)).arrayBuffer());
    const session = await ort.InferenceSession.create(content, { executionProviders: ["wasm"] });
    opened.push({ ...network, session });
    // The first run of a network sets up what the others find.
    await run(opened.at(-1), new Uint8Array(network.preprocessing.height * network.preprocessing.width * 3), [
      network.preprocessing.height,
      network.preprocessing.width,
    ]);
  }
  return opened;
}

async function run(network, pixels, [rows, columns]) {
  const tensor = new ort.Tensor("uint8", pixels, [1, rows, columns, 3]);
  const { maps } = await network.session.run({ image: tensor });
  const [, , height, width] = maps.dims;
  return network.heads.map((head, k) => ({
    name: head,
    output: network.output,
    rows: height,
    columns: width,
    values: maps.data.slice(k * height * width, (k + 1) * height * width),
  }));
}

async function answer({ id, pixels, width, height }) {
  const rgba = new Uint8ClampedArray(pixels);
  for (const [k, network] of (await networks).entries()) {
    const size = workingSize(network.preprocessing, height, width);
    const prepared = resizeImage(rgba, width, height, size[1], size[0]);
    const maps = await run(network, prepared, size);
    if (maps.some((map) => !map.values.every(Number.isFinite))) throw new Error("a network gave no numbers");
    postMessage({ kind: "maps", id, maps, isLast: k === (await networks).length - 1 });
  }
}

networks = open();
networks.then(
  () => postMessage({ kind: "ready", threads: ort.env.wasm.numThreads }),
  (error) => postMessage({ kind: "failed", message: String(error.message ?? error) }),
);

// One picture after the other: a session runs one at a time.
let waiting = Promise.resolve();
addEventListener("message", ({ data }) => {
  waiting = waiting
    .then(() => answer(data))
    .catch((error) => postMessage({ kind: "failed", id: data.id, message: String(error.message ?? error) }));
});
