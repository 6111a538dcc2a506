// An app as people have it, in Express: writes down each delivery before it answers.
// node express-app.mjs PORT FILE
import { appendFileSync } from "node:fs";
import express from "express";

const [port, file] = process.argv.slice(2);
const app = express();
app.use(express.json({ limit: "5mb" }));
app.post("/hook", (request, response) => {
  const at = performance.timeOrigin + performance.now();
  appendFileSync(file, `${request.body.device.id} ${request.body.id} ${at}\n`);
  response.json({ ok: true });
});
app.listen(Number(port), "127.0.0.1", () => console.log("listening"));
