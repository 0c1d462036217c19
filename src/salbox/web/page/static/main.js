// The page: a picture in, maps, regions and a scanpath out.

import { grey, paint, save } from "./drawing.js";
import { attentionAt, mapAt, minMax, shareWithin, shownAt } from "./maps.js";
import { PictureError, readPicture } from "./picture.js";
import { Regions } from "./regions.js";
import { sampleScanpath, scanpathShape } from "./scanpath.js";
import { element } from "./svg.js";

const LONGEST_SHOWN = 1280; // pixels of the longer side on the screen; a map is computed on the whole picture all the same
const THUMBNAIL = 160;
const GAZE = "gaze";

const at = (id) => document.getElementById(id);
const page = await (await fetch("./page.json")).json();
const worker = new Worker("./worker.js", { type: "module" });
const state = { picture: null, maps: new Map(), model: GAZE, job: 0, seed: 1, threads: null, started: 0, shown: null };
const onDemand = new Map(page.networks.filter((network) => network.isOnDemand).map((network) => [network.file, network]));
const coming = new Map(); // those that are fetched or started: file, and since when
let asked = null; // the model whose network was asked for last, until its map is there

const regions = new Regions(at("marks"), at("regions"), shareOf, (items) => {
  at("save-regions").disabled = items.length === 0;
});
let scanpath = null;

function say(text, isWrong = false) {
  at("status").textContent = text;
  at("status").classList.toggle("wrong", isWrong);
}

async function open(file) {
  const job = ++state.job;
  say(`Reading ${file.name || "the picture"} ...`);
  state.started = performance.now();
  let picture;
  try {
    picture = await readPicture(file);
  } catch (error) {
    if (job !== state.job) return;
    if (!(error instanceof PictureError)) throw error;
    say(error.message, true);
    return;
  }
  if (job !== state.job) return;
  show(picture);
  say(state.threads === null ? "The networks are on their way ..." : "Computing ...");
  const pixels = picture.rgba.buffer;
  picture.rgba = null; // it goes to the worker
  worker.postMessage({ id: job, pixels, width: picture.width, height: picture.height }, [pixels]);
}

function show(picture) {
  const scale = Math.min(1, LONGEST_SHOWN / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  state.picture = picture;
  state.view = { width, height };
  state.maps.clear();
  state.shown = null;
  const canvas = at("photo");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture.canvas, 0, 0, width, height);
  picture.canvas = null; // as large as the picture
  canvas.setAttribute("aria-label", picture.name);
  canvas.setAttribute("role", "img");
  at("heat").width = 1;
  at("marks").setAttribute("viewBox", `0 0 ${width} ${height}`);
  at("models").replaceChildren();
  at("save-map").disabled = true; // until there is one
  dropScanpath();
  regions.clear(width, height);
  at("work").hidden = false;
}

function shareOf(box) {
  const { width, height } = state.view ?? {};
  const map = state.maps.get(state.model);
  if (!map) return 0;
  map.attention ??= attentionAt(map, width, height);
  return shareWithin(map.attention, width, height, box);
}

function receive({ id, maps, isLast, isAdded }) {
  if (id !== state.job) return;
  let since = state.started;
  for (const map of maps) {
    state.maps.set(map.name, map);
    const network = [...onDemand.values()].find((each) => each.heads.includes(map.name));
    if (network) {
      since = coming.get(network.file);
      coming.delete(network.file);
      onDemand.delete(network.file);
    }
    if (map.name === asked) [state.model, state.shown, asked] = [asked, null, null];
  }
  listModels();
  draw();
  regions.draw();
  drawScanpath();
  at("save-map").disabled = !state.maps.has(state.model);
  if (isLast) {
    const waited = Math.round(performance.now() - (isAdded ? since : state.started));
    const threads = state.threads === 1 ? "one thread" : `${state.threads} threads`;
    const what = isAdded ? maps[0].name : `${state.maps.size} maps`;
    say(`${what} of ${state.picture.name} in ${waited} ms, on ${threads}.`);
    document.body.dataset.milliseconds = waited;
  }
}

