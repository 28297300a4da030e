import Anthropic from "@anthropic-ai/sdk";

import { serve } from "./driver.mjs";

await serve((options) => new Anthropic(options));
