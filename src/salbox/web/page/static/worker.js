// Runs the networks, off the page's own thread: some from the start, others when the page brings them.

import { resizeImage } from "./resize.js";
import { workingSize } from "./sizes.js";
import * as ort from "./ort.wasm.min.mjs";

const MOST_THREADS = 4; // more share too little work in networks this small

ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
// Threads share memory, which browsers allow on pages that are isolated from others.
ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency || 1) : 1;

const onDemand = new Map(); // networks by their files, until they are brought
let networks;
let last = null; // of the picture that was answered last its id, and {pixels, size} for networks that may be brought

async function open() {
  const page = await (await fetch("./page.json")).json();
  const opened = [];
  for (const network of page.networks) {
    if (network.isOnDemand) {
      onDemand.set(network.file, network);
      continue;
    }
    const content = new Uint8Array(await (await fetch(`./${network.file}`)).arrayBuffer());
    opened.push(await started(network, content));
    // The first run of a network sets up what the others find.
    const { height, width } = network.preprocessing;
    await run(opened.at(-1), { pixels: new Uint8Array(height * width * 3), size: [height, width] });
  }
  return opened;
}

async function started(network, content) {
  return { ...network, session: await ort.InferenceSession.create(content, { executionProviders: ["wasm"] }) };
}

function prepared(network, rgba, width, height) {
  const size = workingSize(network.preprocessing, height, width);
  return { pixels: resizeImage(rgba, width, height, size[1], size[0]), size };
}

async function run(network, { pixels, size: [rows, columns] }) {
  const tensor = new ort.Tensor("uint8", pixels, [1, rows, columns, 3]);
  const { maps } = await network.session.run({ image: tensor });
  const [, , height, width] = maps.dims;
  if (!maps.data.every(Number.isFinite)) throw new Error("a network gave no numbers");
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
  const all = await networks;
  for (const [k, network] of all.entries()) {
    const maps = await run(network, prepared(network, rgba, width, height));
    postMessage({ kind: "maps", id, maps, isLast: k === all.length - 1 });
  }
  const inputs = [...onDemand].map(([file, network]) => [file, prepared(network, rgba, width, height)]);
  last = { id, inputs: new Map(inputs) };
}

async function add({ file, content }) {
  const network = await started(onDemand.get(file), content);
  const maps = last && (await run(network, last.inputs.get(file)));
  (await networks).push(network);
  onDemand.delete(file);
  if (maps) postMessage({ kind: "maps", id: last.id, maps, isLast: true, isAdded: true });
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
    .then(() => (data.kind === "network" ? add(data) : answer(data)))
    .catch((error) => postMessage({ kind: "failed", id: data.id, file: data.file, message: String(error.message ?? error) }));
});
