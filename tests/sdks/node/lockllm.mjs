import { createRequire } from "node:module";

import { serve } from "./driver.mjs";

// The ESM half of @lockllm/sdk 1.3.0 cannot be imported in Node: its relative imports lack the extension.
const { LockLLM, createAnthropic, createOpenAI } = createRequire(import.meta.url)("@lockllm/sdk");

await serve((options) => ({
  scanner: new LockLLM(options),
  openai: createOpenAI({ ...options, baseURL: `${options.baseURL}/v1/proxy/openai` }),
  anthropic: createAnthropic({ ...options, baseURL: `${options.baseURL}/v1/proxy/anthropic` }),
}));
