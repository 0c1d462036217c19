// Maps as colours, on canvases.

// Draw a map in 0..1 into a canvas of its size: tints whose opacity grows with it, or a colour map that hides all below.
export function paint(canvas, shown, width, height, colors, look, growth) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  const bytes = picture.data;
  const opacity = Uint8ClampedArray.from(colors, (_, level) => (look === "map" ? 255 : 255 * (level / 255) ** growth));
  const palette = Uint8ClampedArray.from(colors.flat());
  for (let k = 0, out = 0; k < shown.length; k++) {
    const level = Math.round(shown[k] * 255);
    bytes[out++] = palette[3 * level];
    bytes[out++] = palette[3 * level + 1];
    bytes[out++] = palette[3 * level + 2];
    bytes[out++] = opacity[level];
  }
  context.putImageData(picture, 0, 0);
}

// Return a grey picture of a map in 0..1 as a canvas.
export function grey(shown, width, height) {
  const canvas = document.createElement("canvas");
  const levels = Array.from({ length: 256 }, (_, level) => [level, level, level]);
  paint(canvas, shown, width, height, levels, "map", 1);
  return canvas;
}

// Save what a canvas or a text holds as a file.
export async function save(content, name) {
  const blob =
    typeof content === "string"
      ? new Blob([content], { type: "text/csv" })
      : await new Promise((resolve) => content.toBlob(resolve, "image/png"));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
