// Plays every situation of a table through curl and through a C program under the plugin, and says
// what arrived where:
//
//   node play.mjs TABLE DIRECTORY BUILD SCENE
//
// SCENE is the compiled test/hosts/scene.c. Each run has a client id of its own, and the token
// endpoint here answers each id with a token of its own; so wherever a token turns up, it tells
// whose it is. DIRECTORY/outcomes then holds a JSON object a run.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join, resolve } from 'node:path';
import { makeCertificates } from '../sandbox/certificates.mjs';
import { Wire } from './wire.mjs';

const AT_ONCE = 6;
const RUN_MS = 30_000;
const SILENCE_MS = 5_000;
const NAMES = ['IP:127.0.0.1', 'IP:127.0.0.2', 'IP:::1', ...['localhost', 'api.example', '*.api.example',
  'api.example.evil', 'xapi.example', 'other.example', 'xn--bcher-kva.example', '127.0.0.1.evil'].map((name) => `DNS:${name}`)];

const [table, , build, scene] = process.argv.slice(2).map((path) => resolve(path));
const directory = resolve(process.argv[3]);

// The table -------------------------------------------------------------------------------------

// "carries api, bare other/second via proxy": what is to be seen where; word is the start of the
// path's last part, which ends with the name of the run.
function parseVerdict(text) {
  return text.split(', ').map((each) => {
    const match = /^(carries|bare|own|untouched) ([a-z0-9-]+)(?::([a-z]+))?(?: via ([a-z-]+))?$/.exec(each);
    if (!match && !['nothing', 'anything'].includes(each)) throw new Error(`no such verdict: ${each}`);
    const [, verb = each, place, word, via] = match ?? [];
    return { verb, place, word, via, text: each };
  });
}

