// A world without Sypht, for the corpus: servers that answer the same to the same request, byte
// for byte, without a date, and misbehave where a path says so.
//
//   node server.mjs DIRECTORY PARENT
//
// DIRECTORY then holds ca.pem and, last, world.env with the address of each server.
import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { makeCertificates } from '../sandbox/certificates.mjs';
import { listen, readBody } from '../sandbox/http.mjs';

const [directory, parent] = process.argv.slice(2);
const TEXT = Buffer.from(Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join(''));
const LAST_MODIFIED = 'Mon, 01 Jan 2024 00:00:00 GMT';

const plain = (status, body = '', headers = {}) => (
  { status, headers: { 'content-type': 'text/plain', ...headers }, body: Buffer.from(body) });

function echo(request, body) {
  const headers = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    headers.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
  }
  const digest = createHash('sha256').update(body).digest('hex');
  return plain(200, `${request.method} ${request.url}\n${headers.join('\n')}\n${body.length} ${digest}\n`);
}

function ranged({ headers: { range = '' } }) {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (!first && !last) return plain(200, TEXT, { 'accept-ranges': 'bytes' });
  const from = first ? Number(first) : TEXT.length - Number(last);
  const to = first && last ? Number(last) : TEXT.length - 1;
  if (from >= TEXT.length) return plain(416, 'beyond\n', { 'content-range': `bytes */${TEXT.length}` });
  const part = TEXT.subarray(from, to + 1);
  return plain(206, part, { 'content-range': `bytes ${from}-${from + part.length - 1}/${TEXT.length}` });
}

function demand(challenge, scheme) {
  return ({ headers: { authorization = '' } }) => (
    authorization.startsWith(`${scheme} `)
      ? plain(200, `welcome by ${scheme}\n`)
      : plain(401, 'who are you?\n', { 'www-authenticate': challenge }));
}

const visits = new Map();

function flaky(request, body, [run, times, status = '503', after]) {
  const visit = (visits.get(run) ?? 0) + 1;
  visits.set(run, visit);
  return visit > times ? plain(200, `at last, on visit ${visit}\n`)
    : plain(Number(status), `visit ${visit}\n`, after ? { 'retry-after': after } : {});
}

function redirect(request, body, [status], query) {
  return plain(Number(status), 'elsewhere\n', { location: query.get('to') });
}

function hops(request, body, [left]) {
  return left > 0 ? plain(302, `${left} to go\n`, { location: `/hops/${left - 1}` }) : echo(request, body);
}

