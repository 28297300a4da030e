import Groq from "groq-sdk";

import { serve } from "./driver.mjs";

await serve((options) => new Groq(options));
