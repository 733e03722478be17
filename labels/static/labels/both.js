// Both answers on the large picture of the adjudication screen.
import { pictureNamed } from "../sheets/viewer.js";

const SVG = "http://www.w3.org/2000/svg";

// Holds the picture and the shapes of both answers, which zoom and move together.
function frame(picture, viewBox) {
  const made = Object.assign(document.createElement("div"), { className: "viewer-marked" });
  picture.image.style.transform = "";
  picture.image.replaceWith(made);
  const layer = document.createElementNS(SVG, "svg");
  layer.setAttribute("class", "marks both");
  layer.setAttribute("viewBox", viewBox);
  layer.setAttribute("preserveAspectRatio", "none");
  layer.setAttribute("aria-hidden", "true");
  made.append(picture.image, layer);
  picture.carry(made);
  picture.stage.before(document.getElementById("whose").content.cloneNode(true));
  return layer;
}

// Draws what both marked on the large picture, where the thumbnails beside the choices are small.
export async function drawBoth(source) {
  const layers = new Map();
  for (const small of document.querySelectorAll(".marks[data-on]")) {
    const picture = await pictureNamed(source, small.dataset.on);
    if (!picture) continue;
    if (!layers.has(picture)) layers.set(picture, frame(picture, small.getAttribute("viewBox")));
    for (const shape of small.querySelectorAll("polygon")) {
      const drawn = layers.get(picture).appendChild(shape.cloneNode());
      drawn.dataset.side = small.dataset.side;
    }
  }
}
