// The fields of a schema as rows, in step with its JSON both ways; what the rows do not know is left as it is.
"use strict";
window.schemaEditors = (() => {
  const OUTPUT_TYPES = ["string", "integer", "number", "boolean", "date", "datetime", "array", "object"];
  const LIMITS = { string: ["minLength", "maxLength"], integer: ["minimum", "maximum"], number: ["minimum", "maximum"], array: ["minItems", "maxItems"] };
  const types = JSON.parse(document.getElementById("field-types").textContent);
  const editors = new Map();

  const element = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // A JSON schema keeps fields under `properties`, a list of fields holds them itself.
  const read = (text, kind) => {
    const value = text.trim() ? JSON.parse(text) : kind === "input" ? [] : {};
    if (Array.isArray(value)) return { value, form: "list", fields: value.map((spec) => ({ name: String(spec.name ?? ""), spec, required: spec.required !== false })) };
    if (value && typeof value === "object" && (value.properties || !Object.keys(value).length)) {
      const required = value.required || [];
      return { value, form: "object", fields: Object.entries(value.properties || {}).map(([name, spec]) => ({ name, spec, required: required.includes(name) })) };
    }
    return null;
  };
  const written = (schema) => {
    if (schema.form === "list") return schema.fields.map(({ name, spec, required }) => ({ ...spec, name, required }));
    const start = Object.keys(schema.value).length ? schema.value : { type: "object", additionalProperties: false };
    return {
      ...start,
      properties: Object.fromEntries(schema.fields.map(({ name, spec }) => [name, spec])),
      required: schema.fields.filter((field) => field.required).map((field) => field.name),
    };
  };
  const typeOf = (spec) => (spec.format === "date" ? "date" : spec.format === "date-time" ? "datetime" : typeof spec.type === "string" ? spec.type : "");
  const withType = (spec, type, form) => {
    if (form === "list") return { ...spec, type };
    const { format, enum: options, ...rest } = spec;
    for (const limit of Object.values(LIMITS).flat()) delete rest[limit];
    return { ...rest, ...types[type], ...(type === "array" ? { items: rest.items || { type: "string" } } : {}), ...(options && type === "string" ? { enum: options } : {}) };
  };

  class SchemaEditor {
    constructor(place) {
      this.kind = place.dataset.schema;
      this.rows = place.querySelector("[data-schema-for]");
      this.input = place.querySelector("textarea");
      this.typed = false;
      this.rows.hidden = false;
      const json = element("details", { className: "wb-json" }, element("summary", { textContent: "JSON" }));
      const editor = place.querySelector(".wb-editor");
      editor.replaceWith(json);
      json.append(editor);
      json.addEventListener("toggle", () => this.input.dispatchEvent(new Event("redraw")));
      this.input.addEventListener("redraw", () => window.codeFields.get(place.dataset.code)?.draw());
      this.json = json;
      this.input.addEventListener("input", () => this.typed || this.draw());
      // Enter ends the cell, and does not save the template.
      this.rows.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
        event.preventDefault();
        event.target.dispatchEvent(new Event("change"));
      });
      this.draw();
    }

    draw() {
      this.schema = null;
      try {
        this.schema = read(this.input.value, this.kind);
      } catch (error) {
        this.say("The JSON below cannot be read; its line is marked.");
        this.json.open = true;
        return;
      }
      if (!this.schema) {
        this.say("This schema is not an object with fields: change it as JSON.");
        this.json.open = true;
        return;
      }
      this.rows.replaceChildren(...this.schema.fields.map((field, at) => this.row(field, at)), this.foot());
    }

    say(words) {
      this.rows.replaceChildren(element("p", { className: "wb-quiet", textContent: words }));
    }

    write() {
      this.typed = true;
      this.input.value = JSON.stringify(written(this.schema), null, 2);
      this.input.dispatchEvent(new Event("input", { bubbles: true }));
      this.typed = false;
    }

    change(at, changes, redraw) {
      Object.assign(this.schema.fields[at], changes);
      this.write();
      if (redraw) this.draw();
    }

    control(tag, label, properties, changed, kind = "change") {
      const made = element(tag, { className: "wb-input", ...properties });
      made.setAttribute("aria-label", label);
      made.addEventListener(kind, () => changed(made.value));
      return made;
    }

    row(field, at) {
      const { spec } = field;
      const type = typeOf(spec);
      const where = field.name || `field ${at + 1}`;
      const set = (key, value) => {
        const next = { ...spec, ...this.schema.fields[at].spec, [key]: value };
        if (value === "" || value === undefined || (Array.isArray(value) && !value.length)) delete next[key];
        this.change(at, { spec: next });
      };
      const known = this.schema.form === "list" ? Object.keys(types) : OUTPUT_TYPES;
      const choice = this.control("select", `Type of ${where}`, {}, (value) => this.change(at, { spec: withType(this.schema.fields[at].spec, value, this.schema.form) }, true));
      choice.append(...(known.includes(type) ? [] : [element("option", { value: type, textContent: type || "other" })]), ...known.map((name) => element("option", { value: name, textContent: name })));
      choice.value = type;
      const tick = element("input", { type: "checkbox", checked: field.required });
      tick.addEventListener("change", () => this.change(at, { required: tick.checked }));
      const remove = element("button", { type: "button", className: "wb-remove", textContent: "×" });
      remove.setAttribute("aria-label", `Remove ${where}`);
      remove.addEventListener("click", () => {
        this.schema.fields.splice(at, 1);
        this.write();
        this.draw();
      });
      const long = element("div", { className: "wb-long" }, this.control("input", `Description of ${where}`, { value: spec.description || "", placeholder: "description" }, (value) => set("description", value)));
      if (this.kind === "output") long.append(...this.limits(spec, type, where, set));
      const made = element(
        "div",
        { className: "wb-schema-field" },
        this.control("input", `Name of ${where}`, { value: field.name, placeholder: "name" }, (value) => this.change(at, { name: value.trim() })),
        choice,
        element("label", { className: "wb-check" }, tick, "required"),
        remove,
        long,
      );
      made.dataset.limits = long.children.length > 2 ? "yes" : "no";
      return made;
    }

    limits(spec, type, where, set) {
      const number = ["integer", "number"].includes(type);
      const options = this.control("input", `Options of ${where}`, { value: (spec.enum || []).join(", "), placeholder: "options, by commas" }, (value) => {
        const parts = value.split(",").map((part) => part.trim()).filter(Boolean);
        set("enum", number ? parts.map(Number).filter((part) => !Number.isNaN(part)) : parts);
      });
      const pair = this.schema.form === "object" ? LIMITS[spec.format ? "" : type] || [] : [];
      const bounds = pair.map((key, at) =>
        this.control("input", `${key} of ${where}`, { type: "number", step: "any", value: spec[key] ?? "", placeholder: at ? "max" : "min", title: key }, (value) => set(key, value === "" ? "" : Number(value))),
      );
      return [options, ...bounds];
    }

    foot() {
      const add = element("button", { type: "button", className: "wb-link", textContent: "Add a field" });
      add.addEventListener("click", () => {
        this.add("", "string");
        [...this.rows.querySelectorAll(".wb-schema-field")].at(-1).querySelector("input").focus();
      });
      return element("div", { className: "wb-inline" }, add);
    }

    // Returns whether a field of that name was added; one that is there stays as it is.
    add(name, type) {
      if (!this.schema || (name && this.schema.fields.some((field) => field.name === name))) return false;
      this.schema.fields.push({ name, spec: this.schema.form === "list" ? { type } : { ...types[type] }, required: true });
      if (name) this.write();
      if (name) this.draw();
      else this.rows.insertBefore(this.row(this.schema.fields.at(-1), this.schema.fields.length - 1), this.rows.lastElementChild);
      return true;
    }
  }

  for (const place of document.querySelectorAll("[data-schema]")) editors.set(place.dataset.code, new SchemaEditor(place));
  return editors;
})();
