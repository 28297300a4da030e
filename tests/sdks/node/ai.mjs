import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";

import { serve } from "./driver.mjs";

globalThis.AI_SDK_LOG_WARNINGS = false; // they go to standard output

// The chunks as they came: streamText tells of a failure in its stream, and throws nothing.
async function* chunks(parts) {
  for await (const part of parts) {
    if (part.type === "error") throw part.error;
    if (part.type === "raw") yield part.rawValue;
  }
}

const caller = (provider) => ({
  generateText: async ({ model, prompt }) => (await generateText({ model: provider(model), prompt })).text,
  streamText: ({ model, prompt }) =>
    chunks(streamText({ model: provider(model), prompt, includeRawChunks: true, onError() {} }).fullStream),
});

await serve(({ apiKey, baseURL, defaultHeaders: headers }) => {
  const openai = createOpenAI({ apiKey, baseURL, headers });
  return {
    responses: caller(openai),
    chat: caller(openai.chat),
    anthropic: caller(createAnthropic({ apiKey, baseURL, headers })),
  };
});
