// Requests to the server on this machine: version 1 of its interface.

const PREFIX = "/api/v1";

export class ApiError extends Error {
  constructor({ kind = "unknown", message = "", french = "", position = null } = {}) {
    super(message);
    Object.assign(this, { kind, french, position });
  }
}

async function checked(response) {
  const data = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(data.error ?? { kind: "server", message: response.statusText });
  return data;
}

async function send(path, options) {
  try {
    return await fetch(PREFIX + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ kind: "offline" });
  }
}

export const read = async (path, signal) => checked(await send(path, { signal }));

const jsonOptions = (data, signal) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(data ?? {}), signal });

export const post = async (path, data, signal) => checked(await send(path, jsonOptions(data, signal)));

// Server-sent events of a request: calls on(name, data) for each, until the end.
export async function stream(path, { data, signal, on }) {
  const response = await send(path, data === undefined ? { signal } : jsonOptions(data, signal));
  if (!response.ok) return checked(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError({ kind: "offline" });
    }
    if (part.done) return null;
    text += part.value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const [name, body] = event.split("\ndata: ");
      const value = JSON.parse(body);
      if (name === "event: error") throw new ApiError(value);
      await on(name.slice("event: ".length), value);
    }
  }
}
