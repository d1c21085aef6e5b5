// The page: uploads, corrections, counts, sizes and downloads.

import {BoxEditor} from './editor.js';
import {drawChart} from './chart.js';
import {capital, cost, countWords, formatName, millimeters, plural, score} from './words.js';

const $ = id => document.getElementById(id);
const state = {photographs: [], problems: [], threshold: 0.5, scale_from: null, model: {classes: []}};
const history = new Map(); // corrections to undo, by photograph
let current = 0, saving = Promise.resolve(), stopped = false, working = false;

const editor = new BoxEditor($('stage'), {describe, color: box => classOf(box.label).color}, {
  choose: () => render(), change: (boxes, before) => correct(boxes, before), draw: addBox,
});

// --- state ---

const photo = () => state.photographs[current];
const classOf = name => state.model.classes.find(one => one.name === name);
const lowest = one => one.checked_at ?? state.threshold;
const isShown = (one, box) => !box.removed && (box.corrected || box.score === null || box.score >= lowest(one));
const shown = one => one.boxes.filter(box => isShown(one, box));
const chosen = () => photo()?.boxes[editor.chosen];
const longer = box => Math.max(box.right - box.left, box.bottom - box.top);
const scaleSource = one => one.boxes.some(box => box.known_mm && !box.removed)
  ? one : state.photographs.find(other => other.key === state.scale_from);
const pxPerMm = one => scaleSource(one)?.px_per_mm ?? null;

function describe(box) {
  const name = capital(classOf(box.label).one), value = box.score === null ? '' : ' ' + score(box.score);
  const scale = pxPerMm(photo()), size = scale ? ' · ' + millimeters(longer(box), scale) : '';
  return {full: name + value + size, short: value.trim() || name};
}

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch('api/' + path, options);
  } catch {
    throw new Error('The program that serves this page does not answer. Is it still running?');
  }
  const content = await answer.json().catch(() => null);
  if (!answer.ok) {
    const reason = answer.status === 403 ? 'Open the page again by the link that the program printed.'
      : `The page cannot answer at the moment (${answer.status}). Try again in a minute.`;
    const failure = new Error(content?.problem ?? reason);
    failure.status = answer.status;
    throw failure;
  }
  return content;
}

const put = (path, content) => call(path, {method: 'PUT', body: JSON.stringify(content)});

// Requests that change something are sent one after the other.
function save(action) {
  const mine = saving = saving.then(action).catch(error => notice(error.message));
  document.body.dataset.saved = false;
  mine.then(() => { if (mine === saving) document.body.dataset.saved = true; });
  return mine;
}

function savePhoto(one) {
  return save(async () => {
    const {px_per_mm, scale_problem} = await put(
      `photographs/${one.key}`, {boxes: one.boxes, checked_at: one.checked_at});
    Object.assign(one, {px_per_mm, scale_problem});
    render();
  });
}

// --- corrections ---

function correct(boxes, before = photo().boxes) {
  const steps = history.get(photo().key) ?? [];
  history.set(photo().key, [...steps, before].slice(-100));
  photo().boxes = boxes;
  savePhoto(photo());
  render();
}

function changeChosen(change) {
  const index = editor.chosen;
  if (chosen()) correct(photo().boxes.map((box, k) => k === index ? {...box, ...change} : box));
}

function addBox(sides) {
  const box = {...sides, label: $('class').value, score: null, corrected: true, removed: false, known_mm: null};
  correct([...photo().boxes, box]);
  setDrawing(false);
  editor.choose(photo().boxes.length - 1);
  editor.root.focus({preventScroll: true});
}

function removeChosen() {
  changeChosen({removed: true, known_mm: null});
  editor.choose(-1);
}

function undo() {
  const steps = history.get(photo().key) ?? [];
  if (!steps.length) return;
  photo().boxes = steps.pop();
  editor.choose(-1);
  savePhoto(photo());
  render();
}

