// Rectangles that people draw on the picture, with the pointer or the keyboard.

import { element } from "./svg.js";

const SMALLEST = 0.01; // of a side: less is a click, not a drag
const STEP = 0.01; // of a side, of one press of an arrow key
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Regions {
  // `marks` is the SVG over the picture, `shareOf` gives a rectangle's share; `changed` is called with the rectangles
  // after each change.
  constructor(marks, table, shareOf, changed) {
    this.marks = marks;
    this.table = table;
    this.shareOf = shareOf;
    this.changed = changed;
    this.layer = element("g", {});
    marks.append(this.layer);
    this.clear();
    marks.addEventListener("pointerdown", (event) => this.#drag(event));
  }

  clear(width = 1, height = 1) {
    this.width = width;
    this.height = height;
    this.items = [];
    this.made = 0;
    this.draw();
  }

  // Add a rectangle in shares of the picture's sides.
  add(x, y, width, height) {
    const region = { name: `Region ${++this.made}`, x, y, width, height };
    this.items.push(region);
    this.draw();
    return region;
  }

  addInMiddle() {
    this.add(0.35, 0.35, 0.3, 0.3);
    this.layer.lastElementChild.focus();
  }

  pixels(region) {
    return {
      x: region.x * this.width,
      y: region.y * this.height,
      width: region.width * this.width,
      height: region.height * this.height,
    };
  }

  draw() {
    const focused = [...this.layer.children].indexOf(document.activeElement);
    const line = Math.max(this.width, this.height) / 300;
    this.layer.replaceChildren(...this.items.map((region) => this.#shape(region, line)));
    if (focused >= 0) this.layer.children[focused]?.focus();
    this.table.hidden = this.items.length === 0;
    this.table.tBodies[0].replaceChildren(...this.items.map((region) => this.#row(region)));
    this.changed(this.items);
  }

  toCsv(of) {
    const rows = this.items.map((region) => {
      const box = Object.values(this.pixels(region)).map((value) => value.toFixed(1));
      return [region.name, ...box, this.shareOf(this.pixels(region)).toFixed(4)].join(",");
    });
    return [`region,x,y,width,height,${of}`, ...rows, ""].join("\n");
  }

  #shape(region, line) {
    const box = this.pixels(region);
    const share = percent(this.shareOf(box));
    const text = element("text", { x: box.x + 3 * line, y: box.y + 9 * line, "font-size": 8 * line, "stroke-width": line });
    text.textContent = share;
    const shape = element("g", { class: "region", tabindex: 0, role: "button" }, [
      element("rect", { class: "under", ...box, "stroke-width": 2 * line }),
      element("rect", { class: "over", ...box, "stroke-width": line }),
      text,
    ]);
    shape.setAttribute("aria-label", `${region.name}, ${share} of attention; arrow keys move it`);
    shape.addEventListener("keydown", (event) => this.#key(event, region));
    return shape;
  }

  #row(region) {
    const row = document.createElement("tr");
    const texts = [region.name, percent(this.shareOf(this.pixels(region))), percent(region.width * region.height)];
    for (const text of texts) row.insertCell().textContent = text;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `Remove ${region.name}`);
    remove.addEventListener("click", () => this.#remove(region));
    row.insertCell().append(remove);
    return row;
  }

  #remove(region) {
    this.items = this.items.filter((other) => other !== region);
    this.draw();
  }

  #key(event, region) {
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.#remove(region);
      (this.layer.lastElementChild ?? document.getElementById("add-region")).focus();
      return;
    }
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const [x, y] = arrow.map((direction) => direction * STEP);
    if (event.shiftKey) {
      region.width = clamp(region.width + x, SMALLEST, 1 - region.x);
      region.height = clamp(region.height + y, SMALLEST, 1 - region.y);
    } else {
      region.x = clamp(region.x + x, 0, 1 - region.width);
      region.y = clamp(region.y + y, 0, 1 - region.height);
    }
    this.draw();
  }

  // Draw a new rectangle, or move the one that is under the pointer.
  #drag(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const shape = event.target.closest(".region");
    const moved = shape ? this.items[[...this.layer.children].indexOf(shape)] : null;
    const start = this.#place(event);
    const origin = moved ? { ...moved } : null;
    let region = moved;
    this.marks.setPointerCapture(event.pointerId);
    const move = (next) => {
      const [x, y] = this.#place(next);
      if (origin) {
        region.x = clamp(origin.x + x - start[0], 0, 1 - region.width);
        region.y = clamp(origin.y + y - start[1], 0, 1 - region.height);
      } else {
        const [width, height] = [Math.abs(x - start[0]), Math.abs(y - start[1])];
        if (!region && (width < SMALLEST || height < SMALLEST)) return;
        region ??= this.add(0, 0, width, height);
        Object.assign(region, { x: Math.min(x, start[0]), y: Math.min(y, start[1]), width, height });
      }
      this.draw();
    };
    const end = () => {
      this.marks.removeEventListener("pointermove", move);
      if (region) this.layer.children[this.items.indexOf(region)]?.focus();
    };
    this.marks.addEventListener("pointermove", move);
    this.marks.addEventListener("lostpointercapture", end, { once: true });
  }

  #place(event) {
    const box = this.marks.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width, 0, 1), clamp((event.clientY - box.top) / box.height, 0, 1)];
  }
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), Math.max(low, high));
}
