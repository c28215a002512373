/** The audit log: filtered, and saved as CSV. */

import { byId, everything, saveFile, showList, warn } from "./page.js";
import { cell, row, time } from "./tables.js";

/** Shows the log. */
export async function show() {
  await showList("audit", address(), auditRow);
}

/** Makes the filter and the export work. */
export function prepare() {
  byId("audit-action").addEventListener("change", () => show().catch((error) => warn(error.message)));
  byId("audit-export").addEventListener("click", () => save().catch((error) => warn(error.message)));
}

function address() {
  return `/api/v1/admin/audit?${new URLSearchParams({ action: byId("audit-action").value })}`;
}

function auditRow(entry) {
  return row(cell(time(entry.time)), cell(entry.action), cell(entry.target, "code"), cell(entry.reason, "prose"));
}

async function save() {
  const entries = await everything(address());
  const lines = entries.map(({ time: at, action, target, reason }) => [at, action, target, reason].map(field).join(","));
  saveFile("dipper-audit.csv", "text/csv", ["time,action,target,reason", ...lines, ""].join("\r\n"));
}

/** A spreadsheet takes what begins like a formula for one; an apostrophe says that it is text. */
function field(value) {
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return `"${text.replaceAll('"', '""')}"`;
}