function setDrawing(drawing) {
  editor.setDrawing(drawing);
  $('draw').setAttribute('aria-pressed', drawing);
  if (drawing) editor.choose(-1);
  render();
}

// --- uploads ---

async function upload(files) {
  const images = [...files];
  if (!images.length) return;
  if (working) return notice('Other photographs are being added: wait until they are done, then add these.');
  const room = state.limits.files - state.photographs.length;
  if (images.length > room) {
    addProblem(`The page takes ${plural(state.limits.files, 'photograph')} at a time: ` +
      `${plural(images.length - Math.max(room, 0), 'photograph was', 'photographs were')} skipped.`);
    images.length = Math.max(room, 0);
  }
  working = true;
  stopped = false;
  notice('');
  let done = 0;
  for (const file of images) {
    if (stopped) break;
    progress(++done, images.length, file.name);
    await uploadOne(file);
  }
  working = false;
  $('progress').hidden = true;
  render();
}

async function uploadOne(file) {
  if (file.size > state.limits.megabytes * 1e6) {
    addProblem(`${file.name} is larger than ${state.limits.megabytes} MB. Save it smaller.`);
    return;
  }
  try {
    const added = await call(`photographs?name=${encodeURIComponent(file.name)}`, {method: 'POST', body: file});
    state.photographs.push(added);
    if (state.photographs.length === 1) current = 0;
  } catch (error) {
    addProblem(error.status ? error.message : `${file.name}: ${error.message}`);
    if (!error.status || [403, 410].includes(error.status)) stopped = true;
  }
  render();
}

function progress(done, all, name) {
  $('progress').hidden = false;
  $('progress-bar').max = all;
  $('progress-bar').value = done - 0.5;
  $('progress-text').textContent = `Processing ${done} of ${all}: ${name}`;
}

async function uploadExample(name) {
  try {
    const answer = await fetch(`static/example-${name}.jpg`);
    await upload([new File([await answer.blob()], `example-${name}.jpg`)]);
  } catch {
    notice('The program that serves this page does not answer. Is it still running?');
  }
}

// --- messages ---

function notice(text) {
  $('notice').textContent = text;
  $('notice').hidden = !text;
}

function addProblem(text) {
  state.problems.push(text);
  render();
}

function renderProblems() {
  $('problems').hidden = !state.problems.length;
  $('problems-title').textContent = state.problems.length === 1 ? 'One file could not be used' : 'Some files could not be used';
  $('problems').querySelector('ul').replaceChildren(...state.problems.map(text => element('li', {textContent: text})));
}

// --- rendering ---

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function render() {
  const any = state.photographs.length > 0;
  current = Math.min(current, Math.max(state.photographs.length - 1, 0));
  renderProblems();
  $('start').hidden = any || working;
  $('results').hidden = !any;
  $('add-more').disabled = working;
  if (!any) return editor.clear();
  const one = photo();
  editor.show(`api/photographs/${one.key}/view.jpg`, one, one.boxes, box => isShown(one, box));
  renderTotal();
  renderViewer(one);
  renderBoxes(one);
  renderThreshold();
  renderScale(one);
  renderTable();
  renderDownloads();
}

function renderTotal() {
  const boxes = state.photographs.flatMap(shown), words = countWords(boxes, state.model.classes);
  $('total').replaceChildren(
    element('strong', {textContent: boxes.length ? plural(boxes.length, 'plate') : 'No plates'}),
    ` in ${plural(state.photographs.length, 'photograph')}` + (words ? `: ${words}` : ''));
}

