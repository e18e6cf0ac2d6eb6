// A local Xero for one run, in a process of its own, and a person at a browser in it.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import https from "node:https";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const OURS = fileURLToPath(new URL("../../.venv/bin/caspen-xero", import.meta.url));

/** Starts one (CASPEN_XERO names another program than .venv/bin/caspen-xero); gives its address and how to end it. */
export async function startLocalXero(...options) {
  const program = process.env.CASPEN_XERO ?? (existsSync(OURS) ? OURS : "caspen-xero");
  const box = spawn(program, ["sandbox", "serve", "--port", "0", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => box.once("exit", resolve));
  const failed = new Promise((_, reject) => {
    box.once("error", reject);
    box.once("exit", (code) => reject(new Error(`The local Xero ended with ${code} before it was running.`)));
  });
  failed.catch(() => {});
  const url = await Promise.race([addressTold(box.stdout), failed]);
  return {
    url,
    stop: () => {
      box.kill();
      return ended;
    },
  };
}

async function addressTold(output) {
  for await (const line of createInterface({ input: output })) {
    const told = line.match(/http:\/\/\S+/);
    if (told) {
      output.resume();
      return told[0];
    }
  }
  throw new Error("The local Xero did not say where it is.");
}

/** Opens a consent page, allows access to the first organisation, and gives the address that the browser is sent back to. */
export async function allowAccess(consentUrl) {
  const page = await browse(consentUrl);
  const [, request] = page.text.match(/name="request" value="([^"]+)"/);
  const [, organisation] = page.text.match(/<option value="([^"]+)"/);
  const [, action] = page.text.match(/<form method="post" action="([^"]+)"/);
  const form = new URLSearchParams({ request, organisation, decision: "allow" });
  const sent = await browse(new URL(action, consentUrl), form.toString());
  return sent.headers.location;
}

function browse(url, form) {
  const headers = form === undefined ? {} : { "Content-Type": "application/x-www-form-urlencoded" };
  return new Promise((resolve, reject) => {
    const asked = https.request(url, { method: form === undefined ? "GET" : "POST", headers }, async (answer) => {
      answer.setEncoding("utf8");
      let text = "";
      for await (const piece of answer) text += piece;
      resolve({ status: answer.statusCode, headers: answer.headers, text });
    });
    asked.once("error", reject);
    asked.end(form);
  });
}
