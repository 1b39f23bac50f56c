// Programs under test: started on free ports, ended with everything they started.

import { spawn } from "node:child_process";
import { createServer } from "node:net";

const running = new Set();

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Starts a program and waits for a line that begins with `ready`; answers the line and a way to stop. */
export async function start(command, args, env, ready, seconds = 60) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  running.add(child);
  let output = "";
  const line = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${command} is not ready after ${seconds} s:\n${output}`)), seconds * 1000);
    const read = (chunk) => {
      output += chunk;
      const found = output.split("\n").find((text) => text.startsWith(ready));
      if (found && output.slice(output.indexOf(found)).includes("\n")) {
        clearTimeout(timer);
        resolve(found);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`${command} ended with ${code}:\n${output}`));
    });
  });
  const stop = (signal = "SIGTERM") =>
    new Promise((resolve) => {
      running.delete(child);
      if (child.exitCode !== null) return resolve(child.exitCode);
      child.once("exit", (code) => resolve(code));
      process.kill(child.pid, signal);
    });
  return { line, stop, output: () => output };
}

/** Ends what is still running: politely first, because a program may have started others in groups of their own. */
export async function stopAll() {
  const signal = (name) => {
    for (const child of running) {
      try {
        process.kill(-child.pid, name);
      } catch {
        // It has ended by itself.
      }
    }
  };
  const alive = [...running].filter((child) => child.exitCode === null && child.signalCode === null);
  const exits = Promise.all(alive.map((child) => new Promise((resolve) => child.once("exit", resolve))));
  signal("SIGTERM");
  await Promise.race([exits, new Promise((resolve) => setTimeout(resolve, 3_000))]);
  signal("SIGKILL");
  running.clear();
}
