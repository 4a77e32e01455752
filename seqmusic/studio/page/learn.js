// Learn: a training in a process of its own, its loss curve as it grows.
import { post, read, stream } from "./api.js";
import { desk, say, showProblem } from "./desk.js";
import { make } from "./score.js";
import { number, t } from "./words.js";

const byId = (id) => document.getElementById(id);
const WIDTH = innerWidth < 900 ? 360 : 840, HEIGHT = innerWidth < 900 ? 220 : 300, LEFT = 52, BOTTOM = 34;

class Learn {
  losses = []; // [batch, loss]
  validations = []; // [batch, nats per cell]

  start(options) {
    byId("learn-start").addEventListener("click", () => this.begin());
    byId("learn-stop").addEventListener("click", () => post("/learning/stop").catch(showProblem));
    byId("learn-use").addEventListener("click", () => this.onUse?.(this.model));
    if (options.is_training) this.follow();
    this.draw();
  }

  async begin() {
    try {
      showProblem(null);
      const { model } = await post("/learning/start", { minutes: Number(byId("minutes").value) });
      this.model = model;
      await this.follow();
    } catch (error) {
      showProblem(error);
    }
  }

  async follow() {
    Object.assign(this, { losses: [], validations: [], steps: null, validation: null });
    this.#buttons(true);
    byId("learn-state").textContent = t("learn_begins");
    let last = {};
    try {
      await stream("/learning/events", { on: async (name, data) => {
        if (name === "end") { this.model = data.model; return; }
        last = data;
        this.#report(data);
      } });
    } catch (error) {
      showProblem(error);
    }
    this.#buttons(false);
    if (last.error) showProblem({ message: last.error });
    byId("learn-state").textContent = last.done ? t("learn_done") : t("learn_stopped");
    say(byId("learn-state").textContent);
    this.draw();
    const options = await read("/options");
    byId("learn-use").hidden = !options.models.includes(this.model);
    desk.useModels(options);
  }

  #buttons(isRunning) {
    byId("learn-start").hidden = isRunning;
    byId("learn-stop").hidden = !isRunning;
    byId("learn-use").hidden = true;
  }

  #report({ step, loss, validation, steps }) {
    if (steps) this.steps = steps;
    if (loss !== undefined) this.losses.push([step, loss]);
    if (validation !== undefined) { this.validations.push([step, validation]); this.validation = validation; }
    if (loss !== undefined && step % 5 && step > 10) return;
    const known = this.validation ? t("learn_validation", { validation: number(this.validation, 3) }) : "";
    if (this.losses.length) byId("learn-state").textContent = t("learn_state", { step: this.losses.at(-1)[0], loss: number(this.losses.at(-1)[1], 3) }) + known;
    this.draw();
  }

  draw() {
    const last = this.losses.at(-1)?.[0] ?? 0, end = Math.max(60, Math.min(1.25 * last, this.steps ?? 1000)).toFixed(0), top = 4; // larger losses are drawn at the top
    const x = (step) => LEFT + (step / end) * (WIDTH - LEFT - 12), y = (loss) => HEIGHT - BOTTOM - (Math.min(loss, top) / top) * (HEIGHT - BOTTOM - 14);
    const median = (i) => this.losses.slice(Math.max(0, i - 8), i + 1).map(([, loss]) => loss).sort((p, q) => p - q)[Math.min(i, 8) >> 1];
    const smooth = this.losses.map(([step], i) => `${x(step).toFixed(1)},${y(median(i)).toFixed(1)}`).join(" ");
    const dots = this.losses.filter((_, i) => i % Math.ceil(this.losses.length / 400) === 0).map(([step, loss]) => `<circle cx="${x(step).toFixed(1)}" cy="${y(loss).toFixed(1)}" r="1.6" fill="#22527a" opacity=".3"/>`).join("");
    const grid = Array.from({ length: Math.floor(top) + 1 }, (_, loss) => `<path d="M${LEFT} ${y(loss)}H${WIDTH - 12}" stroke="#e6dfd3"/><text x="${LEFT - 8}" y="${y(loss) + 4}" text-anchor="end" font-size="13" fill="#5c564d">${loss}</text>`).join("");
    const valid = this.validations.map(([step, nats]) => `<path d="M${x(step) - 5} ${y(nats)}h10m-5 -5v10" stroke="#a8361a" stroke-width="2"/>`).join("");
    byId("learn-curve").innerHTML = `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${t("learn_curve")}">${grid}${dots}<polyline points="${smooth}" fill="none" stroke="#22527a" stroke-width="2.5"/>${valid}<text x="${WIDTH - 12}" y="${HEIGHT - 8}" text-anchor="end" font-size="13" fill="#5c564d">${t("learn_batch")} ${end}</text></svg>`;
    const rows = this.validations.map(([step, nats]) => make("tr", {}, make("td", { class: "number" }, String(step)), make("td", { class: "number" }, number(this.losses.findLast(([s]) => s <= step)?.[1] ?? 0, 3)), make("td", { class: "number" }, number(nats, 4))));
    byId("learn-numbers").replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...["learn_batch", "learn_loss", "learn_valid"].map((name) => make("th", { scope: "col", class: "number" }, t(name))))), make("tbody", {}, ...rows)));
  }
}

export const learn = new Learn();
