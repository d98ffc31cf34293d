// The server that this page came from: OpenAI's API, the events of the engine, and the key for both.
import { readEvents } from "./sse.js";
import { browserStorage, tabStorage } from "./storage.js";

const KEY = "quire.key";

// What the server answered instead of what was asked for; status 0: nothing.
export class ApiError extends Error {
  constructor(status, message, param) {
    super(message);
    this.status = status;
    this.param = param;
  }
}

export function apiKey() {
  return tabStorage.getItem(KEY) ?? browserStorage.getItem(KEY) ?? "";
}

// Kept for this tab, or in the browser until it is replaced.
export function setApiKey(key, remember) {
  tabStorage.removeItem(KEY);
  browserStorage.removeItem(KEY);
  if (key !== "") (remember ? browserStorage : tabStorage).setItem(KEY, key);
}

function headers(extra = {}) {
  const key = apiKey();
  return key === "" ? extra : { ...extra, Authorization: `Bearer ${key}` };
}

async function checked(response) {
  if (response.ok) return response;
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // A proxy's words, perhaps; the status says enough.
  }
  const message = error.message ?? `the server answered ${response.status}`;
  throw new ApiError(response.status, message, error.param);
}

// What browsers throw where a connection fails has no words for people.
function inWords(error, words) {
  return error instanceof TypeError ? new ApiError(0, words) : error;
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw inWords(error, "the server does not answer");
  }
  return checked(response);
}

function get(path, signal) {
  return request(path, { headers: headers(), signal, cache: "no-store" });
}

export async function fetchModel() {
  return (await (await get("v1/models")).json()).data[0];
}

// The data of an answer's events. They must end with [DONE].
async function* untilDone(response) {
  const words = "the connection ended before the answer did";
  try {
    for await (const data of readEvents(response)) {
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  } catch (error) {
    throw inWords(error, words);
  }
  throw new ApiError(0, words);
}

// The pieces of an answer as they come: {reasoning}, {text}, at the end {finish}, {usage}. An error in
// mid-stream throws.
export async function* streamChat(body, signal) {
  const response = await request("v1/chat/completions", {
    method: "POST",
    headers: headers({ "Content-Type": "application/json" }),
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  for await (const chunk of untilDone(response)) {
    if (chunk.error) throw new ApiError(500, chunk.error.message, chunk.error.param);
    if (chunk.usage) yield { usage: chunk.usage };
    const choice = chunk.choices[0];
    if (choice?.delta?.reasoning_content) yield { reasoning: choice.delta.reasoning_content };
    if (choice?.delta?.content) yield { text: choice.delta.content };
    if (choice?.finish_reason) yield { finish: choice.finish_reason };
  }
}

// Views of the engine, until the server ends.
export async function* streamEngine(signal) {
  for await (const data of readEvents(await get("v1/engine/events", signal))) {
    if (data === "[DONE]") return;
    yield JSON.parse(data);
  }
}
