// Loaded before a Node client: it may talk to this machine and to nobody else. What else it tries is written down.
"use strict";
const fs = require("node:fs");
const net = require("node:net");

const HERE = new Set(["localhost", "127.0.0.1", "::1"]);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...given) {
  const [options] = Array.isArray(given[0]) ? given[0] : given;
  const host = typeof options === "object" ? (options.host ?? "localhost") : typeof given[1] === "string" ? given[1] : "localhost";
  if ((typeof options === "object" && options.path) || HERE.has(host)) {
    return connect.apply(this, given);
  }
  fs.appendFileSync(process.env.INTEROP_OUTSIDE, `${host}\n`);
  process.nextTick(() => this.destroy(Object.assign(new Error(`${host} is not this machine`), { code: "EACCES" })));
  return this;
};
