// A photo below, its overlay above, and a range that says how much of the overlay is seen. Nothing goes to the server.
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".slider");
  const [below, above] = root.querySelectorAll("img");
  const range = root.querySelector("input");
  const place = () => {
    above.style.clipPath = `inset(0 0 0 ${100 - range.value}%)`;
    root.querySelector(".edge").style.left = `${100 - range.value}%`;
  };
  if (below.src !== data.below) below.src = data.below;
  if (above.src !== data.above) above.src = data.above;
  below.alt = data.label;
  range.setAttribute("aria-label", `${data.label}: share of the picture that shows the overlay`);
  range.oninput = place;
  const frame = root.querySelector(".frame");
  frame.onpointerdown = frame.onpointermove = (event) => {
    if (event.type === "pointermove" && !event.buttons) return;
    const box = frame.getBoundingClientRect();
    range.value = 100 - (100 * (event.clientX - box.left)) / box.width;
    place();
  };
  place();
}
