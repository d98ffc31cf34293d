// The server that this page came from: OpenAI's API, the events of the engine, and the key for both.
import { readEvents } from "./sse.js";

const KEY = "quire.key";

// What the server answered instead of what was asked for.
export class ApiError extends Error {
  constructor(status, message, param) {
    super(message);
    this.status = status;
    this.param = param;
  }
}

export function apiKey() {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "";
}

// Kept for this tab, or in the browser until it is replaced.
export function setApiKey(key, remember) {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
  if (key !== "") (remember ? localStorage : sessionStorage).setItem(KEY, key);
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

async function get(path, signal) {
  return checked(await fetch(path, { headers: headers(), signal, cache: "no-store" }));
}

export async function fetchModel() {
  return (await (await get("v1/models")).json()).data[0];
}

// The pieces of an answer as they come: {text}, at the end {finish}, {usage}. An error in mid-stream throws.
export async function* streamChat(body, signal) {
  const response = await checked(
    await fetch("v1/chat/completions", {
      method: "POST",
      headers: headers({ "Content-Type": "application/json" }),
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      signal,
    }),
  );
  for await (const data of readEvents(response)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ApiError(500, chunk.error.message, chunk.error.param);
    if (chunk.usage) yield { usage: chunk.usage };
    const choice = chunk.choices[0];
    if (choice?.delta?.content) yield { text: choice.delta.content };
    if (choice?.finish_reason) yield { finish: choice.finish_reason };
  }
  throw new ApiError(0, "the connection ended before the answer did");
}

// Views of the engine, until the server ends.
export async function* streamEngine(signal) {
  for await (const data of readEvents(await get("v1/engine/events", signal))) {
    if (data === "[DONE]") return;
    yield JSON.parse(data);
  }
}
