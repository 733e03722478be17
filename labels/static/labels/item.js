// The item on the labeling screen: its form, and what stands beside it.
import { FormItem } from "../templates_app/form_item.js";

const USES = ["usage_reason", "data_classification", "reason"];

export class Item extends FormItem {
  constructor(setup, element = document.querySelector(".item")) {
    const { itemRef, version, previous, opinion } = element.dataset;
    super({ element, draft: `label-draft:${setup.user}:${setup.sheet}:${setup.label_type}:${itemRef}`, version: Number(version) });
    Object.assign(this, { setup, id: itemRef, itemRef, previous, isOpinion: opinion !== undefined });
    this.restore();
    this.draw();
  }

  static show(setup, fragment) {
    Item.place(fragment, ["source", "answer"]);
    return new Item(setup);
  }

  get path() {
    return this.isOpinion ? "/label-opinions" : "/canonical-labels";
  }

  // The label or second opinion as the API takes it; uses that nobody touched are left out and stay as they are.
  get body() {
    const { beside, setup } = this;
    const base = JSON.parse(this.besideBase);
    const body = {
      sheet_id: setup.sheet, item_ref: this.itemRef, label_type: setup.label_type, template_id: setup.template,
      label_data: this.form.read(), confidence: beside.confidence, notes: beside.notes.trim(),
    };
    if (this.isOpinion) return body;
    body.version = this.seen;
    const limits = Object.keys(beside).filter((name) => name.startsWith("use.") || USES.includes(name));
    if (limits.every((name) => beside[name] === base[name])) return body;
    const uses = (state) => limits.filter((name) => beside[name] === state).map((name) => name.slice("use.".length));
    const said = Object.fromEntries(USES.filter((name) => name in beside).map((name) => [name, beside[name].trim()]));
    return { ...body, ...said, allowed_uses: uses("allowed"), prohibited_uses: uses("prohibited") };
  }

  draw() {
    const words = document.querySelector("[data-do=save] [data-words]");
    if (words && this.isOpinion) words.textContent = "Save my opinion";
    else if (words) words.textContent = this.version && !this.isChanged ? "Confirm" : "Save";
    super.draw();
  }
}
