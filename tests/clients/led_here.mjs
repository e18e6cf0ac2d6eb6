// Leads requests for Xero's hosts to the local Xero, and nothing else: the hosts are built into Xero's clients.
//
// It stands where a network would, below the clients: Node's own `https.request`, which every HTTP library ends in. A request
// goes out as plain HTTP to the local Xero, and still says in `Host` whom it meant. Requests for other hosts fail, so that no
// run ever reaches the real Xero.

import http from "node:http";
import https from "node:https";

const XEROS = new Set(["identity.xero.com", "login.xero.com", "api.xero.com"]);

/** From now on Xero's three hosts are the local Xero at `url`. */
export function leadHere(url) {
  const here = new URL(url);
  https.request = (...given) => {
    const { options, answered } = read(given);
    const meant = options.hostname ?? options.host;
    if (!XEROS.has(meant)) throw new Error(`Nobody else than Xero was to be called, but ${meant} was.`);
    return http.request(
      {
        ...options,
        protocol: "http:",
        agent: undefined,
        host: here.hostname,
        hostname: here.hostname,
        port: here.port,
        headers: { ...options.headers, Host: meant },
      },
      answered,
    );
  };
}

/** The arguments of `https.request` in their three forms: (url, options, callback), (url, callback), (options, callback). */
function read(given) {
  const answered = given.find((one) => typeof one === "function");
  const parts = given.filter((one) => typeof one !== "function");
  const options = {};
  for (const one of parts) {
    Object.assign(options, typeof one === "string" || one instanceof URL ? ofAddress(new URL(one)) : one);
  }
  return { options, answered };
}

function ofAddress({ hostname, pathname, search }) {
  return { hostname, path: pathname + search };
}