function parseTable(text) {
  const rows = [];
  let section = '';
  let lines = null;

  text.split('\n').forEach((line, i) => {
    const wrong = (what) => { throw new Error(`line ${i + 1}: ${what}`); };
    if (/^(#.*)?$/.test(line)) return;
    if (/^\[.*\]$/.test(line)) { section = line.slice(1, -1); return; }
    if (!/^\s/.test(line)) {
      const [verdict, title] = line.split(/: (.*)/);
      if (!title) wrong('VERDICT: TITLE is expected');
      rows.push({ section, title, verdict: parseVerdict(verdict), env: {}, plays: [] });
      return;
    }
    const row = rows.at(-1);
    const [, indent, word, rest] = /^(\t+)(\S+) ?(.*)$/.exec(line);
    if (indent.length > 1) lines.push(line.trimStart());
    else if (word === 'env') Object.assign(row.env, { [rest.split('=')[0]]: rest.split(/=(.*)/)[1] });
    else if (word === 'url') {
      row.plays.push({ by: 'curl', text: `-g "${rest}"` });
      row.plays.push({ by: 'scene', text: ['easy a', `set a URL ${rest}`, 'perform a'] });
    } else if (word === 'curl') row.plays.push({ by: 'curl', text: rest });
    else if (word === 'scene') {
      lines = [];
      row.plays.push({ by: 'scene', text: lines });
    } else wrong(`no such word: ${word}`);
  });
  return rows;
}

// The world -------------------------------------------------------------------------------------

const tokens = new Map(); // client id: its token
const secret = randomBytes(18).toString('hex');

function tokenFor(id) {
  if (!tokens.has(id)) tokens.set(id, `token-${id}-${randomBytes(18).toString('hex')}`);
  return tokens.get(id);
}

function mint(request) {
  const basic = /^authorization: basic (\S+)/im.exec(request)?.[1] ?? '';
  const [id] = Buffer.from(basic, 'base64').toString().split(':');
  const body = JSON.stringify({ access_token: tokenFor(id), token_type: 'Bearer', expires_in: 3600 });
  return `HTTP/1.1 200 So\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

const listen = (server, host = '127.0.0.1', port = 0) => new Promise((done, failed) => {
  server.once('error', failed);
  server.listen(port, host, () => done(server.address().port));
});

// A machine without IPv6 has no [::1]; what needs it is not played then.
const listenOn6 = (server) => listen(server, '::1').catch(() => 0);

async function startWorld(wire) {
  const { http } = Wire.prototype;
  const port = {
    API: await listen(wire.secure('api', wire.http())),
    API_HTTP: await listen(wire.plain('api-http', wire.http())),
    API2: await listen(wire.overHttp2('api2')),
    API6: await listenOn6(wire.secure('api6', wire.http())),
    API6_HTTP: await listenOn6(wire.plain('api6-http', wire.http())),
    OTHER: await listen(wire.secure('other', wire.http())),
    OTHER_HTTP: await listen(wire.plain('other-http', wire.http())),
    OTHER2: await listen(wire.overHttp2('other2')),
    DUAL: await listen(wire.either('dual')),
    PROXY: await listen(wire.plain('proxy', wire.proxy('proxy'))),
    TLS_PROXY: await listen(wire.secure('tls-proxy', wire.proxy('tls-proxy'))),
    SOCKS: await listen(wire.plain('socks', wire.proxy('socks'))),
    DOH: await listen(wire.resolver('doh')),
    RTSP: await listen(wire.plain('rtsp', http(Wire.rtsp))),
    AUTHORITY: await listen(wire.secure('authority', wire.http(mint))),
  };
  for (const place of ['ftp', 'smtp', 'imap', 'pop3', 'dict', 'gopher']) {
    port[place.toUpperCase()] = await listen(wire.conversation(place));
  }
  for (const place of ['ldap', 'mqtt']) port[place.toUpperCase()] = await listen(wire.binary(place));
  await listen(wire.secure('neighbour', wire.http()), '127.0.0.2', port.API);
  await listen(wire.plain('neighbour-http', wire.http()), '127.0.0.2', port.API_HTTP);
  await new Promise((done) => { wire.plain('unix', wire.http()).listen(join(directory, 'socket'), done); });
  const tftp = wire.datagrams('tftp');
  await new Promise((done) => { tftp.bind(0, '127.0.0.1', done); });
  port.TFTP = tftp.address().port;
  return port;
}

function describe(port) {
  const world = Object.fromEntries(Object.entries(port).map(([name, number]) => [`${name}_PORT`, String(number)]));
  for (const name of ['API', 'API2', 'OTHER', 'OTHER2', 'TLS_PROXY', 'DOH']) world[name] = `https://127.0.0.1:${port[name]}`;
  for (const name of ['API_HTTP', 'OTHER_HTTP', 'PROXY']) world[name] = `http://127.0.0.1:${port[name]}`;
  return {
    ...world,
    API6: `https://[::1]:${port.API6}`,
    API6_HTTP: `http://[::1]:${port.API6_HTTP}`,
    NEIGHBOUR: `https://127.0.0.2:${port.API}`,
    NEIGHBOUR_HTTP: `http://127.0.0.2:${port.API_HTTP}`,
    DUAL: `http://localhost:${port.DUAL}`,
    WRAPPED_PORT: String(port.API + 65536),
    UNIX: join(directory, 'socket'),
    FILES: directory,
  };
}

// What the table's situations find on the disk.
async function furnish(world) {
  const on6 = world.API6_PORT === '0' ? [] : [world.API6, world.API6_HTTP];
  const origins = [world.API, world.API_HTTP, world.API2, ...on6, world.DUAL,
    `https://api.example:${world.API_PORT}`, 'https://api.example',
    `https://xn--bcher-kva.example:${world.API_PORT}`];
  const files = {
    config: ['[profile sypht]', ...origins.map((origin) => `origin = ${origin}`)],
    netrc: ['machine localhost login me password mine', 'machine 127.0.0.2 login me password mine'],
    'netrc-api': ['machine 127.0.0.1 login me password mine'],
    'netrc-default': ['default login me password mine'],
    hsts: ['localhost "20391231 00:00:00"'],
    'alt-svc': [`h1 127.0.0.1 ${world.API_PORT} h1 127.0.0.1 ${world.OTHER_PORT} "20391231 00:00:00" 1 0`],
    'curlrc-own': ['header = "Authorization: Bearer mine"'],
    small: ['a small file'],
  };
  await Promise.all(Object.entries(files).map(([name, lines]) => (
    writeFile(join(directory, name), `${lines.join('\n')}\n`, { mode: 0o600 }))));
}

// Running ---------------------------------------------------------------------------------------

const fill = (text, world) => text.replace(/\$\{?([A-Z0-9_]+)\}?/g, (all, name) => world[name] ?? all);

// libcurl writes to these files when it is done, so each run has its own.
const ownFiles = (id, text) => Promise.all(['hsts', 'alt-svc']
  .filter((name) => String(text).includes(`${name}-$ROW`))
  .map((name) => copyFile(join(directory, name), join(directory, `${name}-${id}`))));

async function run({ by, text }, id, row, world) {
  await ownFiles(id, text);
  const env = {
    PATH: process.env.PATH,
    HOME: join(directory, 'home'),
    XDG_CACHE_HOME: join(directory, 'cache'),
    LC_ALL: 'C.UTF-8',
    ...(process.env.CLIENT_LIBRARIES && { LD_LIBRARY_PATH: process.env.CLIENT_LIBRARIES }),
    LD_PRELOAD: join(build, 'libsypht-preload.so'),
    CURL_CA_BUNDLE: join(directory, 'ca.pem'),
    SYPHT_CONFIG: join(directory, 'config'),
    SYPHT_AUTH_ENDPOINT: `https://127.0.0.1:${world.AUTHORITY_PORT}/token`,
    SYPHT_API_KEY: `${id}:${secret}`,
    ASAN_OPTIONS: process.env.ASAN_OPTIONS ?? 'verify_asan_link_order=0',
  };
  const here = { ...world, ROW: id };
  for (const [name, value] of Object.entries(row.env)) env[name] = fill(value, here);
  const argv = by === 'scene' ? [scene]
    : ['bash', '-c', `exec curl -q -sS -o /dev/null -m 20 ${fill(text, here)}`];
  const child = spawn(argv[0], argv.slice(1), { env, cwd: directory, timeout: RUN_MS });
  const started = Date.now();
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { said += chunk; });
  child.stdin.on('error', () => {});
  child.stdin.end(by === 'scene' ? `${fill(text.join('\n'), here)}\n` : 'what stands on standard input\n');
  return new Promise((done) => {
    child.on('close', (status, signal) => done({ said, status: signal ?? status, ms: Date.now() - started }));
  });
}

async function atMost(limit, jobs) {
  const results = [];
  let next = 0;
  await Promise.all(Array.from({ length: limit }, async () => {
    while (next < jobs.length) {
      const mine = next;
      next += 1;
      results[mine] = await jobs[mine]();
    }
  }));
  return results;
}

// Judging -----------------------------------------------------------------------------------------

// As it is, and as Base64 makes of it wherever in a longer text it stands.
function disguises(text) {
  return [text, ...[0, 1, 2].map((shift) => (
    Buffer.from(' '.repeat(shift) + text).toString('base64').slice(shift + 1, -4)))];
}

const holds = (bytes, forms) => forms.some((form) => bytes.includes(form));

// What of a connection belongs to the run.
function marked({ bytes, requests }, id, word) {
  const parts = requests.length > 0 ? requests : [bytes];
  if (word) return parts.filter((part) => part.includes(`${word}-${id}`));
  return parts.filter((part) => part.includes(requests.length > 0 ? `/${id}` : id));
}

// Why the verdict does not hold; nothing if it does.
function object({ verb, place, word, via, text }, heard, id, forms) {
  if (verb === 'anything') return [];
  if (verb === 'nothing') {
    return heard.filter((each) => marked(each, id).length > 0).map((each) => `reached ${each.place}`);
  }
  const parts = heard.filter((each) => each.place === place && (!via || each.via === via))
    .flatMap((each) => marked(each, id, word));
  if (verb === 'untouched') return parts.length > 0 ? [`${text}, but it was reached`] : [];
  if (parts.length === 0) return [`${text}, but nothing came there`];
  const wrong = {
    carries: (part) => !holds(part, forms) || part.match(/^authorization:/gim).length !== 1,
    own: (part) => holds(part, forms) || !/^authorization *:/im.test(part),
    bare: (part) => holds(part, forms) || /^authorization *:/im.test(part),
  }[verb];
  return parts.some(wrong) ? [`${text}, but there came: ${parts.find(wrong).replaceAll('\r\n', ' | ')}`] : [];
}

function judge(row, id, heard, authority) {
  const forms = disguises(tokenFor(id));
  const carrying = row.verdict.filter(({ verb }) => verb === 'carries').map(({ place }) => place);
  const leaks = heard.filter(({ place, bytes }) => place !== authority && !carrying.includes(place) && holds(bytes, forms))
    .map(({ place }) => `LEAK: the token came to ${place}`);
  return [...leaks, ...row.verdict.flatMap((each) => object(each, heard, id, forms))];
}

await mkdir(join(directory, 'home'), { recursive: true });
const wire = new Wire(await makeCertificates(directory, NAMES.join(',')));
const world = describe(await startWorld(wire));
await furnish(world);

const needs6 = ({ plays }) => plays.some(({ text }) => String(text).includes('API6'));
const rows = parseTable(await readFile(table, 'utf8'))
  .filter((row) => world.API6_PORT !== '0' || !needs6(row));
const runs = rows.flatMap((row) => row.plays.map((play) => ({ row, play })));
runs.forEach((each, i) => { each.id = `${each.play.by[0]}${String(i).padStart(4, '0')}`; });
const only = process.env.ONLY ? runs.filter(({ row }) => row.title.includes(process.env.ONLY)) : runs;
const ends = await atMost(AT_ONCE, only.map(({ row, play, id }) => () => run(play, id, row, world)));
await wire.silence(SILENCE_MS);

const secretForms = disguises(secret);
const elsewhere = wire.heard.filter(({ place, bytes }) => place !== 'authority' && holds(bytes, secretForms));
const outcomes = only.map(({ row, play, id }, i) => ({
  section: row.section,
  title: row.title,
  by: play.by,
  objections: judge(row, id, wire.heard, 'authority'),
  ...ends[i],
}));
outcomes.push({
  section: 'secret', title: 'the client secret came to the token endpoint only', by: 'all', said: '', status: 0,
  objections: elsewhere.map(({ place }) => `LEAK: the client secret came to ${place}`),
});
await writeFile(join(directory, 'outcomes'), '');
await appendFile(join(directory, 'outcomes'), outcomes.map((each) => `${JSON.stringify(each)}\n`).join(''));
process.exit();
