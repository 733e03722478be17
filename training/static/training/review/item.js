// The pair on the screen, and which verbs lead on from its status.
import { FormItem } from "../../templates_app/form_item.js";
import { wordsOf } from "./conflict.js";

export class Item extends FormItem {
  constructor(setup, element = document.querySelector(".item")) {
    const { pair, itemRef, version, status, misfits } = element.dataset;
    super({ element, draft: `review-draft:${setup.user}:${pair}`, version: Number(version) });
    Object.assign(this, { setup, id: pair, itemRef, status });
    this.misfits = Number(misfits);
    this.labelVersion = Number(element.querySelector("[name=label_version]").value);
    this.restore();
    this.draw();
  }

  static show(setup, fragment) {
    Item.place(fragment, ["source", "answer", "prompt"]);
    return new Item(setup);
  }

  // What the fields on uses say, undefined where the reader may not change them.
  get uses() {
    const editor = this.element.querySelector("[data-uses]");
    if (!editor) return undefined;
    const those = (words) => [...editor.querySelectorAll(`input[value="${words}"]:checked`)].map((radio) => radio.name.replace("use.", ""));
    const [classification, reason] = ["data_classification", "reason"].map((name) => editor.querySelector(`[name=${name}]`).value.trim());
    return { allowed_uses: those("allowed"), prohibited_uses: those("prohibited"), data_classification: classification, reason };
  }

  // `reason` is that of a decision that was refused.
  get typed() {
    return { ...super.typed, reason: this.reason };
  }

  fill({ reason, ...typed }) {
    this.reason = reason;
    super.fill(typed);
  }

  focusUses(what) {
    const editor = this.element.querySelector("[data-uses]");
    this.element.querySelector(".uses").open = true;
    editor?.scrollIntoView({ block: "nearest" });
    editor?.querySelector(what)?.focus();
  }

  // Says what became of the decision about it while it stays on the screen; "" for nothing.
  say(words) {
    this.element.querySelector("[data-sent]")?.remove();
    if (!words) return;
    const badge = Object.assign(document.createElement("span"), { className: "badge badge-info", textContent: words });
    badge.dataset.sent = "";
    this.element.querySelector(".item-head").append(badge);
  }

  // What the server made of the decision about it.
  become({ version, status }) {
    this.status = status;
    this.follow(version);
    this.say("decided");
    this.draw();
  }

  may(verb) {
    return this.setup.may_review && (this.setup.transitions[verb] ?? []).includes(this.status);
  }

  // Why a verb that `may` refuses is none for this pair, and what to do.
  whyNot(verb) {
    const { may_review: mayReview, leads_to: leadsTo } = this.setup;
    if (!mayReview) return "You may look at these pairs, but not decide about them: ask an owner for the right to change pairs.";
    if (verb === "reopen") return "This pair waits already: there is nothing to reopen.";
    const words = wordsOf(this.status);
    return leadsTo[verb] === this.status ? `This pair is ${words} already: reopen it to decide anew.` : `This pair is ${words}: reopen it first, then ${verb} it.`;
  }

  // Why the answer cannot be approved as it stands, or "".
  get standsAgainst() {
    if (this.form.isChanged) return "";
    if (this.stored === undefined || this.stored === "") return "There is no answer yet: fill in the form, reject the pair or flag it.";
    return this.misfits ? "The draft does not fit its schema: correct the marked fields first." : "";
  }

  // Reopening takes the place of a verb that the status stands against, so that the others stay where they are.
  drawReopen() {
    const [reopen, reject, flag] = ["reopen", "reject", "flag"].map((verb) => document.querySelector(`.verbs [data-do=${verb}]`));
    if (!reopen) return;
    const gone = this.may("reopen") ? (this.may("reject") ? flag : reject) : null;
    for (const button of [reject, flag]) button.hidden = button === gone;
    reopen.hidden = !gone;
    if (gone && gone.nextElementSibling !== reopen) gone.after(reopen);
  }

  draw() {
    this.drawReopen();
    for (const button of document.querySelectorAll(".verbs [data-do]")) {
      const verb = button.dataset.do;
      if (verb === "approve") {
        button.disabled = !(this.form.isChanged ? this.may("edit") : this.may("approve"));
        button.querySelector("[data-words]").textContent = this.form.isChanged ? "Approve edit" : "Approve";
      } else if (verb === "reject" || verb === "flag") button.disabled = !this.may(verb);
    }
    super.draw();
  }
}
