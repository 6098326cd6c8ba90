// Plays every cell of a table twice, bare and under the plugin, and says in what they differ:
//
//   node play.mjs TABLE DIRECTORY BUILD HOST
//
// HOST is the compiled test/hosts/callbacks. Bare, it authenticates by itself. DIRECTORY/outcomes
// then holds a JSON object a cell. Plays every answer and every program, but only every second pair
// of them; CALLBACKS_WHOLE plays every pair. Each pair is played in one way to drive a handle, each
// in turn; CALLBACKS_ALL plays every pair in every way. ONLY: the cells whose name holds that text.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { join, resolve } from 'node:path';
import { makeCertificates } from '../sandbox/certificates.mjs';
import { json, listen, readBody } from '../sandbox/http.mjs';
import { Servers, answersTo, scripts } from './servers.mjs';

const AT_ONCE = 3;
const CELL_MS = 60_000;

const [table, directory, build, host] = process.argv.slice(2).map((path) => resolve(path));

// The table -------------------------------------------------------------------------------------

// A section is the product of its axes; a line "again no" says that its bodies cannot be sent twice.
function parseTable(text) {
  const sections = [];
  text.split('\n').forEach((line, i) => {
    if (/^(#.*)?$/.test(line)) return;
    const title = /^\[(.*)\]$/.exec(line)?.[1];
    if (title) { sections.push({ title, axes: [], scripts: [], drives: [], again: true, place: 'api' }); return; }
    const [word, ...values] = line.trim().split(/\s+/);
    const section = sections.at(-1);
    if (word === 'again') section.again = values[0] === 'yes';
    else if (word === 'place') [section.place] = values;
    else if (word === 'stays') [section.stays] = values;
    else if (word === 'uncounted') [section.uncounted] = values;
    else if (word === 'answers') section.scripts = values;
    else if (word === 'drives') section.drives = values;
    else if (word === 'with') section.axes.push(values);
    else throw new Error(`line ${i + 1}: no such word: ${word}`);
  });
  return sections;
}

const product = (axes) => axes.reduce((all, axis) => all.flatMap((one) => axis.map((value) => [...one, value])), [[]]);

function cellsOf(sections) {
  const all = sections.flatMap(({ title, axes, scripts: answers, drives, ...rest }) => {
    const combinations = product([answers, ...axes]);
    const programs = combinations.length / answers.length;
    const isPlayed = (i) => process.env.CALLBACKS_WHOLE || process.env.CALLBACKS_ALL || process.env.ONLY || programs === 1
      || (i + (programs % 2 ? 0 : Math.floor(i / programs))) % 2 === 0;
    const turn = (i) => drives[(i + Math.floor(i * answers.length / combinations.length)) % drives.length];
    return combinations.flatMap(([script, ...words], i) => (
      (process.env.CALLBACKS_ALL ? drives : isPlayed(i) ? [turn(i)] : [])
        .map((drive) => ({ section: title, script, drive, words: words.join('+'), ...rest }))));
  });
  return all.map((cell) => ({ ...cell, name: `${cell.words} by ${cell.drive}, answered ${cell.script}` }))
    .filter(({ name, section }) => !process.env.ONLY || `${section}: ${name}`.includes(process.env.ONLY))
    .map((cell, i) => ({ ...cell, id: String(i) }));
}

// The world -------------------------------------------------------------------------------------

const minted = new Map(); // client id: how many tokens it was given
const secret = randomBytes(18).toString('hex');

// Ids that begin with "once" get a token, and never another.
async function mint(request, response) {
  await readBody(request);
  const id = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64').toString().split(':')[0];
  const count = (minted.get(id) ?? 0) + 1;
  minted.set(id, count);
  const refused = id.startsWith('once') && count > 1;
  const { status, headers, body } = refused ? json(400, { error: 'invalid_client' })
    : json(200, { access_token: `token-${randomBytes(9).toString('hex')}`, token_type: 'Bearer', expires_in: 3600 });
  response.writeHead(status, headers);
  response.end(body);
}

// What a cell is answered, to one who needs no token or to the plugin.
function scriptFor({ script, again }, who) {
  return who === 'bare' && again && scripts[script].healed ? scripts[script].healed : script;
}

async function startServers(credentials, who) {
  const servers = new Servers(credentials, (id) => scriptFor(cells[id], who));
  const origins = {
    api: `https://127.0.0.1:${await listen(servers.secure('api'))}`,
    api2: `https://127.0.0.1:${await listen(servers.overHttp2('api2'))}`,
    'api-http': `http://127.0.0.1:${await listen(servers.plain('api-http'))}`,
    other: `https://127.0.0.1:${await listen(servers.secure('other'))}`,
  };
  servers.away = origins.other;
  return { servers, origins };
}

// Bare and under the plugin each has servers of its own, so that requests can be the same.
async function startWorld() {
  const credentials = await makeCertificates(directory);
  const bare = await startServers(credentials, 'bare');
  const under = await startServers(credentials, 'under');
  const endpoint = `https://127.0.0.1:${await listen(https.createServer(credentials, mint))}/token`;
  await writeFile(join(directory, 'config'), ['[profile sypht]', `origin = ${under.origins.api}`, `origin = ${under.origins.api2}`,
    `origin = ${under.origins['api-http']}`, ''].join('\n'), { mode: 0o600 });
  return { bare, under, endpoint };
}

// Running ---------------------------------------------------------------------------------------

let homes = 0;

async function environment(who, id) {
  homes += 1;
  const home = join(directory, `home-${homes}`);
  await mkdir(home);
  return {
    PATH: process.env.PATH, HOME: home, TMPDIR: home, LC_ALL: 'C',
    CURL_CA_BUNDLE: join(directory, 'ca.pem'),
    ...(process.env.CLIENT_LIBRARIES && { LD_LIBRARY_PATH: process.env.CLIENT_LIBRARIES }),
    ...(who === 'bare' ? { BEARER: `token-${'0'.repeat(18)}` } : {
      LD_PRELOAD: join(build, 'libsypht-preload.so'),
      SYPHT_CONFIG: join(directory, 'config'),
      SYPHT_AUTH_ENDPOINT: world.endpoint,
      SYPHT_API_KEY: `${id}:${secret}`,
      ...(process.env.SYPHT_TRACE && { SYPHT_TRACE: process.env.SYPHT_TRACE }),
    }),
  };
}

// A process that plays one cell after the other, and is replaced when it ends before its time.
class Player {
  constructor(who, id) {
    this.who = who;
    this.id = id;
    this.child = null;
  }

  async start() {
    const env = await environment(this.who, this.id);
    const under = (process.env.CALLBACKS_UNDER ?? '').split(' ').filter(Boolean);
    this.child = spawn([...under, host][0], [...under, host].slice(1), { env, cwd: env.HOME });
    this.child.stdin.on('error', () => {});
    this.said = '';
    this.heard = () => {};
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (chunk) => { this.said += chunk; this.heard(); });
    }
    this.ended = new Promise((done) => { this.child.on('close', (status, signal) => done(signal ?? status)); });
  }

  // What the program said of the cell, and how it ended if it did.
  async play(line, id) {
    if (!this.child) await this.start();
    const last = `end ${id}\n`;
    const whole = new Promise((done) => { this.heard = () => this.said.endsWith(last) && done(null); });
    const { child } = this;
    const started = Date.now();
    const limit = setTimeout(() => child.kill('SIGKILL'), CELL_MS);
    child.stdin.write(`${line}\n`);
    const end = await Promise.race([whole, this.ended]);
    clearTimeout(limit);
    const said = this.said.replace(last, '');
    this.said = '';
    if (end !== null) this.child = null;
    return { said, end, ms: Date.now() - started };
  }

  async stop() {
    this.child?.stdin.end();
    return this.child ? this.ended : null;
  }

  async leave() {
    const end = await this.stop();
    if (end) throw new Error(`a program ended with ${end}`);
    this.child = null;
  }
}

