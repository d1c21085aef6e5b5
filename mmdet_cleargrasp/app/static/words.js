// Texts with numbers and names.

export const plural = (count, one, many = one + 's') => `${count} ${count === 1 ? one : many}`;
export const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
export const score = value => value.toFixed(2);
export const millimeters = (pixels, pxPerMm) => {
  const mm = pixels / pxPerMm;
  return `${mm >= 20 ? mm.toFixed(0) : mm.toFixed(1)} mm`;
};

// "3 Petri dishes, 1 square dish", in the order of the classes.
export function countWords(boxes, classes) {
  return classes
    .map(({name, one, many}) => [boxes.filter(box => box.label === name).length, one, many])
    .filter(([count]) => count)
    .map(([count, one, many]) => plural(count, one, many))
    .join(', ');
}

const FORMATS = {
  labelme: 'LabelMe', yolo: 'YOLO', voc: 'Pascal VOC', cvat: 'CVAT', labelstudio: 'Label Studio', fiji: 'Fiji / ImageJ (ROI sets)',
  qupath: 'QuPath (GeoJSON)', 'detections.json': 'COCO (.json)',
};
export const formatName = kind => FORMATS[kind];

// Precision and recall of a test at a score threshold, in words.
export function cost(quality, threshold) {
  const {curve, images, data} = quality;
  const at = curve.threshold.reduce(
    (best, value, k) => Math.abs(value - threshold) < Math.abs(curve.threshold[best] - threshold) ? k : best, 0);
  const hundred = share => Math.round(100 * share);
  const right = hundred(curve.precision[at]), found = hundred(curve.recall[at]);
  const where = `Measured on ${plural(images, 'image')} (${data}).`;
  if (!found) return `Hardly any plate has a score of ${score(threshold)}. ${where}`;
  return `At ${score(threshold)}, of 100 boxes about ${right} are right, and of 100 plates about ${found} are found. ${where}`;
}
