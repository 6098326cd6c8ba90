// One request and its answer, the same for every server: noted, spoilt if a fault is due,
// answered. respond(request, body) gives the true answer as a value.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { substitute } from './faults.mjs';
import { json, readBody } from './http.mjs';

// Destroying a TLS socket ends the connection in good order. A reset needs the socket below it.
const rawSockets = new Map();

const ends = ({ localPort, remotePort }) => `${localPort} ${remotePort}`;

export function rememberRawSockets(server) {
  server.on('connection', (socket) => {
    const key = ends(socket);
    rawSockets.set(key, socket);
    socket.once('close', () => rawSockets.delete(key));
  });
}

// Late, or never for a client that does not wait.
async function delay(ms, response) {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => {});
}

async function deliver(response, { status, headers, body }, { chunked, truncate, drip_ms: dripMs }) {
  response.writeHead(status, chunked ? headers : { ...headers, 'content-length': body.length });
  if (truncate !== undefined) {
    response.flushHeaders();
    response.write(body.subarray(0, truncate), () => response.socket.end());
    return;
  }
  if (dripMs !== undefined) {
    for (const byte of body) {
      if (response.destroyed) return;
      response.write(Buffer.of(byte));
      await sleep(dripMs);
    }
    response.end();
    return;
  }
  response.end(body);
}

function hangUp(request, { reset }) {
  if (reset) rawSockets.get(ends(request.socket)).resetAndDestroy();
  else request.socket.destroy();
}

// serverOf(request) names the server a request counts for.
export function exchange({ serverOf, respond, faults, journal }) {
  async function handle(request, response) {
    const server = serverOf(request);
    const entry = journal.open(server, request);
    const fault = faults.next(server, request);

    const body = fault.early ? Buffer.alloc(0) : await readBody(request);
    if (fault.delay_ms) await delay(fault.delay_ms, response);
    if (fault.close || fault.reset || response.destroyed) {
      journal.close(entry, body, null);
      hangUp(request, fault);
      return;
    }

    const answer = substitute(fault) ?? await respond(request, body);
    journal.close(entry, body, answer);
    await deliver(response, answer, fault);
  }

  return (request, response) => {
    handle(request, response).catch((error) => {
      console.error(error);
      if (response.headersSent) response.destroy();
      else deliver(response, json(500, { error: String(error) }), {});
    });
  };
}
