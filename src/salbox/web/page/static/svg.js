// Elements of SVG.

const NAMESPACE = "http://www.w3.org/2000/svg";

export function element(kind, attributes, children = []) {
  const made = document.createElementNS(NAMESPACE, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
