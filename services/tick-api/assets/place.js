/** Where a bird was seen: from the device, or typed as two numbers. Others see a wide area, nothing, or the exact place, as one says. */

import { byId } from "./dom.js";
import { showAtField } from "./forms.js";
import { t } from "./language.js";

/** Two more digits than a phone knows would say nothing. */
const DIGITS = 5;

/** Wires the button. */
export function startPlace() {
  byId("place-here").addEventListener("click", takePlace);
  if (!navigator.geolocation) byId("place-here").hidden = true;
}

function takePlace() {
  const button = byId("place-here");
  button.setAttribute("aria-disabled", "true");
  const done = () => button.setAttribute("aria-disabled", "false");
  const found = ({ coords }) => {
    byId("place-lat").value = coords.latitude.toFixed(DIGITS);
    byId("place-lon").value = coords.longitude.toFixed(DIGITS);
    byId("place-lat").dispatchEvent(new Event("input", { bubbles: true }));
    done();
  };
  const failed = () => {
    showAtField(byId("place-lat").closest("[data-pointer]"), t("place.failed"));
    done();
  };
  navigator.geolocation.getCurrentPosition(found, failed, { enableHighAccuracy: true, timeout: 15_000 });
}

/**
 * The place that the form says.
 *
 * @param {FormData} data
 * @returns {{lat: number, lon: number, visibility: "obscured" | "private" | "open"} | null}
 */
export function placeIn(data) {
  const [lat, lon] = [data.get("lat"), data.get("lon")];
  return lat && lon ? { lat: Number(lat), lon: Number(lon), visibility: data.get("visibility") } : null;
}
