// Rectangles on a picture: drawn with a pointer, or typed. They are in pixels of the picture that is shown.
const PLACES = [["x", "left"], ["y", "top"], ["width", "width"], ["height", "height"]];
const SMALLEST = 4;

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".regions");
  // Answers of the server change nothing: what was drawn since may be newer, and somebody may be typing.
  root.send = setStateValue;
  if (root.of === data.of) return;
  root.of = data.of;
  const regions = data.regions.map((region) => ({ ...region }));
  const [frame, image, svg, list, hint] = [".frame", "img", "svg", ".list", ".hint"].map((s) => root.querySelector(s));
  const [width, height] = data.size;
  image.src = data.image;
  image.alt = data.label;
  hint.textContent = data.hint;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);

  const clamp = (value, low, high) => Math.min(Math.max(Math.round(value) || 0, low), high);
  const fit = (region) => {
    region.x = clamp(region.x, 0, width - 1);
    region.y = clamp(region.y, 0, height - 1);
    region.width = clamp(region.width, 1, width - region.x);
    region.height = clamp(region.height, 1, height - region.y);
    return region;
  };
  const shape = (kind, attributes, place, grip) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (place !== undefined) Object.assign(made.dataset, { place, grip });
    svg.append(made);
    return made;
  };
  const paint = (extra) => {
    svg.replaceChildren();
    const unit = width / (frame.clientWidth || width); // a pixel of the screen
    for (const [place, region] of (extra ? [...regions, extra] : regions).entries()) {
      const box = Object.fromEntries(["x", "y", "width", "height"].map((key) => [key, region[key]]));
      shape("rect", { class: "back", ...box });
      shape("rect", { class: "edge", stroke: data.colors[place % data.colors.length], ...box });
      shape("rect", { class: "grip", ...box }, place, "move");
      const [x, isHigh] = [region.x + 2 * unit, region.y > 20 * unit]; // else its name stands below
      const y = isHigh ? region.y - 6 * unit : region.y + region.height + 17 * unit;
      shape("text", { x, y, "font-size": 14 * unit, "stroke-width": 4 * unit }, place, "move").textContent = region.name;
      const corner = { x: region.x + region.width - 6 * unit, y: region.y + region.height - 6 * unit };
      shape("rect", { class: "corner", ...corner, width: 12 * unit, height: 12 * unit }, place, "size");
    }
  };
  const tell = () => root.send("regions", regions.map((region) => ({ ...region })));
  const rows = () => {
    list.replaceChildren(
      ...regions.map((region, place) => {
        const row = document.createElement("li");
        const field = (name, type, key) => {
          const label = document.createElement("label");
          const input = document.createElement("input");
          Object.assign(input, { type, value: region[key] });
          input.setAttribute("aria-label", `${name} of region ${place + 1}`);
          input.onchange = () => {
            region[key] = type === "number" ? Number(input.value) : input.value.trim().slice(0, 40) || region[key];
            input.value = fit(region)[key];
            paint();
            tell();
          };
          label.append(name, input);
          return label;
        };
        const remove = document.createElement("button");
        Object.assign(remove, { type: "button", textContent: "Remove" });
        remove.setAttribute("aria-label", `Remove region ${place + 1}, ${region.name}`);
        remove.onclick = () => {
          regions.splice(place, 1);
          rows();
          paint();
          tell();
        };
        row.append(field("name", "text", "name"), ...PLACES.map(([key, name]) => field(name, "number", key)), remove);
        return row;
      }),
    );
  };
  const add = (region) => {
    if (regions.length >= data.most) return;
    const names = new Set(regions.map((each) => each.name));
    let number = regions.length + 1;
    while (names.has(`region ${number}`)) number += 1;
    regions.push(fit({ ...region, name: `region ${number}` }));
    rows();
    paint();
    tell();
  };
  root.querySelector(".add").onclick = () =>
    add({ x: width / 4, y: height / 4, width: width / 2, height: height / 2 });

  let start = null; // where the pointer went down
  let held = null; // the region that it moves
  const at = (event) => {
    const box = frame.getBoundingClientRect();
    return [
      clamp(((event.clientX - box.left) / box.width) * width, 0, width),
      clamp(((event.clientY - box.top) / box.height) * height, 0, height),
    ];
  };
  const between = ([a, b], [c, d]) => ({
    x: Math.min(a, c), y: Math.min(b, d), width: Math.abs(a - c), height: Math.abs(b - d), name: "",
  });
  frame.onpointerdown = (event) => {
    start = at(event);
    const { place, grip } = event.target.dataset;
    const region = place === undefined ? null : regions[place];
    held = region ? { region, grip, before: { ...region } } : null;
    frame.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  const drag = (event) => {
    if (!start) return;
    const now = at(event);
    if (!held) return paint(between(start, now));
    const [right, down] = [now[0] - start[0], now[1] - start[1]];
    const { region, grip, before } = held;
    if (grip === "size") {
      region.width = clamp(before.width + right, SMALLEST, width - before.x);
      region.height = clamp(before.height + down, SMALLEST, height - before.y);
    } else {
      region.x = clamp(before.x + right, 0, width - before.width);
      region.y = clamp(before.y + down, 0, height - before.height);
    }
    paint();
  };
  frame.onpointermove = drag;
  frame.onpointercancel = () => {
    if (held) Object.assign(held.region, held.before);
    [start, held] = [null, null];
    paint();
  };
  frame.onpointerup = (event) => {
    if (!start) return;
    drag(event);
    const drawn = between(start, at(event));
    const moved = held;
    [start, held] = [null, null];
    if (moved) {
      rows();
      if (JSON.stringify(moved.region) !== JSON.stringify(moved.before)) tell();
    } else if (drawn.width >= SMALLEST && drawn.height >= SMALLEST) add(drawn);
    else paint();
  };
  image.onload = () => paint(); // its size on the screen is known
  rows();
  paint();
}
