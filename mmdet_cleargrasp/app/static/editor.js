// A photograph with boxes to select, move, resize and draw, by mouse, touch and keyboard.

const SVG = 'http://www.w3.org/2000/svg';
const MAX_ZOOM = 16;
const SMALLEST = 4; // minimum size of a drawn box in CSS pixels
const CORNERS = [['left', 'top'], ['right', 'top'], ['right', 'bottom'], ['left', 'bottom']];

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

export class BoxEditor {
  // `look` has describe(box) and color(box); `on` has choose(index), change(boxes) and draw(box).
  constructor(parent, look, on) {
    this.look = look;
    this.on = on;
    this.boxes = [];
    this.isShown = () => true;
    this.chosen = -1;
    this.size = {width: 1, height: 1};
    this.pointers = new Map();
    this.picture = svg('image', {x: 0, y: 0});
    this.marks = svg('g');
    this.root = svg('svg', {tabindex: 0, role: 'group', 'aria-label': 'Photograph with boxes'}, this.picture, this.marks);
    parent.append(this.root);
    for (const kind of ['pointerdown', 'pointermove', 'pointerup', 'pointercancel']) {
      this.root.addEventListener(kind, event => this[kind](event));
    }
    this.root.addEventListener('keydown', event => this.keydown(event));
    this.root.addEventListener('dblclick', event => this.zoom(2, this.point(event)));
    this.root.addEventListener('wheel', event => this.wheel(event), {passive: false});
    new ResizeObserver(() => this.draw()).observe(parent);
  }

  show(url, size, boxes, isShown) {
    if (this.picture.getAttribute('href') !== url) {
      this.picture.setAttribute('href', url);
      this.picture.setAttribute('width', size.width);
      this.picture.setAttribute('height', size.height);
      this.size = size;
      this.chosen = -1;
      this.fit();
    }
    this.boxes = boxes;
    this.isShown = isShown;
    if (this.chosen >= 0 && !this.visible(this.chosen)) this.choose(-1);
    this.draw();
  }

  clear() {
    this.boxes = [];
    this.chosen = -1;
    this.draw();
  }

  visible(index) {
    return index in this.boxes && this.isShown(this.boxes[index]);
  }

  choose(index) {
    this.chosen = index;
    this.draw();
    this.on.choose(index);
  }

  setDrawing(drawing) {
    this.drawing = drawing;
    this.root.classList.toggle('drawing', drawing);
  }

  // --- view ---

  fit() {
    this.view = {x: this.size.width / 2, y: this.size.height / 2, zoom: 1};
    this.draw();
  }

  zoom(factor, point = this.view) {
    const zoom = clamp(this.view.zoom * factor, 1, MAX_ZOOM);
    const change = this.view.zoom / zoom;
    this.view = {
      x: point.x + (this.view.x - point.x) * change, y: point.y + (this.view.y - point.y) * change, zoom,
    };
    this.draw();
  }

  // The visible rectangle in pixels of the photograph, with the aspect ratio of the stage.
  window() {
    const stage = this.root.getBoundingClientRect();
    const shape = (stage.width || 1) / (stage.height || 1);
    const whole = Math.max(this.size.width, this.size.height * shape);
    const width = whole / this.view.zoom, height = width / shape;
    const along = (center, span, length) =>
      span >= length ? length / 2 : clamp(center, span / 2, length - span / 2);
    this.view.x = along(this.view.x, width, this.size.width);
    this.view.y = along(this.view.y, height, this.size.height);
    return {x: this.view.x - width / 2, y: this.view.y - height / 2, width, height, stage};
  }

  point(event) {
    const {x, y, width, stage} = this.window();
    const unit = width / (stage.width || 1);
    return {x: x + (event.clientX - stage.left) * unit, y: y + (event.clientY - stage.top) * unit};
  }

  inside({x, y}) {
    return {x: clamp(x, 0, this.size.width), y: clamp(y, 0, this.size.height)};
  }