function lineFor({ id, drive, words, place, script }, who) {
  const { origins } = world[who];
  const last = script.endsWith('stands') ? 'other' : place;
  return [id, drive, words, ...[place, 'other', last].map((each, i) => `${origins[each]}/${id}/${i}`)].join(' ');
}

// Where the endpoint gives a token and no other, each cell has a process of its own. So has each
// cell that is refused: a process that has just replaced a token does not replace the next at once.
async function playAll(cells, who, play) {
  const queue = cells.slice();
  const worker = async (n) => {
    const player = new Player(who, `any-${n}`);
    for (let cell = queue.shift(); cell; cell = queue.shift()) {
      const alone = who === 'under' && cell.script.endsWith('stands');
      const one = alone ? new Player(who, `once-${cell.id}`) : player;
      if (!alone && who === 'under' && cell.script.includes('401')) await player.leave();
      await play(cell, await one.play(lineFor(cell, who), cell.id));
      if (alone) await one.stop();
    }
    await player.leave();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => worker(n)));
}

// Judging -----------------------------------------------------------------------------------------

// Of a transfer that was made twice, only what the application is to see counts; of one that could
// have been, not that its body was taken back for it.
const VISIBLE = /^(transfer|result|code|redirects|received|error|seen|told|.* was given|it hangs|stream|push)/;

const TAKEN_BACK = /^called (seek|ioctl) /;

const masked = (line) => (line.startsWith('error') ? line.replace(/\d+/g, 'n') : line);

