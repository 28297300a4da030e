// Reads one job a line from standard input, runs it with an SDK's client, and tells what happened, one JSON line each:
// {"opened"} {"event"} … and at last {"result"}, {"left"}, {"ended"} or {"error"}.
// Never decides whether that is right: the Python side does.

import { createInterface } from "node:readline";

const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");

const told = (error) => ({
  name: error.constructor.name,
  message: error.message,
  status: error.status ?? error.statusCode ?? error.lastError?.statusCode ?? null,
  code: error.code ?? null,
  type: error.type ?? null,
  requestID: error.requestID ?? error.requestId ?? null,
  body: error.error ?? error.scanResult ?? error.body ?? error.responseBody ?? null,
});

async function stream(made, leaveAfter) {
  const opened = () => tell({ opened: true });
  // anthropic's MessageStream is an emitter that connects by itself; the others are promises of a stream.
  const emitter = typeof made.once === "function";
  if (emitter) made.once("connect", opened);
  const events = emitter ? made : await made;
  if (!emitter) opened();
  let count = 0;
  for await (const event of events) {
    tell({ event });
    count += 1;
    if (count === leaveAfter) return tell({ left: true });
  }
  tell({ ended: true });
}

async function work(make, job) {
  const client = make({
    apiKey: job.key,
    baseURL: job.url,
    defaultHeaders: job.headers,
    maxRetries: job.maxRetries,
  });
  const names = job.call.split(".");
  const method = names.pop();
  const owner = names.reduce((object, name) => object[name], client);
  const made = owner[method](...job.args);
  if (job.stream) return stream(made, job.leaveAfter);
  const result = await made;
  tell({ result, requestID: result._request_id ?? null });
}

export async function serve(make) {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      await work(make, JSON.parse(line));
    } catch (error) {
      tell({ error: told(error) });
    }
  }
}
