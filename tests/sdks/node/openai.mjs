import OpenAI from "openai";

import { serve } from "./driver.mjs";

await serve((options) => new OpenAI(options));