function transfersIn(said) {
  return said.split(/^(?=transfer )/m).map((part) => part.split('\n').filter(Boolean).map(masked));
}

function isRepeated({ script, again, stays }) {
  return again && !stays && Boolean(scripts[script].healed || scripts[script].repeated);
}

function differences(cell, bare, under) {
  if (under.end !== null) return [`ended with ${under.end}, having said:\n${under.said}`];
  const [mine, its] = [bare, under].map(({ said }) => transfersIn(said));
  return its.flatMap((lines, i) => {
    const counts = (line) => i !== 0 || (isRepeated(cell) ? VISIBLE.test(line)
      : !cell.script.startsWith('401') || !TAKEN_BACK.test(line));
    const known = (line) => counts(line) && !(cell.uncounted && line.startsWith('received'));
    const [expected, actual] = [(mine[i] ?? []).filter(known), lines.filter(known)];
    return [...expected.filter((line) => !actual.includes(line)).map((line) => `transfer ${i} lacks: ${line}`),
      ...actual.filter((line) => !expected.includes(line)).map((line) => `transfer ${i} has: ${line}`),
      ...(expected.join() !== actual.join() && expected.slice().sort().join() === actual.slice().sort().join()
        ? [`transfer ${i}: another order: ${actual.join(' | ')}`] : [])];
  });
}

const comparable = ({ line, head, body, trailers }) => [line, head.replace(/^authorization: .*\n?/im, '').replace(/-{24}[0-9A-Za-z]{16,22}/g, 'boundary'),
  body, trailers].join('\n').replace(/^(host|:authority): .*\n/gim, '');

function tokenIn({ head }) {
  const all = head.match(/^authorization: .*/gim) ?? [];
  return all.length === 1 ? /^authorization: bearer (token-\S+)$/i.exec(all[0])?.[1] ?? null : null;
}

// What came over the wire under the plugin, against what came bare.
function wireObjections(cell) {
  const of = (who, transfer) => world[who].servers.requests
    .filter((each) => each.cell === cell.id && each.transfer === transfer);
  const objections = [];

  for (const transfer of new Set(world.bare.servers.requests.filter((each) => each.cell === cell.id).map((each) => each.transfer))) {
    const [bare, under] = [of('bare', transfer), of('under', transfer)];
    const script = scripts[cell.script];
    const twice = transfer[0] === '0' && isRepeated(cell) && !cell.words.includes('abort');
    const expected = !twice ? bare.map(({ status }) => status)
      : script.healed ? answersTo(cell.script, transfer).map(({ status }) => status)
        : answersTo(cell.script, transfer).flatMap(({ status }) => (status === 401 ? [401, 401] : [status]));
    const statuses = under.map(({ status }) => status);
    if (!cell.words.includes('abort') && statuses.join() !== expected.join()) {
      objections.push(`transfer ${transfer}: answered ${statuses}, not ${expected}`);
    }
    const known = new Set(bare.map(comparable));
    for (const each of under.filter(({ whole }) => whole)) {
      if (!known.has(comparable(each)) && !cell.words.includes('abort')) {
        objections.push(`transfer ${transfer}: not as bare: ${comparable(each)}\nbut:\n${[...known].join('\n')}`);
      }
    }
    const last = [];
    for (const each of under) {
      const inScope = each.place !== 'other' && !(cell.stays && transfer !== '2');
      const token = tokenIn(each);
      if (inScope && !token) objections.push(`transfer ${transfer}: no token: ${each.head}`);
      if (!inScope && /token-/.test(each.head + (each.text ?? ''))) objections.push(`LEAK: transfer ${transfer} to ${each.place}: ${each.line} ${each.head}`);
      if (inScope && last.at(-1)?.status === 401 && last.at(-1).token === token) objections.push('the same token again');
      last.push({ token, status: each.status });
    }
  }
  return objections;
}

const cells = cellsOf(parseTable(await readFile(table, 'utf8')));
const world = await startWorld();
const played = new Map(cells.map(({ id }) => [id, {}]));

await Promise.all(['bare', 'under'].map((who) => playAll(cells, who, (cell, result) => { played.get(cell.id)[who] = result; })));

const outcomes = cells.map((cell) => {
  const { bare, under } = played.get(cell.id);
  const objections = [...(bare.end === null ? [] : [`bare it ended with ${bare.end}: ${bare.said}`]),
    ...differences(cell, bare, under), ...wireObjections(cell)];
  return { section: cell.section, name: cell.name, objections, bare: bare.said, under: under.said, ms: [bare.ms, under.ms] };
});
await writeFile(join(directory, 'outcomes'), outcomes.map((each) => `${JSON.stringify(each)}\n`).join(''));
process.exit();
