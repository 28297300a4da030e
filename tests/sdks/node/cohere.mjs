import { CohereClientV2 } from "cohere-ai";

import { serve } from "./driver.mjs";

await serve(({ apiKey, baseURL, defaultHeaders }) => new CohereClientV2({ token: apiKey, baseUrl: baseURL, headers: defaultHeaders }));
