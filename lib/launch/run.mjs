import { spawn } from "node:child_process";

const passedOn = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a program to its end, without standard input, and passes our signals on to it.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<number>} its exit code; 128 + n where signal n ended it
 */
export function runThrough(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
    const passOn = (signal) => child.kill(signal);
    for (const signal of passedOn) process.on(signal, passOn);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      for (const name of passedOn) process.off(name, passOn);
      resolve(code ?? 128 + signalNumber(signal));
    });
  });
}

/**
 * Runs a program quietly: what it says is shown only if it fails. A Node.js program may follow us through the channel.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions & { failure: string }} options `failure` heads the error message.
 * @returns {Promise<void>}
 */
export async function runQuietly(command, args, { failure, ...options }) {
  let said = "";
  const code = await new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    child.channel?.unref();
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        said += chunk;
      });
    }
    child.once("error", reject).once("close", (code, signal) => resolve(code ?? signal));
  });
  if (code !== 0) throw new Error(`${failure} (${code}):\n${said.trim()}`);
}

function signalNumber(signal) {
  return { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 0;
}
