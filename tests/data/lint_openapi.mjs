// node lint_openapi.mjs FILE: what Redocly's strict rules say of an OpenAPI document. Exit 1 where they say anything.
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({ extends: ["recommended-strict"] });
const problems = await lint({ ref: process.argv[2], config });
for (const { ruleId, message, location } of problems) console.log(`${ruleId}: ${message} (${location[0]?.pointer ?? ""})`);
process.exit(problems.length === 0 ? 0 : 1);