  draw() {
    if (!this.view) return;
    const {x, y, width, height, stage} = this.window();
    this.unit = width / (stage.width || 1); // pixels of the photograph per CSS pixel
    this.root.setAttribute('viewBox', `${x} ${y} ${width} ${height}`);
    this.root.classList.toggle('zoomed', this.view.zoom > 1);
    const order = [...this.boxes.keys()].filter(index => this.visible(index));
    const area = box => (box.right - box.left) * (box.bottom - box.top);
    order.sort((a, b) => area(this.boxes[b]) - area(this.boxes[a])); // small boxes on top
    const labels = order.map(k => this.label(this.boxes[k], this.look.color(this.boxes[k]), k === this.chosen));
    this.marks.replaceChildren(...order.map(index => this.mark(index)), ...labels);
    if (this.visible(this.chosen)) this.marks.append(...this.handles(this.boxes[this.chosen]));
    if (this.sketch) this.marks.append(svg('rect', {class: 'drawn', ...this.rectangle(this.sketch)}));
  }

  rectangle(box) {
    return {x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top};
  }

  mark(index) {
    const box = this.boxes[index], color = this.look.color(box);
    const group = svg('g', {class: (index === this.chosen ? 'chosen' : '') + (box.corrected ? ' by-hand' : '')});
    group.append(
      svg('rect', {class: 'box-halo', ...this.rectangle(box)}),
      svg('rect', {class: 'box', stroke: color, 'data-index': index, ...this.rectangle(box)}),
    );
    return group;
  }

  label(box, color, whole) {
    const size = 13 * this.unit, {full, short} = this.look.describe(box);
    const room = Math.max(1.2 * (box.right - box.left), 70 * this.unit);
    const fits = text => text.length * size * 0.6 <= room;
    const text = whole || fits(full) ? full : short;
    const width = (text.length * 0.6 + 0.8) * size, height = 1.4 * size;
    const view = this.window();
    const left = clamp(box.left, view.x, view.x + view.width - width);
    const above = box.top - height >= view.y;
    const top = above ? box.top - height : Math.max(box.top, view.y);
    const words = svg('text', {x: left + 0.4 * size, y: top + size * 1.03, 'font-size': size, fill: onColor(color)}, text);
    return svg('g', {class: 'label'}, svg('rect', {x: left, y: top, width, height, fill: color, rx: size / 5}), words);
  }

  handles(box) {
    return CORNERS.map(([across, down]) => svg('circle', {
      class: 'handle', cx: box[across], cy: box[down], r: 8 * this.unit, 'data-across': across, 'data-down': down,
      cursor: (across === 'left') === (down === 'top') ? 'nwse-resize' : 'nesw-resize',
    }));
  }

  // --- pointers ---

  pointerdown(event) {
    if (event.button > 0) return;
    this.pointers.set(event.pointerId, event);
    this.root.setPointerCapture(event.pointerId);
    if (this.pointers.size > 1) {
      this.cancel();
      return;
    }
    const {index, across, down} = event.target.dataset, start = this.point(event);
    if (this.drawing) this.drag = {kind: 'draw', start};
    else if (across) this.drag = {kind: 'resize', across, down, before: this.boxes};
    else if (index !== undefined) {
      const was = this.chosen;
      this.choose(Number(index));
      // The first touch only selects a box, so that the page can be scrolled over boxes.
      const moves = event.pointerType === 'mouse' || was === this.chosen;
      this.drag = {kind: moves ? 'move' : 'none', start, box: this.boxes[this.chosen], before: this.boxes};
    } else this.drag = {kind: this.view.zoom > 1 ? 'pan' : 'none', start, empty: true};
    this.drag.from = {x: event.clientX, y: event.clientY};
  }

  pointermove(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    if (this.pointers.size === 2) this.pinch(event);
    this.pointers.set(event.pointerId, event);
    const drag = this.drag;
    if (!drag || this.pointers.size > 1) return;
    const far = Math.hypot(event.clientX - drag.from.x, event.clientY - drag.from.y);
    drag.moved = drag.moved || far > SMALLEST;
    if (drag.moved) this.dragged(drag, event);
  }

