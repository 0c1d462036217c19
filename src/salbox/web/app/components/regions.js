// Rectangles on a picture: drawn with a pointer, or typed. They are in pixels of the picture that is shown.
const PLACES = [["x", "left"], ["y", "top"], ["width", "width"], ["height", "height"]];
const SMALLEST = 4;

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".regions");
  const [frame, image, svg, list, hint] = [".frame", "img", "svg", ".list", ".hint"].map((s) => root.querySelector(s));
  const [width, height] = data.size;
  if (image.src !== data.image) image.src = data.image;
  image.alt = data.label;
  hint.textContent = data.hint;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  // What was drawn since counts, unless the server has other regions for us.
  const asked = JSON.stringify(data.regions);
  if (root.asked !== asked) [root.asked, root.regions] = [asked, data.regions.map((region) => ({ ...region }))];
  const regions = root.regions;

  const clamp = (value, low, high) => Math.min(Math.max(Math.round(value) || 0, low), high);
  const fit = (region) => {
    region.x = clamp(region.x, 0, width - 1);
    region.y = clamp(region.y, 0, height - 1);
    region.width = clamp(region.width, 1, width - region.x);
    region.height = clamp(region.height, 1, height - region.y);
    return region;
  };
  const paint = (extra) => {
    svg.replaceChildren();
    const size = Math.max(14, width / 40);
    for (const region of extra ? [...regions, extra] : regions) {
      for (const kind of ["back", ""]) {
        const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
        for (const key of ["x", "y", "width", "height"]) rect.setAttribute(key, region[key]);
        rect.setAttribute("class", kind);
        svg.append(rect);
      }
      const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
      text.setAttribute("x", region.x + size / 3);
      text.setAttribute("y", region.y + size * 1.1);
      text.setAttribute("font-size", size);
      text.textContent = region.name;
      svg.append(text);
    }
  };
  const tell = () => {
    root.asked = JSON.stringify(regions);
    setStateValue("regions", regions.map((region) => ({ ...region })));
  };
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

  let start = null;
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
    frame.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  frame.onpointermove = (event) => start && paint(between(start, at(event)));
  frame.onpointercancel = () => ((start = null), paint());
  frame.onpointerup = (event) => {
    if (!start) return;
    const drawn = between(start, at(event));
    start = null;
    if (drawn.width >= SMALLEST && drawn.height >= SMALLEST) add(drawn);
    else paint();
  };
  rows();
  paint();
}