function renderViewer(one) {
  $('name').textContent = $('name').title = one.name;
  $('position').textContent = `${current + 1} of ${state.photographs.length}`;
  $('previous').disabled = current === 0;
  $('next').disabled = current === state.photographs.length - 1;
  $('delete').disabled = !chosen();
  $('undo').disabled = !history.get(one.key)?.length;
  if (chosen()) $('class').value = chosen().label;
  $('help').textContent = editor.drawing ? 'Drag from one corner of the plate to the opposite one.'
    : chosen() ? 'Drag the box or its corners, choose another kind, or remove it.'
    : shown(one).length ? 'Click a box to correct it. Pinch, Ctrl+wheel or + to zoom.'
    : 'No plate found. Lower the score threshold, or add a plate by hand.';
  const strip = $('strip'), scrolled = strip.scrollLeft;
  strip.replaceChildren(...state.photographs.map((other, k) => {
    const count = shown(other).length + (other.checked_at === null ? '' : ' ✓');
    const button = element('button', {type: 'button', title: other.name, onclick: () => go(k)},
      element('img', {src: `api/photographs/${other.key}/thumbnail.jpg`, alt: other.name}), element('span', {textContent: count}));
    button.setAttribute('aria-current', k === current);
    return button;
  }));
  strip.scrollLeft = scrolled;
  strip.hidden = state.photographs.length < 2;
}

function renderBoxes(one) {
  const scale = pxPerMm(one), boxes = shown(one);
  $('counts').textContent = boxes.length ? capital(countWords(boxes, state.model.classes)) : 'No plate';
  $('boxes').replaceChildren(...boxes.map(box => {
    const index = one.boxes.indexOf(box), kind = classOf(box.label);
    const dot = element('span', {className: 'dot'});
    dot.style.background = kind.color;
    const value = box.score === null ? 'by hand' : score(box.score) + (box.corrected ? ', corrected' : '');
    const size = scale ? `${millimeters(longer(box), scale)} · ` : '';
    const button = element('button', {type: 'button', onclick: () => editor.choose(index)},
      dot, element('span', {textContent: capital(kind.one)}), element('span', {className: 'number hint', textContent: size + value}));
    button.setAttribute('aria-current', index === editor.chosen);
    return element('li', {}, button);
  }));
  $('checked').checked = one.checked_at !== null;
}

function renderThreshold() {
  const {quality, threshold} = state.model;
  $('threshold').value = state.threshold;
  $('threshold-value').textContent = score(state.threshold);
  $('recommended').textContent = `Back to the recommended ${score(threshold)}`;
  $('recommended').disabled = state.threshold === threshold;
  $('cost').hidden = !quality;
  if (!quality) return;
  drawChart($('chart'), quality.curve, state.threshold);
  $('cost-text').textContent = cost(quality, state.threshold);
}

function renderScale(one) {
  const box = chosen(), source = scaleSource(one), own = source === one;
  const known = own ? one.boxes.find(other => other.known_mm && !other.removed) : null;
  $('scale-form').hidden = !box;
  $('clear-scale').hidden = !own;
  $('scale-all').closest('label').hidden = !own || !one.px_per_mm;
  $('scale-all').checked = state.scale_from === one.key;
  let text = 'Click a plate whose size you know, best a round dish, then type its size here.';
  if (box) text = `The selected plate is ${Math.round(longer(box))} pixels long. What is its real length (a dish: its diameter)?`;
  if (own && one.scale_problem) text = "The edge of the photograph cuts this plate off. Select one that is completely visible.";
  else if (pxPerMm(one)) {
    const from = own ? `the plate of ${known.known_mm} mm` : source.name;
    text = `1 mm is ${pxPerMm(one).toFixed(2)} pixels, from ${from}. This holds at the same distance, seen from above. The box of a turned plate is larger than the plate.`;
  }
  $('scale-text').textContent = text;
}

function renderTable() {
  const {classes} = state.model;
  const counts = boxes => classes.map(({name}) => boxes.filter(box => box.label === name).length);
  const row = (tag, cells, first) => element('tr', {}, first, ...cells.map(cell => element(tag, {textContent: cell})));
  const head = row('th', [...classes.map(({many}) => capital(many)), 'All'], element('th', {textContent: 'Photograph'}));
  const body = state.photographs.map((one, k) => {
    const boxes = shown(one), link = element('button', {type: 'button', className: 'plain', textContent: one.name, onclick: () => go(k)});
    return row('td', [...counts(boxes), boxes.length], element('td', {}, link));
  });
  const all = state.photographs.flatMap(shown);
  const foot = row('td', [...counts(all), all.length], element('td', {textContent: 'All'}));
  $('table').replaceChildren(element('thead', {}, head), element('tbody', {}, ...body), element('tfoot', {}, foot));
}

