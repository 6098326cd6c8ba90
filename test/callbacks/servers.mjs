// Servers that answer by a script, and keep what they were asked.
//
// A path is /CELL/TRANSFER: the n-th request of the first transfer gets the n-th answer of the
// cell's script, those after the last the last. Other transfers are answered 200.
import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import { readBody } from '../sandbox/http.mjs';

const ANSWER_BYTES = 40_000; // several pieces, for libcurl
const REFUSAL_BYTES = 30_000;
const TOO_MUCH_BYTES = 300 * 1024; // more than the plugin keeps

const OK = { status: 200, bytes: ANSWER_BYTES };
const REFUSED = { status: 401, bytes: REFUSAL_BYTES };
const REFUSED_AT_LENGTH = { status: 401, bytes: TOO_MUCH_BYTES };
const MOVED = { status: 307, bytes: 100, to: '?moved' };
const AWAY = { status: 307, bytes: 100, away: true };

// What the application is to see of a script is another script where a refusal is healed.
export const scripts = {
  200: { answers: [OK] },
  empty: { answers: [{ status: 200, bytes: 0 }] },
  chunked: { answers: [{ ...OK, chunked: true }] },
  hints: { answers: [{ ...OK, hints: true }] },
  401: { answers: [REFUSED], repeated: true },
  '401-once': { answers: [REFUSED, OK], healed: '200' },
  '401-empty': { answers: [{ status: 401, bytes: 0 }, OK], healed: '200' },
  '401-chunked': { answers: [{ ...REFUSED, chunked: true }, OK], healed: '200' },
  '401-hints': { answers: [{ ...REFUSED, hints: true }, { ...OK, hints: true }], healed: 'hints' },
  '401-close': { answers: [{ ...REFUSED, close: true }, OK], healed: '200' },
  '401-early': { answers: [{ ...REFUSED, early: true, close: true }, OK], healed: '200' },
  '401-long': { answers: [REFUSED_AT_LENGTH, OK] },
  '401-stands': { answers: [REFUSED] },
  '401-long-stands': { answers: [REFUSED_AT_LENGTH] },
  307: { answers: [MOVED, OK] },
  '307-401-once': { answers: [MOVED, REFUSED, MOVED, OK], healed: '307' },
  '307-away': { answers: [AWAY, OK] },
  417: { answers: [{ status: 417, bytes: 100, early: true, close: true }, OK] },
};

const contents = Buffer.alloc(TOO_MUCH_BYTES, Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join(''));

// Parts of a form are between another line each time.
const withoutBoundary = (text) => text.replace(/-{24}[0-9a-f]{16}/g, 'boundary');

const digest = (body) => createHash('sha256').update(withoutBoundary(body.toString('latin1'))).digest('hex');

function headOf({ rawHeaders }) {
  return rawHeaders.map((_, i) => i % 2 === 0 && `${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
    .filter(Boolean).join('\n');
}

export class Servers {
  // scriptOf() tells the name of a cell's script.
  constructor(credentials, scriptOf) {
    this.credentials = credentials;
    this.scriptOf = scriptOf;
    this.requests = []; // { place, cell, transfer, line, head, status, body, whole }
    this.away = ''; // where a redirect leads that leaves the origin
    this.counts = new Map();
  }

  next(url) {
    const [, cell, transfer] = url.split(/[/?]/);
    const count = this.counts.get(cell) ?? 0;
    const { answers } = scripts[transfer === '0' ? this.scriptOf(cell) : '200'];
    if (transfer === '0') this.counts.set(cell, count + 1);
    return { cell, transfer, answer: answers[Math.min(count, answers.length - 1)] };
  }

  // A request is kept when it begins: its place among the others counts, not its end.
  async take(place, request, response, expects) {
    const { answer, ...whose } = this.next(request.url);
    const entry = {
      place, ...whose, line: `${request.method} ${request.url}`, head: headOf(request),
      status: answer.status, body: null, whole: false,
    };
    this.requests.push(entry);
    request.on('error', () => {});
    response.sendDate = false;
    if (expects && !answer.early) response.writeContinue();
    if (!expects || !answer.early) {
      const body = await readBody(request).catch(() => null);
      if (body === null) return;
      entry.body = digest(body);
      entry.text = body.toString('latin1');
      entry.trailers = request.rawTrailers.join(': ');
      entry.whole = request.complete;
    }
    this.answer(request, response, answer);
  }

  answer(request, response, { status, bytes, to, away, chunked, hints, close }) {
    const headers = {
      'content-type': 'text/plain',
      ...(!chunked && { 'content-length': bytes }),
      ...(status === 401 && { 'www-authenticate': 'Bearer error="invalid_token"' }),
      ...(close && { connection: 'close' }),
      ...(to && { location: to }),
      ...(away && { location: `${this.away}${request.url}` }),
    };
    if (hints) response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.writeHead(status, headers);
    response.end(request.method === 'HEAD' ? undefined : contents.subarray(0, bytes));
  }

  plain(place) {
    return this.listener(http.createServer(), place);
  }

  secure(place) {
    return this.listener(https.createServer(this.credentials), place);
  }

  listener(server, place) {
    server.on('request', (request, response) => this.take(place, request, response, false));
    server.on('checkContinue', (request, response) => this.take(place, request, response, true));
    server.on('upgrade', (request, socket) => this.upgrade(place, request, socket));
    server.on('clientError', (error, socket) => socket.destroy());
    return server;
  }

  // A WebSocket that says again what it is told, in one short frame.
  upgrade(place, request, socket) {
    const { answer, ...whose } = this.next(request.url);
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    this.requests.push({
      place, ...whose, line: `${request.method} ${request.url}`,
      head: headOf(request).replace(/(sec-websocket-key: ).*/i, '$1…'), status: 101, body: null, whole: false,
    });
    socket.on('error', () => {});
    socket.write(['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'));
    socket.once('data', (frame) => {
      const length = frame[1] & 0x7f;
      const text = Buffer.from(frame.subarray(6, 6 + length).map((byte, i) => byte ^ frame[2 + (i % 4)]));
      socket.end(Buffer.concat([Buffer.from([0x81, length]), text]));
    });
  }
}
