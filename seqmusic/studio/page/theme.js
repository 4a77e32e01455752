// A theme is typed, clicked on a staff, played on screen, on the computer's keys or on a MIDI keyboard.
// All ways write into the same text, which the server reads.
import { player } from "./player.js";
import { make } from "./score.js";
import { t, valueName } from "./words.js";

const VALUES = [["1/16", 6], ["1/8", 12], ["1/4", 24], ["3/8", 36], ["1/2", 48], ["3/4", 72], ["1", 96]]; // typed value, ticks
const SHARPS = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"], FLATS = ["C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"];
const KEYS = "awsedftgyhujk";
const FIRST = 60, COUNT = 25; // the piano's lowest key (MIDI number), and how many it has
const byId = (id) => document.getElementById(id);

function noteSign(ticks) { // a note as it is printed
  const sign = make("span", { class: "sign" }), flags = ticks < 12 ? 2 : ticks < 24 ? 1 : 0;
  const stem = ticks < 96 ? `<path d="M11.2 21V4${flags ? "q1 4 5 6" : ""}${flags > 1 ? "M11.2 9q1 4 5 6" : ""}" fill="none" stroke="currentColor" stroke-width="1.4"/>` : "";
  const dot = ticks === 36 || ticks === 72 ? '<circle cx="16" cy="21" r="1.5"/>' : "";
  sign.innerHTML = `<svg viewBox="0 0 20 26" aria-hidden="true"><ellipse cx="7" cy="22" rx="4.4" ry="3" transform="rotate(-18 7 22)" stroke="currentColor" stroke-width="1.5" fill="${ticks < 48 ? "currentColor" : "none"}"/>${stem}${dot}</svg>`;
  return sign;
}

export class ThemeEntry {
  constructor({ onTheme }) { // onTheme(text) after a change
    Object.assign(this, { onTheme, value: "1/4", usesFlats: false, octave: 0 });
    this.text = byId("theme");
    this.text.addEventListener("input", () => this.#changed(500));
    this.text.addEventListener("keydown", (event) => event.stopPropagation());
    byId("theme-back").addEventListener("click", () => this.back());
    byId("theme-clear").addEventListener("click", () => { this.text.value = ""; this.text.focus(); });
    byId("midi-in").addEventListener("click", () => this.#connect());
    this.draw();
  }

  draw() {
    byId("values").replaceChildren(...VALUES.map(([value, ticks]) => make("button", { type: "button", "aria-pressed": String(value === this.value), "aria-label": valueName(ticks), title: valueName(ticks), onclick: () => { this.value = value; this.draw(); } }, noteSign(ticks))),
      make("button", { type: "button", onclick: () => this.add("R") }, t("rest")), make("button", { type: "button", "aria-label": "|", onclick: () => this.addBar() }, "|"));
    this.#drawPiano();
    this.#drawPad();
  }

  setText(text) {
    if (!byId("staff-pad").querySelector("[transform*=scale]")) this.#drawPad();
    if (document.activeElement !== this.text) this.text.value = text;
  }

  add(sound) {
    const text = this.text.value.trimEnd(), last = /:([0-9/.]+)\^?(?!.*:[0-9/.])/.exec(text), written = last ? last[1] : "1/4";
    this.text.value = `${text}${text ? " " : ""}${sound}${written === this.value ? "" : `:${this.value}`}`;
    this.#changed(250);
  }

  addBar() {
    this.text.value = `${this.text.value.trimEnd()} |`;
    this.#changed(250);
  }

  addPitch(pitch) {
    player.strike(pitch);
    this.add(`${(this.usesFlats ? FLATS : SHARPS)[pitch % 12]}${Math.floor(pitch / 12) - 1}`);
  }

  back() {
    this.text.value = this.text.value.trimEnd().replace(/\s*\S+$/, "");
    this.#changed(100);
  }

  showProblem(error, text) { // at its place, as typed; null clears
    const place = byId("theme-problem");
    this.text.setAttribute("aria-invalid", String(Boolean(error)));
    if (!error) return place.replaceChildren();
    place.replaceChildren(text);
    if (error.position) {
      const at = error.position - 1, typed = this.text.value, wrong = /^\S*/.exec(typed.slice(at))[0] || typed.slice(at, at + 1) || " ";
      place.append(make("br"), `${at > 14 ? "… " : ""}${typed.slice(Math.max(0, at - 14), at)}`, make("code", {}, wrong), typed.slice(at + wrong.length, at + wrong.length + 14));
    }
    return null;
  }

  #changed(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.onTheme(this.text.value), delay);
  }

  #drawPiano() {
    const piano = byId("piano"), first = FIRST + 12 * this.octave, whites = [], blacks = [];
    for (let pitch = first; pitch < first + COUNT; pitch += 1) {
      const name = SHARPS[pitch % 12], isBlack = name.length > 1;
      const key = make("button", { type: "button", class: isBlack ? "black" : "", "aria-label": `${name}${Math.floor(pitch / 12) - 1}`, tabindex: pitch === first ? "0" : "-1", "data-pitch": pitch });
      if (!isBlack) key.append(pitch % 12 === 0 ? `C${Math.floor(pitch / 12) - 1}` : "");
      (isBlack ? blacks : whites).push(key);
      if (isBlack) key.style.left = `${(100 * whites.length) / 15}%`;
      key.addEventListener("click", () => this.addPitch(pitch));
    }
    for (const key of blacks) key.style.width = `${60 / 15}%`;
    piano.replaceChildren(...whites, ...blacks);
    piano.onkeydown = (event) => this.#pianoKey(event, first);
  }

