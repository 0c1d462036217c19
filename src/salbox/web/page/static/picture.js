// Reading a picture into pixels, and refusing what cannot be one.

const MOST_MEGABYTES = 64;
const MOST_MEGAPIXELS = 50;

export class PictureError extends Error {}

// Return {name, width, height, rgba, canvas} of a file; raise a PictureError of one sentence if it cannot be read.
export async function readPicture(file) {
  const name = file.name || "the picture";
  if (file.size > MOST_MEGABYTES * 1e6) {
    const size = Math.round(file.size / 1e6);
    throw new PictureError(`${name}: ${size} MB; files of at most ${MOST_MEGABYTES} MB are read.`);
  }
  const address = URL.createObjectURL(file);
  try {
    const image = await loaded(address, name);
    const { naturalWidth: width, naturalHeight: height } = image;
    if (!width || !height) throw new PictureError(`${name}: it has no size in pixels.`);
    if (width * height > MOST_MEGAPIXELS * 1e6) {
      throw new PictureError(
        `${name}: ${width} x ${height} pixels; at most ${MOST_MEGAPIXELS} million are read. Make it smaller first.`,
      );
    }
    return { name, width, height, ...pixels(image, width, height, name) };
  } finally {
    URL.revokeObjectURL(address);
  }
}

function loaded(address, name) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new PictureError(`${name}: not a picture that this browser can read.`));
    image.src = address;
  });
}

function pixels(image, width, height, name) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new PictureError(`${name}: too large for this browser.`);
  context.fillStyle = "#ffffff"; // transparency is laid over white
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  return { canvas, rgba: context.getImageData(0, 0, width, height).data };
}