function renderDownloads() {
  const checked = state.photographs.filter(one => one.checked_at !== null).length;
  $('dataset').setAttribute('aria-disabled', !checked);
  $('dataset').textContent = checked ? `Data set of ${plural(checked, 'photograph')} (.zip)` : 'Data set (.zip)';
  $('dataset-text').textContent = checked
    ? 'The photographs marked “All boxes are right”, with their boxes, to train the model on.'
    : 'Correct the boxes and mark photographs with “All boxes are right”: these become the data set.';
  $('check-all').hidden = checked === state.photographs.length;
}

function renderModel() {
  const {model, limits} = state, names = model.classes.map(({many}) => many);
  const list = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names[0];
  $('purpose').textContent = `Finds ${list} in photographs.`;
  $('model-name').textContent = `Model: ${model.name}`;
  const lines = [
    `Finds ${list}. Settings: ${model.config}. Recommended score threshold: ${score(model.threshold)}.`,
    model.quality ? cost(model.quality, model.threshold) : 'This model has no test results, so its accuracy is not known.',
    model.quality?.remarks, 'It makes mistakes: look at its boxes before you rely on the counts.', model.note];
  $('model-card').replaceChildren(...lines.filter(Boolean).map(text => element('p', {textContent: text})));
  $('class').replaceChildren(...model.classes.map(({name, one}) => element('option', {value: name, textContent: capital(one)})));
  const formats = state.downloads.filter(formatName);
  $('format').replaceChildren(...formats.map(kind => element('option', {value: kind, textContent: formatName(kind)})));
  $('limits').textContent = `Up to ${plural(limits.files, 'photograph')} of ${limits.megabytes} MB: JPEG, PNG, TIFF, HEIC and others.`;
  $('privacy').textContent = 'Photographs stay on the computer that serves this page, and are removed when you remove them, ' +
    `when nobody has used them for ${plural(state.idle_minutes, 'minute')}, or when the program ends.`;
  setFormat();
}

// --- event handlers ---

function go(index) {
  if (!(index in state.photographs)) return;
  current = index;
  setDrawing(false);
  $('strip').children[current]?.scrollIntoView({block: 'nearest', inline: 'nearest'});
}

function setThreshold(value) {
  state.threshold = value;
  render();
  clearTimeout(setThreshold.timer);
  setThreshold.timer = setTimeout(() => save(() => put('settings', {threshold: value})), 200);
}

function setScale() {
  const known = Number($('known').value), index = editor.chosen;
  if (!(known >= 1 && known <= 2000)) return notice('Type a size between 1 and 2000 mm.');
  notice('');
  correct(photo().boxes.map((box, k) => ({...box, known_mm: k === index ? known : null})));
}

function setScaleFrom(key) {
  state.scale_from = key;
  save(() => put('settings', {scale_from: key}));
  render();
}

function check(ones, checked) {
  for (const one of ones) {
    one.checked_at = checked ? lowest(one) : null;
    savePhoto(one);
  }
  render();
}

function setFormat() {
  $('export').href = `api/download/${$('format').value}`;
}

function removePhoto() {
  const {key} = photo();
  save(async () => {
    await call(`photographs/${key}`, {method: 'DELETE'});
    state.photographs = state.photographs.filter(one => one.key !== key);
    if (state.scale_from === key) state.scale_from = null;
    render();
  });
}

function removeAll() {
  if (!confirm('Remove all photographs and corrections from this page?')) return;
  save(async () => {
    await call('photographs', {method: 'DELETE'});
    Object.assign(state, {photographs: [], problems: [], scale_from: null});
    history.clear();
    render();
  });
}