const routes = [
  [/^\/status\/(\d+)$/, (request, body, [status]) => plain(Number(status), status === '204' ? '' : `status ${status}\n`)],
  [/^\/redirect\/(\d+)$/, redirect],
  [/^\/hops\/(\d+)$/, hops],
  [/^\/text$/, ranged],
  [/^\/bytes\/(\d+)$/, (request, body, [size]) => plain(200, Buffer.alloc(Number(size), 'x'))],
  [/^\/gzip$/, () => plain(200, gzipSync(TEXT), { 'content-encoding': 'gzip' })],
  [/^\/deflate$/, () => plain(200, deflateSync(TEXT), { 'content-encoding': 'deflate' })],
  [/^\/not-gzip$/, () => plain(200, 'this is no gzip\n', { 'content-encoding': 'gzip' })],
  [/^\/cookie$/, (request, body, parts, query) => plain(200, 'have a cookie\n', { 'set-cookie': query.getAll('set') })],
  [/^\/basic$/, demand('Basic realm="r"', 'Basic')],
  [/^\/digest$/, demand('Digest realm="r", nonce="n", qop="auth", algorithm=MD5', 'Digest')],
  [/^\/bearer$/, demand('Bearer realm="r"', 'Bearer')],
  [/^\/any-auth$/, demand('Basic realm="r", Digest realm="r", nonce="n", qop="auth"', 'Digest')],
  [/^\/etag$/, ({ headers }) => (headers['if-none-match'] === '"v1"' ? plain(304) : plain(200, 'version 1\n', { etag: '"v1"' }))],
  [/^\/dated$/, ({ headers }) => (headers['if-modified-since'] ? plain(304) : plain(200, 'old\n', { 'last-modified': LAST_MODIFIED }))],
  [/^\/named$/, () => plain(200, 'named by the server\n', { 'content-disposition': 'attachment; filename="given.txt"' })],
  [/^\/headers\/(\d+)$/, (request, body, [count]) => plain(200, 'many\n',
    Object.fromEntries(Array.from({ length: Number(count) }, (_, i) => [`x-${i}`, `value ${i}`])))],
  [/^\/flaky\/([^/]+)\/(\d+)(?:\/(\d+))?(?:\/(\d+))?$/, flaky],
  [/^\/secure-cookie$/, () => plain(200, '', { 'set-cookie': ['s=1; Secure', 'h=1; HttpOnly', 'd=1; Domain=elsewhere.example'] })],
  [/^\/strict$/, () => plain(200, 'strict\n', { 'strict-transport-security': 'max-age=99999999' })],
  [/^\//, echo],
];

// How the answer is delivered, by path; all others in one piece.
const deliveries = {
  '/chunked': (response) => { response.write('one\n'); response.write('two\n'); response.end('three\n'); },
  '/trailers': (response) => {
    response.writeHead(200, { trailer: 'x-after' });
    response.write('body\n');
    response.addTrailers({ 'x-after': 'all' });
    response.end();
  },
  '/hints': (response) => { response.writeProcessing(); response.end('after a hint\n'); },
  '/truncated': (response) => { response.writeHead(200, { 'content-length': 100 }); response.write('short', () => response.socket.end()); },
  '/abort': (response) => response.socket.destroy(),
  '/never': () => {},
  '/stalled': (response) => { response.writeHead(200, { 'content-length': 100 }); response.write('some'); },
  '/unlimited': (response) => { response.useChunkedEncodingByDefault = false; response.shouldKeepAlive = false; response.end('until the end\n'); },
  '/bad-chunk': ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n'),
  '/two-lengths': ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde'),
  '/huge-header': ({ socket }) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(400_000)}\r\n\r\n`),
  '/old': ({ socket }) => socket.end('HTTP/1.0 200 Fine\r\n\r\nhow it was\n'),
};

async function answer(request, response) {
  response.sendDate = false;
  const [path, query] = request.url.split('?');
  const deliver = deliveries[path];
  const body = await readBody(request);
  if (deliver) {
    deliver(response);
    return;
  }
  const [pattern, respond] = routes.find(([each]) => each.test(path)) ?? [/^/, echo];
  const given = await respond(request, body, pattern.exec(path).slice(1), new URLSearchParams(query));
  response.writeHead(given.status, { ...given.headers, ...(given.status !== 204 && given.status !== 304 && { 'content-length': given.body.length }) });
  response.end(given.body);
}

const quiet = (server) => server.on('clientError', (error, socket) => socket.destroy());
const serving = (server) => quiet(server).on('request', (request, response) => {
  answer(request, response).catch(() => response.destroy());
});

function join2(one, other) {
  one.pipe(other).pipe(one);
  one.on('error', () => other.destroy());
  other.on('error', () => one.destroy());
}

// A proxy by absolute URL and by CONNECT; it adds a header that shows it was there.
function createProxy({ wantsPassword = false } = {}) {
  const refuses = ({ headers }) => wantsPassword && !headers['proxy-authorization'];
  const proxy = http.createServer((request, response) => {
    response.sendDate = false;
    if (refuses(request)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="p"', 'content-length': 0 }).end();
      return;
    }
    if (!/^http:/.test(request.url)) {
      response.writeHead(400, { 'content-length': 0 }).end();
      return;
    }
    const { 'proxy-authorization': dropped, ...headers } = request.headers;
    const onward = http.request(request.url, { method: request.method, headers: { ...headers, via: 'proxy' } }, (back) => {
      response.writeHead(back.statusCode, back.headers);
      back.pipe(response);
    });
    onward.on('error', () => response.writeHead(502, { 'content-length': 0 }).end());
    request.pipe(onward);
  });
  proxy.on('connect', (request, socket) => {
    socket.on('error', () => {});
    if (refuses(request)) {
      socket.end('HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const [host, port] = request.url.split(':');
    const onward = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      join2(socket, onward);
    });
    onward.on('error', () => socket.end('HTTP/1.1 502 Unreachable\r\n\r\n'));
  });
  return quiet(proxy);
}

// SOCKS 5 without a password, for addresses and names alike.
function createSocks() {
  return net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(Buffer.of(5, 0));
      socket.once('data', (wish) => {
        const host = wish[3] === 1 ? wish.subarray(4, 8).join('.') : wish.subarray(5, 5 + wish[4]).toString();
        const onward = net.connect(wish.readUInt16BE(wish.length - 2), host, () => {
          socket.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          join2(socket, onward);
        });
        onward.on('error', () => socket.end(Buffer.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0)));
      });
    });
  });
}

// A server that says a line when one connects, and another to each line it hears.
const saying = (hello, reply) => net.createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', () => (reply ? socket.write(reply) : socket.end()));
  if (hello) socket.write(hello);
});

const tls = await makeCertificates(directory);
const address = async (scheme, server) => `${scheme}://127.0.0.1:${await listen(server)}`;
const onSocket = serving(http.createServer());
await new Promise((done) => { onSocket.listen(join(directory, 'socket'), done); });

const world = {
  H: await address('http', serving(http.createServer())),
  S: await address('https', serving(https.createServer(tls))),
  H2: await address('https', serving(http2.createSecureServer({ ...tls, allowHTTP1: true }))),
  H2C: await address('http', serving(http2.createServer())),
  PROXY: await address('http', createProxy()),
  GUARDED: await address('http', createProxy({ wantsPassword: true })),
  SOCKS: await address('socks5', createSocks()),
  JUNK: await address('http', saying('this is not HTTP at all\r\n', 'nor this\r\n')),
  SILENT: await address('http', net.createServer((socket) => socket.on('error', () => {}))),
  HANGUP: await address('http', saying('', '')),
  FTP: await address('ftp', saying('220 hello\r\n', '530 not you\r\n')),
  SMTP: await address('smtp', saying('220 hello\r\n', '550 not you\r\n')),
  IMAP: await address('imap', saying('* BYE not you\r\n', '* BYE\r\n')),
  UNIX: join(directory, 'socket'),
  WORLD_CA: join(directory, 'ca.pem'),
  WORLD_PID: process.pid,
};

setInterval(() => {
  try { process.kill(Number(parent), 0); } catch { process.exit(); }
}, 200).unref();
process.on('SIGTERM', () => process.exit());

await writeFile(join(directory, 'unfinished'), Object.entries(world).map(([name, value]) => `${name}='${value}'\n`).join(''));
await rename(join(directory, 'unfinished'), join(directory, 'world.env'));
