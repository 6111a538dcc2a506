// Checks X-TagoRUN-Signature in Node.js, without packages.
// As a program: node verify.mjs SECRET-FILE SIGNATURE < body
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** `body` is a Buffer with the bytes as they arrived, not JSON that was parsed and written again. */
export function isSigned(secret, body, header) {
  const signature = String(header ?? "").trim().replace(/^sha256=/, "");
  if (!/^[0-9a-f]{64}$/i.test(signature)) return false;
  const expected = createHmac("sha256", secret).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(signature, "hex"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [secretFile, header] = process.argv.slice(2);
  const isRight = isSigned(readFileSync(secretFile, "utf8").trim(), readFileSync(0), header);
  console.log(isRight ? "valid" : "invalid");
  process.exitCode = isRight ? 0 : 1;
}
