/**
 * Choosing a species while typing: an editable combobox with a list, as the ARIA
 * Authoring Practices describe it. The focus stays in the text field all the time.
 */

import { call, connection } from "./api.js";
import { el } from "./dom.js";
import { t } from "./language.js";

const PAUSE_BEFORE_SEARCH = 150;
const SUGGESTIONS = 8;

/** @typedef {{id: string, scientific: string, english: string, iucn?: string}} Species */

/** A species field: the text input, its list of suggestions and what was chosen. */
export class SpeciesField {
  /** @type {Species | null} */ #chosen = null;
  /** @type {Species[]} */ #items = [];
  #active = -1;
  #timer = 0;
  #search = new AbortController();

  /**
   * @param {HTMLInputElement} input with `role=combobox`
   * @param {HTMLElement} list with `role=listbox`
   * @param {HTMLElement} status a live region that tells how many there are
   */
  constructor(input, list, status) {
    this.input = input;
    this.list = list;
    this.status = status;
    input.addEventListener("input", () => this.#typed());
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.#left());
    // The list must not take the focus from the text field, or the field would close it.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => this.#clicked(event));
  }

  /** @returns {Species | null} what was chosen from the list */
  get chosen() {
    return this.#chosen;
  }

  /** @returns {string} what stands in the field, whether or not it was chosen */
  get name() {
    return this.input.value.trim();
  }

  /** Puts a species in, as it was chosen or typed before. */
  restore(id, name) {
    this.reset();
    this.input.value = name;
    if (id) this.#chosen = { id, english: name, scientific: name };
    else if (name) this.input.setCustomValidity(t("new.species.choose"));
  }

  /** Empties the field. */
  reset() {
    this.#chosen = null;
    this.#items = [];
    this.input.value = "";
    this.input.setCustomValidity("");
    this.#close();
  }

  #typed() {
    this.#chosen = null;
    clearTimeout(this.#timer);
    this.#search.abort();
    const text = this.input.value.trim();
    // Without a connection a name is as good: it is looked up when the tick is sent.
    const mustBeChosen = text && !connection.isLost;
    this.input.setCustomValidity(mustBeChosen ? t("new.species.choose") : "");
    if (!text) return this.#close();
    this.#timer = setTimeout(() => this.#find(text), PAUSE_BEFORE_SEARCH);
  }

  async #find(text) {
    this.#search = new AbortController();
    const { signal } = this.#search;
    const query = new URLSearchParams({ q: text, limit: String(SUGGESTIONS) });
    try {
      const { items } = await call("GET", `/api/v1/species?${query}`, { signal });
      if (!signal.aborted && document.activeElement === this.input) this.#open(items);
    } catch {
      if (signal.aborted) return;
      this.input.setCustomValidity("");
      this.status.textContent = t("new.species.silent");
    }
  }

  #open(items) {
    this.#items = items;
    this.#active = -1;
    this.list.replaceChildren(...items.map((item, index) => this.#option(item, index)));
    if (!items.length) this.list.append(el("li", { class: "none", role: "presentation" }, t("new.species.none")));
    this.list.hidden = false;
    // As much of the list as there is room for, but never without the field it belongs to.
    this.list.scrollIntoView({ block: "nearest" });
    this.input.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-expanded", "true");
    this.input.removeAttribute("aria-activedescendant");
    this.status.textContent = items.length ? t("new.species.found", { count: items.length }) : t("new.species.none");
  }

  #option(item, index) {
    return el(
      "li",
      { role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false", "data-index": index },
      el("span", { class: "english" }, item.english || item.scientific),
      el("span", { class: "scientific", lang: "la" }, item.scientific),
    );
  }

  /** Who typed a whole name and goes on has chosen it. */
  #left() {
    const text = this.input.value.trim().toLowerCase();
    const names = (item) => [item.english, item.scientific].some((name) => name?.toLowerCase() === text);
    const exact = this.list.hidden ? -1 : this.#items.findIndex(names);
    if (exact < 0) this.#close();
    else this.#choose(exact);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#search.abort();
    this.#active = -1;
    this.list.hidden = true;
    this.list.replaceChildren();
    this.status.textContent = "";
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) this.#move(event.key === "ArrowDown" ? 1 : -1);
      else if (this.input.value.trim()) this.#find(this.input.value.trim());
    } else if (event.key === "Enter" && open) {
      event.preventDefault();
      // With nothing marked, Enter takes the best match: it stands first.
      this.#choose(Math.max(this.#active, 0));
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      this.#close();
    }
  }

  #move(step) {
    const count = this.#items.length;
    if (!count) return;
    const start = this.#active < 0 && step < 0 ? 0 : this.#active;
    this.#active = (start + step + count) % count;
    [...this.list.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.#active));
    });
    const active = this.list.children[this.#active];
    active.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", active.id);
  }

  #clicked(event) {
    const option = event.target.closest("[data-index]");
    if (option) this.#choose(Number(option.dataset.index));
  }

  #choose(index) {
    const item = this.#items[index];
    if (!item) return;
    this.#chosen = item;
    this.input.value = item.english || item.scientific;
    this.input.setCustomValidity("");
    this.#close();
    // Whoever listens for input (an error message at this field) hears that it is right now.
    this.input.closest("[data-pointer]").dispatchEvent(new Event("input", { bubbles: true }));
  }
}