// Fetch a network on demand, for the worker; the page's own thread fetches it, whose files are kept.
async function fetchNetwork(file) {
  const [model] = onDemand.get(file).heads;
  coming.set(file, performance.now());
  asked = model;
  say(`${model} is on its way ...`);
  listModels();
  try {
    const answer = await fetch(`./${file}`);
    if (!answer.ok) throw new Error(`the host answered ${answer.status}`);
    const content = await answer.arrayBuffer();
    worker.postMessage({ kind: "network", file, content: new Uint8Array(content) }, [content]);
  } catch (error) {
    lose(file, `${model} cannot be fetched: ${error.message ?? error}`);
  }
}

// A network on demand does not come; it can be asked for again.
function lose(file, sentence) {
  coming.delete(file);
  asked = null;
  say(sentence, true);
  listModels();
}

function listModels() {
  const { activeElement } = document;
  const focused = at("models").contains(activeElement) ? activeElement.dataset.model : null;
  const { width, height } = state.view;
  const scale = THUMBNAIL / Math.max(width, height);
  const size = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const shown = [...state.maps.values()].map((map) => {
    const canvas = document.createElement("canvas");
    paint(canvas, shownAt(map, ...size), ...size, page.colors, "map", 1);
    const button = modelButton(map.name, canvas);
    button.setAttribute("aria-pressed", map.name === state.model);
    button.addEventListener("click", () => choose(map.name));
    return button;
  });
  const others = [...onDemand.values()].map(({ file, heads: [model], bytes }) => {
    const note = document.createElement("span");
    note.className = "size";
    note.textContent = coming.has(file) ? "on its way" : `fetch ${(bytes / 1e6).toFixed(1)} MB`;
    const button = modelButton(model, note);
    button.setAttribute("aria-disabled", coming.has(file)); // not disabled, which would lose the focus
    button.addEventListener("click", () => coming.has(file) || fetchNetwork(file));
    return button;
  });
  const items = [...shown, ...others].map((button) => {
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  at("models").replaceChildren(...items);
  if (focused) at("models").querySelector(`[data-model="${focused}"]`)?.focus();
}

function modelButton(model, above) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.model = model;
  button.title = page.titles[model];
  // A name may break before what it is of: rare2012.student.
  const [, first, rest] = model.match(/^([^.]*)(.*)$/);
  button.append(above, first, document.createElement("wbr"), rest);
  return button;
}

function isObject(map) {
  return map.output === "probability";
}

function choose(model) {
  state.model = model;
  state.shown = null;
  at("save-map").disabled = false;
  for (const button of at("models").querySelectorAll("button[aria-pressed]")) {
    button.setAttribute("aria-pressed", button.dataset.model === model);
  }
  draw();
  regions.draw();
}

function look() {
  return document.querySelector('input[name="look"]:checked').value;
}

function draw() {
  const map = state.maps.get(state.model);
  if (!map) return;
  const { width, height } = state.view;
  state.shown ??= shownAt(map, width, height);
  at("share").textContent = isObject(map) ? "Of the object" : "Attention";
  const isMap = look() === "map";
  paint(at("heat"), state.shown, width, height, isMap ? page.colors : page.tints, look(), page.growth);
  adjust();
}

// Sliders act on what is drawn already.
function adjust() {
  const opacity = at("opacity").value;
  const wipe = at("wipe").value;
  const isMap = look() === "map";
  at("opacity").disabled = isMap;
  at("opacity-value").textContent = isMap ? "" : `${opacity} %`;
  at("wipe-value").textContent = `${wipe} %`;
  at("heat").style.opacity = isMap ? 1 : opacity / 100;
  at("heat").style.clipPath = `inset(0 ${100 - wipe}% 0 0)`;
}

function dropScanpath() {
  scanpath?.remove();
  scanpath = null;
}

function drawScanpath() {
  dropScanpath();
  at("again").disabled = !at("scanpath").checked;
  const map = state.maps.get(GAZE);
  if (!at("scanpath").checked || !map) return;
  const { width, height } = state.view;
  map.attention ??= attentionAt(map, width, height);
  const looks = sampleScanpath(map.attention, width, height, state.seed, page.saccades);
  scanpath = scanpathShape(looks, width, height);
  at("marks").append(scanpath);
}

function stem() {
  return state.picture.name.replace(/\.[^.]*$/, "");
}

// Return what is on the screen as one canvas.
async function composed() {
  const { width, height } = state.view;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  context.drawImage(at("photo"), 0, 0);
  context.save();
  context.globalAlpha = Number(at("heat").style.opacity);
  context.beginPath();
  context.rect(0, 0, (width * at("wipe").value) / 100, height);
  context.clip();
  context.drawImage(at("heat"), 0, 0);
  context.restore();
  if (at("marks").querySelector(".region, .path")) context.drawImage(await marksAsImage(width, height), 0, 0);
  return canvas;
}

async function marksAsImage(width, height) {
  const copy = at("marks").cloneNode(true);
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const style = [...document.styleSheets[0].cssRules].map((rule) => rule.cssText).filter((text) => text.startsWith("#marks"));
  const styles = element("style", {});
  styles.textContent = `text { font-family: sans-serif } ${style.join(" ").replaceAll("#marks", "svg")}`;
  copy.prepend(styles);
  const address = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  const image = new Image();
  image.src = address;
  await image.decode();
  URL.revokeObjectURL(address);
  return image;
}

function saveMap() {
  const { width, height } = state.picture;
  const map = state.maps.get(state.model);
  save(grey(minMax(attentionAt(map, width, height)), width, height), `${stem()}.${state.model}.png`);
}

worker.addEventListener("message", ({ data }) => {
  if (data.kind === "ready") {
    state.threads = data.threads;
    document.body.dataset.threads = data.threads;
    if (state.picture) return;
    say("Ready.");
  } else if (data.kind === "maps") {
    receive(data);
  } else if (data.file !== undefined) {
    lose(data.file, `${onDemand.get(data.file).heads[0]} cannot run in this browser: ${data.message}`);
  } else if (data.id === undefined || data.id === state.job) {
    say(`The networks cannot run in this browser: ${data.message}`, true);
  }
});
worker.addEventListener("error", () => say("The networks cannot be started in this browser.", true));

at("file").addEventListener("change", () => {
  if (at("file").files.length) open(at("file").files[0]);
  at("file").value = ""; // so that the same file can be chosen again
});
at("sample").addEventListener("click", async () => {
  const content = await (await fetch("./sample.png")).blob();
  open(new File([content], "sample.png", { type: "image/png" }));
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
});
addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (file) open(file);
});
for (const input of document.querySelectorAll('input[name="look"]')) input.addEventListener("change", draw);
at("opacity").addEventListener("input", adjust);
at("wipe").addEventListener("input", adjust);
at("add-region").addEventListener("click", () => regions.addInMiddle());
at("scanpath").addEventListener("change", drawScanpath);
at("again").addEventListener("click", () => {
  state.seed += 1;
  drawScanpath();
});
at("save-picture").addEventListener("click", async () => save(await composed(), `${stem()}.${state.model}.overlay.png`));
at("save-map").addEventListener("click", saveMap);
at("save-regions").addEventListener("click", () => save(regions.toCsv(isObject(state.maps.get(state.model)) ? "object" : "attention"), `${stem()}.${state.model}.regions.csv`));
at("about").textContent = page.about;

// For scripts: the maps of the picture that is shown, at any size, as numbers.
globalThis.salbox = {
  names: () => [...state.maps.keys()],
  size: () => [state.picture.width, state.picture.height],
  map: (name, width = state.picture.width, height = state.picture.height) => mapAt(state.maps.get(name), width, height),
};

say("The networks are on their way; a picture can be chosen already.");
if ("serviceWorker" in navigator && isSecureContext) {
  navigator.serviceWorker.register("./service-worker.js").catch(() => {}); // without it the page works, but not offline
}