  #pianoKey(event, first) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pitch = Number(event.target.dataset.pitch), index = KEYS.indexOf(event.key.toLowerCase());
    const moved = { ArrowRight: pitch + 1, ArrowLeft: pitch - 1 }[event.key];
    if (index >= 0 && event.key.length === 1) this.addPitch(first + index);
    else if (event.key === "z" || event.key === "x") this.#shift(event.key === "x" ? 1 : -1);
    else if (moved !== undefined) {
      const key = byId("piano").querySelector(`[data-pitch="${moved}"]`);
      if (key) { event.target.tabIndex = -1; key.tabIndex = 0; key.focus(); }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #shift(octaves) {
    this.octave = Math.min(1, Math.max(-2, this.octave + octaves));
    this.#drawPiano();
    byId("piano").querySelector("[tabindex='0']").focus();
  }

  // The staff that is clicked: steps from F3 below to A5 above, in the key's own notes
  #drawPad() {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), shape = (name, values) => { const one = document.createElementNS(svg.namespaceURI, name); Object.entries(values).forEach(([key, value]) => one.setAttribute(key, value)); svg.append(one); return one; };
    svg.setAttribute("viewBox", "0 0 2000 132");
    svg.setAttribute("preserveAspectRatio", "xMinYMid slice");
    for (let line = 0; line < 5; line += 1) shape("path", { d: `M0 ${36 + 15 * line}H2000`, stroke: "#8c8375", "stroke-width": 1 });
    const clef = document.querySelector("#desk-score g[id^=E050] path")?.getAttribute("d"); // as the engraver draws it
    if (clef) shape("path", { d: clef, transform: "translate(14 81) scale(.06 -.06)", fill: "#211e1a" });
    const ghost = shape("ellipse", { rx: 9, ry: 6.6, fill: "#22527a", opacity: 0, transform: "rotate(-18)" });
    const pad = byId("staff-pad");
    pad.setAttribute("role", "img");
    pad.setAttribute("aria-label", t("staff_pad"));
    pad.replaceChildren(svg);
    const stepOf = (event) => Math.round((96 - (event.clientY - svg.getBoundingClientRect().top)) / 7.5); // E4 on the lowest line is 0
    pad.onclick = (event) => this.addPitch(this.#pitchAt(stepOf(event)));
    pad.onpointermove = (event) => {
      ghost.setAttribute("transform", `translate(${event.clientX - svg.getBoundingClientRect().left} ${96 - 7.5 * stepOf(event)}) rotate(-18)`);
      ghost.setAttribute("opacity", "0.6");
    };
    pad.onpointerleave = () => ghost.setAttribute("opacity", "0");
  }

  #pitchAt(step) {
    const degree = (((step + 2) % 7) + 7) % 7, octave = 4 + Math.floor((step + 2) / 7), letter = "CDEFGAB"[degree];
    const sharps = this.sharps ?? 0, order = "FCGDAEB";
    const alter = sharps > 0 && order.slice(0, sharps).includes(letter) ? 1 : sharps < 0 && order.slice(7 + sharps).includes(letter) ? -1 : 0;
    return 12 * (octave + 1) + [0, 2, 4, 5, 7, 9, 11][degree] + alter;
  }

  setKey(sharps) {
    this.sharps = sharps;
    this.usesFlats = sharps < 0;
  }

  async #connect() {
    const button = byId("midi-in");
    try {
      const access = await navigator.requestMIDIAccess();
      const inputs = [...access.inputs.values()];
      if (!inputs.length) throw new Error("none");
      for (const input of inputs) input.onmidimessage = ({ data: [status, pitch, velocity] }) => { if ((status & 0xf0) === 0x90 && velocity) this.addPitch(pitch); };
      button.textContent = t("midi_on");
    } catch {
      this.showProblem({}, t("midi_none"));
    }
  }
}

