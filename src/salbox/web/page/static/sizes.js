// The size at which a network looks at a picture.

const SMALLEST = 0.8; // the pixels that it may take, as shares of those that it was trained at
const LARGEST = 1.1;

// Return [height, width]. With rule "fixed" that is the network's own, whatever the picture's shape. With "area" it is in
// multiples of `multiple`, of about as many pixels as the network was trained at, and the ratio of its sides is nearest
// to the picture's in logarithms; of equally near ones it is the largest.
export function workingSize({ rule, height, width, multiple }, pictureHeight, pictureWidth) {
  if (rule === "fixed") return [height, width];
  const area = height * width;
  const ratio = Math.log(pictureHeight / pictureWidth);
  let best = null;
  for (let rows = multiple; rows <= LARGEST * area; rows += multiple) {
    const first = Math.max(1, Math.ceil((SMALLEST * area) / (rows * multiple)));
    const last = Math.floor((LARGEST * area) / (rows * multiple));
    for (let k = first; k <= last; k++) {
      const columns = k * multiple;
      // Rounded: ratios that differ by rounding errors alone are equal.
      const distance = Math.round(Math.abs(Math.log(rows / columns) - ratio) * 1e9);
      const isBetter = best === null || distance < best.distance;
      if (isBetter || (distance === best.distance && rows * columns > best.size[0] * best.size[1])) {
        best = { distance, size: [rows, columns] };
      }
    }
  }
  return best.size;
}
