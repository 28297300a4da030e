import { GoogleGenAI } from "@google/genai";

import { serve } from "./driver.mjs";

await serve(
  ({ apiKey, baseURL, defaultHeaders }) =>
    new GoogleGenAI({ apiKey, httpOptions: { baseUrl: baseURL, headers: defaultHeaders } }),
);
