// Servers that answer by a script, and keep what they were asked.
//
// A path is /CELL/TRANSFER: the n-th request of the first transfer gets the n-th answer of the
// cell's script, those after the last the last. /CELL/0.N is a stream beside the first transfer,
// for which a script may have other answers. Other transfers are answered 200.
import { createHash } from 'node:crypto';
import http from 'node:http';
import http2 from 'node:http2';
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
  eager: { answers: [{ ...OK, eager: true }] },
  'eager-401': { answers: [{ ...REFUSED, eager: true }] },
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
  'one-of-all-401': { answers: [OK], streams: { 3: [REFUSED, OK] }, healed: '200' },
  'each-401': { answers: [REFUSED, OK], each: true, healed: '200' },
  'each-401-always': { answers: [REFUSED], each: true, repeated: true },
  goaway: { answers: [{ ...OK, goaway: true }] },
  '401-goaway': { answers: [{ ...REFUSED, goaway: true }, OK], healed: '200' },
  pushes: { answers: [{ ...OK, push: true }] },
  '401-pushes': { answers: [REFUSED, { ...OK, push: true }], healed: 'pushes' },
  '401-that-pushes': { answers: [{ ...REFUSED, push: true }, OK], healed: 'pushes' },
};

// The answers to a transfer of a script, or to a stream of it.
export function answersTo(script, transfer) {
  const { answers, streams, each } = scripts[script];
  const [first, stream] = transfer.split('.');
  if (first !== '0') return [OK];
  if (!stream) return answers;
  return each ? answers : streams?.[stream] ?? [OK];
}

const contents = Buffer.alloc(TOO_MUCH_BYTES, Array.from({ length: 2000 }, (_, i) => `line ${i}\n`).join(''));

// Parts of a form are between another line each time.
const withoutBoundary = (text) => text.replace(/-{24}[0-9A-Za-z]{16,22}/g, 'boundary');

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
    const key = `${cell}/${transfer}`;
    const count = this.counts.get(key) ?? 0;
    const answers = answersTo(transfer[0] === '0' ? this.scriptOf(cell) : '200', transfer);
    this.counts.set(key, count + 1);
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
    if (answer.eager) this.answer(request, response, answer);
    if (!expects || !answer.early) {
      const body = await readBody(request).catch(() => null);
      if (body === null) return;
      entry.body = digest(body);
      entry.text = body.toString('latin1');
      entry.trailers = request.rawTrailers.join(': ');
      entry.whole = request.complete;
    }
    if (!answer.eager) this.answer(request, response, answer);
  }

  answer(request, response, { status, bytes, to, away, chunked, hints, close, push, goaway }) {
    const { stream } = response;
    const headers = {
      'content-type': 'text/plain',
      ...(!chunked && { 'content-length': bytes }),
      ...(status === 401 && { 'www-authenticate': 'Bearer error="invalid_token"' }),
      ...(close && !stream && { connection: 'close' }),
      ...(to && { location: to }),
      ...(away && { location: `${this.away}${request.url}` }),
    };
    if (push && stream.pushAllowed) {
      stream.pushStream({ ':path': `${request.url}/pushed` }, (error, pushed) => {
        if (error) return;
        pushed.on('error', () => {});
        pushed.respond({ ':status': 200 });
        pushed.end('pushed\n');
      });
    }
    if (hints) response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    response.writeHead(status, headers);
    response.end(request.method === 'HEAD' ? undefined : contents.subarray(0, bytes));
    if (goaway) stream.session.close();
  }

  plain(place) {
    return this.listener(http.createServer(), place);
  }

  secure(place) {
    return this.listener(https.createServer(this.credentials), place);
  }

  overHttp2(place) {
    const server = http2.createSecureServer(this.credentials);
    server.on('session', (session) => session.on('error', () => {}));
    return this.listener(server, place);
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
