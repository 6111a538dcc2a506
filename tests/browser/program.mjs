// A program of a step's own, on an empty data directory.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Starts it with that configuration and those files in the data directory; `end` stops it and leaves nothing behind. */
export async function startProgram(program, { config = "", files = {}, env = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "own-"));
  const data = join(folder, "data");
  mkdirSync(data);
  writeFileSync(join(folder, "tagohook.toml"), config);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(data, name), content);
  const child = spawn(program, ["--config", join(folder, "tagohook.toml"), "--data-dir", data, "--listen", "127.0.0.1:0",
    "--inspect-listen", "127.0.0.1:0"], { stdio: "ignore", env: { ...process.env, ...env } });
  const until = async (what, done) => {
    for (let n = 0; n < 500; n += 1) {
      if (done()) return;
      await new Promise((resolve) => { setTimeout(resolve, 20); });
    }
    throw new Error(`not yet: ${what}`);
  };
  await until("the program listens", () => existsSync(join(data, "addresses.json")));
  const addresses = JSON.parse(readFileSync(join(data, "addresses.json"), "utf8"));
  const end = async () => {
    child.kill();
    await until("the program ends", () => child.exitCode !== null || child.signalCode !== null);
    rmSync(folder, { recursive: true });
  };
  return { base: `http://${addresses.inspector}`, receiver: `http://${addresses.receiver}`, data, end };
}
