import { createHash } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Runs `work` while no other process of this machine runs work under the same name for the same folder. The lock is
 * a listening socket: the system releases it when its holder ends, however that happens, so it is never stale.
 *
 * @template Result
 * @param {string} folder
 * @param {string} name
 * @param {{ work: () => Promise<Result>, onWait: () => void }} options `onWait` is called once, if there is a wait.
 * @returns {Promise<Result>}
 */
export async function withLock(folder, name, { work, onWait }) {
  const address = socketAddress(folder, name);
  let lock = await tryListen(address);
  if (lock === null) onWait();
  while (lock === null) {
    await sleep(300);
    lock = await tryListen(address);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

function socketAddress(folder, name) {
  const id = `bellwether-${name}-${createHash("sha256").update(fs.realpathSync(folder)).digest("hex").slice(0, 24)}`;
  if (process.platform === "linux") return `\0${id}`; // an abstract name: no file is left behind
  if (process.platform === "win32") return `\\\\.\\pipe\\${id}`;
  return path.join(os.tmpdir(), id);
}

/** @returns {Promise<net.Server | null>} null while another process holds the lock */
async function tryListen(address) {
  const server = await listen(address);
  if (server !== null || !path.isAbsolute(address) || process.platform === "win32") return server;
  // Elsewhere the name is a file, which outlives a killed holder: nobody answers behind it.
  if (await isAnswered(address)) return null;
  fs.rmSync(address, { force: true });
  return listen(address);
}

function listen(address) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((connection) => connection.destroy());
    server.unref();
    server.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen(address, () => resolve(server));
  });
}

function isAnswered(address) {
  return new Promise((resolve) => {
    const connection = net.connect(address, () => {
      connection.destroy();
      resolve(true);
    });
    connection.once("error", () => resolve(false));
  });
}
