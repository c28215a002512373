/**
 * Ticks that wait to be sent, with their photos: in the browser's database, so that they survive a reload and a restart.
 * Each belongs to whoever made it; nobody else who logs in here sees or sends it.
 */

const NAME = "dipper";
const STORE = "ticks";

/**
 * @typedef {object} Waiting
 * @property {string} id the tick's id, made once: sent again, it is still one tick
 * @property {string} owner the user's id
 * @property {number} at when it was made; they are sent in this order
 * @property {Blob} photo
 * @property {string | null} imageUrl where the photo is once it arrived; it is not sent a second time
 * @property {boolean} [isDuplicate] whether the same photo was uploaded before
 * @property {Record<string, unknown>} tick the request without id and image
 * @property {{name: string, resolved: boolean}} species its name as it was typed, and whether the list knew it
 * @property {{key: string, text: string} | null} failure why the server refused it; it waits for its owner then
 */

/** Fires `change` when something was put in, changed or taken out. */
export const changes = new EventTarget();

let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.addEventListener("upgradeneeded", () => {
      request.result.createObjectStore(STORE, { keyPath: "id" }).createIndex("owner", "owner");
    });
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
  return opened;
}

/** Runs one request on the store and waits until what it did is on disk. */
async function run(mode, act) {
  const database = await open();
  const transaction = database.transaction(STORE, mode, { durability: "strict" });
  const request = act(transaction.objectStore(STORE));
  await new Promise((resolve, reject) => {
    transaction.addEventListener("complete", resolve);
    transaction.addEventListener("abort", () => reject(transaction.error));
  });
  if (mode === "readwrite") changes.dispatchEvent(new Event("change"));
  return request.result;
}

/**
 * Puts a tick in, or what became of it.
 *
 * @param {Waiting} waiting
 */
export async function put(waiting) {
  await run("readwrite", (store) => store.put(waiting));
}

/** @param {string} id of a tick that was sent or given up */
export async function remove(id) {
  await run("readwrite", (store) => store.delete(id));
}

/**
 * Somebody's waiting ticks, the oldest first.
 *
 * @param {string} owner
 * @returns {Promise<Waiting[]>}
 */
export async function waitingOf(owner) {
  const found = await run("readonly", (store) => store.index("owner").getAll(owner));
  return found.sort((one, other) => one.at - other.at);
}

/**
 * Takes everything of somebody out.
 *
 * @param {string} owner
 */
export async function removeAllOf(owner) {
  for (const { id } of await waitingOf(owner)) await remove(id);
}
