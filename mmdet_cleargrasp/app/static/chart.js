// Chart of precision and recall by score threshold.

import {svg} from './editor.js';

const WIDTH = 320, HEIGHT = 110, LEFT = 36, TOP = 8, BOTTOM = 20;
const BLUE = '#0072B2', ORANGE = '#D55E00';
const across = value => LEFT + value * (WIDTH - LEFT - 8);
const down = value => TOP + (1 - value) * (HEIGHT - TOP - BOTTOM);

export function drawChart(parent, curve, threshold) {
  const line = (values, color, dash) => svg('polyline', {
    points: values.map((value, k) => `${across(curve.threshold[k])},${down(value)}`).join(' '),
    fill: 'none', stroke: color, 'stroke-width': 2.5, 'stroke-dasharray': dash,
  });
  const text = (x, y, words, anchor = 'start') => svg('text', {x, y, 'text-anchor': anchor}, words);
  const rule = y => svg('line', {x1: LEFT, x2: across(1), y1: down(y), y2: down(y), stroke: 'currentColor', opacity: 0.15});
  const legend = (x, color, dash, words) => [
    svg('line', {x1: x, x2: x + 20, y1: HEIGHT + 8, y2: HEIGHT + 8, stroke: color, 'stroke-width': 2.5, 'stroke-dasharray': dash}),
    text(x + 25, HEIGHT + 12, words)];
  const label = 'Share of boxes that are right and of plates that are found, by score threshold';
  parent.replaceChildren(svg('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT + 16}`, role: 'img', 'aria-label': label},
    rule(0), rule(0.5), rule(1),
    text(LEFT - 5, down(1) + 4, '100%', 'end'), text(LEFT - 5, down(0.5) + 4, '50%', 'end'),
    text(LEFT - 5, down(0) + 4, '0', 'end'),
    line(curve.precision, BLUE, ''), line(curve.recall, ORANGE, '6 3'),
    svg('line', {x1: across(threshold), x2: across(threshold), y1: TOP, y2: down(0), stroke: 'currentColor', 'stroke-width': 1.5}),
    text(across(0), HEIGHT - 6, '0'), text(across(1), HEIGHT - 6, '1', 'end'), text(across(0.5), HEIGHT - 6, 'score threshold', 'middle'),
    ...legend(4, BLUE, '', 'boxes that are right'), ...legend(160, ORANGE, '6 3', 'plates that are found'),
  ));
}
