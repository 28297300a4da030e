import { Mistral } from "@mistralai/mistralai";

import { serve } from "./driver.mjs";

// Its client takes no headers of its own: each call does.
await serve(({ apiKey, baseURL, defaultHeaders: headers }) => {
  const { chat } = new Mistral({ apiKey, serverURL: baseURL });
  return {
    complete: (request) => chat.complete(request, { headers }),
    stream: (request) => chat.stream(request, { headers }),
  };
});