async function download(link) {
  if (link.getAttribute('aria-disabled') === 'true') return;
  link.setAttribute('aria-disabled', true);
  notice('');
  clearTimeout(setThreshold.timer);
  await save(() => put('settings', {threshold: state.threshold}));
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).problem ?? 'The download failed.');
    const name = decodeURIComponent(answer.headers.get('content-disposition').split("''")[1]);
    const url = URL.createObjectURL(await answer.blob());
    element('a', {href: url, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  } catch (error) {
    notice(error.message === 'Failed to fetch' ? 'The program that serves this page does not answer. Is it still running?' : error.message);
  }
  link.removeAttribute('aria-disabled');
}

function keydown(event) {
  if (!photo() || event.target.closest('input, select, textarea')) return;
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key === 'z') undo();
  else if (control || event.altKey) return;
  else if (['Delete', 'Backspace'].includes(event.key)) removeChosen();
  else if (event.key === 'Escape') editor.drawing ? setDrawing(false) : editor.choose(-1);
  else if (event.key === 'a') setDrawing(true);
  else if (event.key === 'ArrowLeft') go(current - 1);
  else if (event.key === 'ArrowRight') go(current + 1);
  else return;
  event.preventDefault();
}

function listen() {
  const click = actions => {
    for (const [id, action] of Object.entries(actions)) $(id).addEventListener('click', action);
  };
  click({
    previous: () => go(current - 1), next: () => go(current + 1), draw: () => setDrawing(!editor.drawing),
    delete: removeChosen, undo, fit: () => editor.fit(), stop: () => { stopped = true; },
    'zoom-in': () => editor.zoom(1.5), 'zoom-out': () => editor.zoom(1 / 1.5),
    'remove-photo': removePhoto, 'remove-all': removeAll, 'add-more': () => $('files').click(),
    'set-scale': setScale, 'check-all': () => check(state.photographs.filter(one => one.checked_at === null), true),
    'clear-scale': () => correct(photo().boxes.map(box => ({...box, known_mm: null}))),
    recommended: () => setThreshold(state.model.threshold),
    'problems-close': () => { state.problems = []; render(); },
  });
  $('files').addEventListener('change', event => { upload(event.target.files); event.target.value = ''; });
  $('class').addEventListener('change', event => changeChosen({label: event.target.value, corrected: true}));
  $('threshold').addEventListener('input', event => setThreshold(Number(event.target.value)));
  $('format').addEventListener('change', setFormat);
  $('checked').addEventListener('change', event => check([photo()], event.target.checked));
  $('scale-all').addEventListener('change', event => setScaleFrom(event.target.checked ? photo().key : null));
  $('known').addEventListener('keydown', event => { if (event.key === 'Enter') setScale(); });
  for (const button of document.querySelectorAll('[data-example]')) {
    button.addEventListener('click', () => uploadExample(button.dataset.example));
  }
  for (const link of document.querySelectorAll('#downloads a')) {
    link.addEventListener('click', event => {
      event.preventDefault();
      download(link);
    });
  }
  addEventListener('keydown', keydown);
  addEventListener('beforeunload', event => { if (working) event.preventDefault(); });
  addEventListener('dragover', event => { event.preventDefault(); $('dropping').hidden = false; });
  addEventListener('dragleave', event => { if (!event.relatedTarget) $('dropping').hidden = true; });
  addEventListener('drop', event => {
    event.preventDefault();
    $('dropping').hidden = true;
    upload(event.dataTransfer.files);
  });
  addEventListener('click', event => { if (!event.target.closest('#model')) $('model').open = false; });
}

async function start() {
  try {
    Object.assign(state, await call('state'));
  } catch (error) {
    notice(error.message);
    return;
  }
  renderModel();
  listen();
  render();
  if (state.expired) notice(`Earlier photographs were removed: nobody used them for ${plural(state.idle_minutes, 'minute')}.`);
  document.body.dataset.ready = 'yes';
}

start();
