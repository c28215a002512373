/** The page as an app on this device: opens without a connection, can be installed, says when it is offline. */

import { connection } from "./api.js";
import { byId } from "./dom.js";

const WORKER = "/assets/worker.js";

/** Chromium's offer to install, until it was used. */
let offer = null;

/** Wires the device's events. */
export function startDevice() {
  registerWorker();
  connection.addEventListener("change", showConnection);
  showConnection();
  window.addEventListener("beforeinstallprompt", (event) => {
    offer = event;
    byId("install").hidden = false;
  });
  byId("install-button").addEventListener("click", install);
}

/** Without it (an old browser, no secure connection) the page works as long as there is a connection. */
async function registerWorker() {
  if (!navigator.serviceWorker) return;
  try {
    await navigator.serviceWorker.register(workerAddress(), { scope: "/" });
  } catch (error) {
    console.info("This page cannot be opened offline here.", error.name);
  }
}

/** The only text of ours that a browser would take for a script's address. */
function workerAddress() {
  if (!window.trustedTypes) return WORKER;
  return window.trustedTypes.createPolicy("dipper", { createScriptURL: () => WORKER }).createScriptURL("");
}

function showConnection() {
  byId("offline").hidden = !connection.isLost;
}

async function install() {
  await offer?.prompt();
  offer = null;
  byId("install").hidden = true;
}