  dragged(drag, event) {
    const here = this.point(event);
    if (drag.kind === 'draw') {
      const a = this.inside(drag.start), b = this.inside(here);
      this.sketch = {
        left: Math.min(a.x, b.x), right: Math.max(a.x, b.x), top: Math.min(a.y, b.y), bottom: Math.max(a.y, b.y),
      };
    } else if (drag.kind === 'resize') {
      const to = this.inside(here);
      this.replace({[drag.across]: to.x, [drag.down]: to.y});
    } else if (drag.kind === 'move') {
      this.replace(this.moved(drag.box, here.x - drag.start.x, here.y - drag.start.y));
    } else if (drag.kind === 'pan') {
      this.view.x += drag.start.x - here.x;
      this.view.y += drag.start.y - here.y;
    }
    this.draw();
  }

  pinch(event) {
    const [a, b] = [...this.pointers.values()];
    const other = a.pointerId === event.pointerId ? b : a, before = this.pointers.get(event.pointerId);
    const distance = one => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    const middle = {clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2};
    this.zoom(distance(event) / distance(before), this.point(middle));
  }

  pointerup(event) {
    this.pointers.delete(event.pointerId);
    const drag = this.drag, sketch = this.sketch;
    this.drag = this.sketch = null;
    if (!drag) return;
    if (drag.kind === 'draw') {
      const enough = sketch && Math.min(sketch.right - sketch.left, sketch.bottom - sketch.top) > SMALLEST * this.unit;
      if (enough) this.on.draw(sketch);
    } else if (drag.moved && drag.before) this.finish(drag.before);
    else if (!drag.moved && drag.empty) this.choose(-1);
    this.draw();
  }

  pointercancel(event) {
    this.pointers.delete(event.pointerId);
    this.cancel();
  }

  cancel() {
    if (this.drag?.before) this.boxes = this.drag.before;
    this.drag = this.sketch = null;
    this.draw();
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // leave scrolling to the page
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 200), this.point(event));
  }

  // --- corrections ---

  moved(box, across, down) {
    const x = clamp(across, -box.left, this.size.width - box.right);
    const y = clamp(down, -box.top, this.size.height - box.bottom);
    return {left: box.left + x, right: box.right + x, top: box.top + y, bottom: box.bottom + y};
  }

  replace(sides) {
    this.boxes = this.boxes.map((box, k) => k === this.chosen ? {...box, ...sides, corrected: true} : box);
  }

  // Report a changed box, with its sides in order.
  finish(before) {
    const box = this.boxes[this.chosen];
    this.replace({
      left: Math.min(box.left, box.right), right: Math.max(box.left, box.right),
      top: Math.min(box.top, box.bottom), bottom: Math.max(box.top, box.bottom),
    });
    const fixed = this.boxes[this.chosen];
    if (fixed.right - fixed.left < 1 || fixed.bottom - fixed.top < 1) this.boxes = before;
    else this.on.change(this.boxes, before);
  }

  keydown(event) {
    const steps = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (!steps || !this.visible(this.chosen)) return;
    event.preventDefault();
    event.stopPropagation();
    const step = Math.max(1, this.unit) * (event.shiftKey ? 10 : 1), box = this.boxes[this.chosen], before = this.boxes;
    if (event.altKey) {
      const corner = this.inside({x: box.right + steps[0] * step, y: box.bottom + steps[1] * step});
      this.replace({right: corner.x, bottom: corner.y});
    } else this.replace(this.moved(box, steps[0] * step, steps[1] * step));
    this.finish(before);
  }
}

// Black or white, whichever has more contrast on a color such as #D55E00.
function onColor(color) {
  const [r, g, b] = [1, 3, 5].map(k => parseInt(color.slice(k, k + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 150 ? '#000' : '#fff';
}
