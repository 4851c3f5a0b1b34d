"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const cards = [...document.querySelectorAll("article.card")];
  if (!cards.length) return;
  const panes = ["left", "right"].map(byId);
  const view = { image: 0, zoom: 1, x: 0, y: 0, heat: true, hidden: new Set(), shown: new Set(), wanted: new Set() };
  const loaded = new Map(); // image number -> promise of its picture and layers; a few are kept
  let current = null;
  let asked = 0; // the newest request for an image: an older one that is ready later is not shown

  const picture = (uri) => new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = reject;
    image.src = uri;
  });
  const pixels = (image) => {
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  };

  async function load(number) {
    const layers = JSON.parse(byId(`layers-${number}`).textContent);
    const grey = pixels(await picture(cards[number].querySelector(".pictures img").src));
    for (const layer of Object.values(layers.layers)) {
      if (layer.heat) layer.heat.values = pixels(await picture(layer.heat.png)).data;
    }
    return { ...layers, grey };
  }
  function get(number) {
    if (!loaded.has(number)) loaded.set(number, load(number));
    for (const other of loaded.keys()) if (Math.abs(other - number) > 3) loaded.delete(other);
    return loaded.get(number);
  }

  function radiograph() { // the grey values through window and level
    const { grey } = current;
    const width = Number(byId("width").value), level = Number(byId("level").value);
    const table = new Uint8ClampedArray(256);
    for (let v = 0; v < 256; v++) table[v] = ((v - level) / width + 0.5) * 255;
    const canvas = new OffscreenCanvas(grey.width, grey.height);
    const context = canvas.getContext("2d");
    const out = context.createImageData(grey.width, grey.height);
    for (let i = 0; i < out.data.length; i += 4) {
      out.data[i] = out.data[i + 1] = out.data[i + 2] = table[grey.data[i]];
      out.data[i + 3] = 255;
    }
    context.putImageData(out, 0, 0);
    return canvas;
  }
  const rgb = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

  function heat(layer) { // the maps that are shown, mixed by their strength
    const { columns, rows, values } = layer.heat;
    const least = Number(byId("threshold").value) / 100 * 255, opacity = Number(byId("opacity").value) / 100;
    const canvas = new OffscreenCanvas(columns, rows);
    const context = canvas.getContext("2d");
    const out = context.createImageData(columns, rows);
    const classes = layer.classes.map((c, at) => [rgb(c.colour), at * columns * rows * 4, isShown(c)]).filter((c) => c[2]);
    for (let i = 0; i < columns * rows; i++) {
      let total = 0, most = 0, red = 0, green = 0, blue = 0;
      for (const [colour, start] of classes) {
        const value = values[start + i * 4];
        if (value < least || value === 0) continue;
        total += value; most = Math.max(most, value);
        red += value * colour[0]; green += value * colour[1]; blue += value * colour[2];
      }
      if (!total) continue;
      out.data.set([red / total, green / total, blue / total, most * opacity], i * 4);
    }
    context.putImageData(out, 0, 0);
    return canvas;
  }
  function lines(context, layer, width, height, scale) {
    const [w, h] = current.size, named = [];
    for (const c of layer.classes) {
      if (!isShown(c)) continue;
      const path = new Path2D();
      for (const line of c.outlines) {
        for (let i = 0; i < line.length; i += 2) path[i ? "lineTo" : "moveTo"](line[i] * width, line[i + 1] * height);
      }
      for (const [x0, y0, x1, y1] of c.boxes) path.rect(x0 / w * width, y0 / h * height, (x1 - x0) / w * width, (y1 - y0) / h * height);
      for (const [ink, thick] of [["#000a", 4], [c.colour, 2]]) {
        context.strokeStyle = ink;
        context.lineWidth = thick / scale;
        context.stroke(path);
      }
      const [x, y] = c.boxes.length ? [c.boxes[0][0] / w * width, c.boxes[0][1] / h * height] : [NaN, NaN];
      if (!Number.isNaN(x)) { // a name beside the colour: colours alone are not told apart by everyone
        const text = c.probability === null ? c.name : `${c.name} ${c.probability.toFixed(2)}`;
        context.font = `${16 / scale}px system-ui, sans-serif`;
        let below = Math.max(y - 5 / scale, 16 / scale);
        const wide = context.measureText(text).width, step = 18 / scale;
        const covers = (other) => Math.abs(other.y - below) < step && x < other.x + other.wide && other.x < x + wide;
        while (named.some(covers)) below += step;
        named.push({ x, y: below, wide });
        context.lineWidth = 4 / scale;
        context.strokeStyle = "#000";
        context.fillStyle = c.colour;
        context.strokeText(text, x, below);
        context.fillText(text, x, below);
      }
    }
  }
  // A map is stretched by its own peak, so that of an absent finding looks like much: it is shown when asked for alone.
  const isShown = (c) => view.shown.has(c.name) && (c.present || view.wanted.has(c.name));

  function draw() {
    if (!current) return;
    const grey = radiograph();
    const beside = byId("beside").value;
    const layers = [current.layers.found, current.layers[beside] || null];
    panes.forEach((canvas, at) => {
      canvas.width = current.grey.width;
      canvas.height = current.grey.height;
      const context = canvas.getContext("2d");
      const { width, height } = canvas;
      context.setTransform(view.zoom, 0, 0, view.zoom, -view.x * view.zoom * width, -view.y * view.zoom * height);
      context.imageSmoothingEnabled = true;
      context.drawImage(grey, 0, 0);
      const layer = layers[at];
      if (!layer) return;
      if (layer.heat && view.heat) context.drawImage(heat(layer), 0, 0, width, height);
      if (byId("lines").checked) lines(context, layer, width, height, view.zoom);
    });
    byId("opacity-text").value = `${byId("opacity").value}%`;
    byId("threshold-text").value = `${byId("threshold").value}%`;
    byId("zoom").value = Math.round(view.zoom * 100);
  }
  let waiting = false;
  function redraw() { // once a frame, however many events came
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  }

  function listClasses() {
    const box = byId("classes");
    box.querySelectorAll("label").forEach((label) => label.remove());
    view.shown = new Set();
    const named = new Map();
    for (const layer of Object.values(current.layers)) {
      for (const c of layer.classes) if (!named.has(c.name) || c.present) named.set(c.name, c);
    }
    [...named.values()].forEach((c, at) => {
      const own = current.layers.found.classes.find((other) => other.name === c.name) || c;
      if ((c.present && !view.hidden.has(c.name)) || view.wanted.has(c.name)) view.shown.add(c.name);
      const label = document.createElement("label"), input = document.createElement("input");
      const swatch = document.createElement("span");
      input.type = "checkbox";
      input.checked = view.shown.has(c.name);
      input.dataset.name = c.name;
      input.addEventListener("change", () => {
        view.shown[input.checked ? "add" : "delete"](c.name);
        view.hidden[input.checked ? "delete" : "add"](c.name);
        view.wanted[input.checked ? "add" : "delete"](c.name);
        redraw();
      });
      swatch.className = "swatch";
      swatch.style.background = c.colour;
      label.className = own.present ? "" : "absent";
      const probability = own.probability === null ? "" : ` ${own.probability.toFixed(2)}`;
      label.append(input, " ", swatch, `${at < 9 ? `${at + 1} ` : ""}${c.name}${probability}`);
      box.append(label);
    });
  }

  async function show(number) {
    const wanted = (number + cards.length) % cards.length, request = ++asked;
    const ready = await get(wanted);
    if (request !== asked) return;
    current = ready;
    view.image = wanted;
    const select = byId("beside"), kept = select.options.length ? select.value : null;
    select.replaceChildren(...current.beside.map(([key, text]) => new Option(text, key)));
    if (current.beside.some(([key]) => key === kept)) select.value = kept;
    byId("where").value = `${wanted + 1} of ${cards.length}`;
    listClasses();
    caption();
    document.querySelectorAll("#strip button").forEach((button, at) => {
      button.setAttribute("aria-selected", String(at === wanted));
      button.tabIndex = at === wanted ? 0 : -1;
      if (at === wanted) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    });
    draw();
    byId("viewer").dataset.shown = String(wanted);
    for (const near of [wanted + 1, wanted - 1]) if (near >= 0 && near < cards.length) get(near);
  }
  function caption() {
    const select = byId("beside"), name = cards[view.image].querySelector("h2").textContent;
    const beside = select.selectedOptions[0] ? select.selectedOptions[0].text : "";
    byId("left-caption").textContent = `${current.title} · ${name}`;
    byId("right-caption").textContent = beside;
    panes[0].setAttribute("aria-label", `${name} with what was found`);
    panes[1].setAttribute("aria-label", `${name}: ${beside}`);
  }
  function reset() {
    Object.assign(view, { zoom: 1, x: 0, y: 0 });
    byId("width").value = 255;
    byId("level").value = 128;
    redraw();
  }
  function zoomTo(zoom, fx = 0.5, fy = 0.5) { // the point (fx, fy) of the pane stays where it is
    const next = Math.min(Math.max(zoom, 1), 8);
    view.x += fx / view.zoom - fx / next;
    view.y += fy / view.zoom - fy / next;
    view.zoom = next;
    move(0, 0);
  }
  function move(dx, dy) {
    const most = 1 - 1 / view.zoom;
    view.x = Math.min(Math.max(view.x + dx / view.zoom, 0), most);
    view.y = Math.min(Math.max(view.y + dy / view.zoom, 0), most);
    redraw();
  }
  function slide(id, by) {
    const input = byId(id);
    input.value = Number(input.value) + by;
  }

  for (const canvas of panes) {
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = { x: event.clientX, y: event.clientY, windowing: event.shiftKey || event.button === 2 };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      const dx = event.clientX - held.x, dy = event.clientY - held.y;
      held.x = event.clientX;
      held.y = event.clientY;
      if (held.windowing) {
        slide("width", dx);
        slide("level", dy);
        redraw();
      } else move(-dx / canvas.clientWidth, -dy / canvas.clientHeight);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = null; });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", reset);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      zoomTo(view.zoom * Math.exp(-event.deltaY / 400), (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    }, { passive: false });
  }
  for (const id of ["opacity", "threshold", "lines", "width", "level"]) byId(id).addEventListener("input", redraw);
  byId("zoom").addEventListener("input", () => zoomTo(Number(byId("zoom").value) / 100));
  byId("beside").addEventListener("change", () => { caption(); redraw(); });
  byId("previous").addEventListener("click", () => show(view.image - 1));
  byId("next").addEventListener("click", () => show(view.image + 1));
  byId("reset").addEventListener("click", reset);
  byId("strip").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) show(Number(button.dataset.image));
  });
  const keys = {
    ArrowLeft: () => show(view.image - 1),
    ArrowRight: () => show(view.image + 1),
    h: () => { view.heat = !view.heat; redraw(); },
    o: () => byId("lines").click(),
    r: reset,
    "+": () => zoomTo(view.zoom * 1.25),
    "=": () => zoomTo(view.zoom * 1.25),
    "-": () => zoomTo(view.zoom / 1.25),
    w: () => move(0, -0.1), s: () => move(0, 0.1), a: () => move(-0.1, 0), d: () => move(0.1, 0),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const own = event.target.closest("input[type=range], select");
    if (own && event.key.startsWith("Arrow")) return; // the arrows are the slider's
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const box = /^[1-9]$/.test(key) ? document.querySelectorAll("#classes input")[Number(key) - 1] : null;
    if (box) box.click();
    else if (keys[key]) keys[key]();
    else return;
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("#strip button")) {
    const image = new Image();
    image.alt = "";
    image.decoding = "async";
    image.src = button.dataset.thumbnail;
    button.prepend(image);
  }
  byId("viewer").hidden = false;
  show(0);
})();
