// A token server and an API of Sypht's shape, on loopback:
//
//   node sandbox.mjs DIRECTORY [--parent PID]
//
// DIRECTORY then holds ca.pem, requests.jsonl, token-requests.jsonl and, last and whole as the
// sign that all is ready, sandbox.env. What a test puts into its files/ and git/, the API serves.
// The sandbox ends on SIGTERM, and by itself once the parent (who started it, unless told
// otherwise) is gone.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createAdmin } from './admin.mjs';
import { createApi } from './api.mjs';
import { createAuthority } from './authority.mjs';
import { respond as bystander } from './bystander.mjs';
import { makeCertificates } from './certificates.mjs';
import { clients } from './clients.mjs';
import { Federation } from './federation.mjs';
import { exchange, rememberRawSockets } from './exchange.mjs';
import { Faults } from './faults.mjs';
import { createFront, serverOf } from './front.mjs';
import { listen } from './http.mjs';
import { Journal } from './journal.mjs';
import { RESOURCE, createProvider } from './provider.mjs';

const PARENT_CHECK_MS = 200;

function endWith(parent) {
  const orphaned = () => {
    try {
      process.kill(parent, 0);
      return false;
    } catch {
      return true;
    }
  };
  setInterval(() => orphaned() && process.exit(), PARENT_CHECK_MS).unref();
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit());
}

// A machine without IPv6 has no [::1]; the variable is empty then.
async function addressOn6(server) {
  try {
    return `https://[::1]:${await listen(server, '::1')}`;
  } catch {
    return '';
  }
}

async function start(directory) {
  const journal = new Journal({
    requests: join(directory, 'requests.jsonl'),
    tokenRequests: join(directory, 'token-requests.jsonl'),
  });
  const faults = new Faults();
  const tls = await makeCertificates(directory);

  const overHttp2 = { createServer: (options) => http2.createSecureServer({ ...options, allowHTTP1: true }) };
  const servers = {
    front: https, api: https, api6: https, apiHttp: http, apiHttp2: overHttp2,
    bystander: https, bystanderHttp: http, bystanderHttp2: overHttp2,
  };
  // The front asks for a certificate, and goes on without one.
  const asking = {
    ...tls, ca: await readFile(join(directory, 'clients-ca.pem')),
    requestCert: true, rejectUnauthorized: false,
  };
  for (const [name, { createServer }] of Object.entries(servers)) {
    servers[name] = createServer(name === 'front' ? asking : tls);
    rememberRawSockets(servers[name]);
  }

  const issuer = `https://127.0.0.1:${await listen(servers.front)}`;
  const provider = createProvider(issuer);
  const providerPort = await listen(http.createServer(provider.callback()));
  provider.on('grant.success', () => { journal.counts.issued += 1; });

  const authority = await createAuthority(provider, providerPort, issuer);
  const gate = { open: false };
  const federation = new Federation();
  const served = { files: join(directory, 'files'), git: join(directory, 'git'), registry: join(directory, 'registry') };
  await Promise.all(Object.values(served).map((each) => mkdir(each)));
  const serve = (names, of, respond) => {
    const handler = exchange({ serverOf: of, respond, faults, journal });
    names.forEach((name) => servers[name].on('request', handler));
  };
  serve(['front'], serverOf, createFront(providerPort, federation));
  serve(['api', 'api6', 'apiHttp', 'apiHttp2'], () => 'api', createApi(authority, served, gate));
  serve(['bystander', 'bystanderHttp', 'bystanderHttp2'], () => 'bystander', bystander);

  return {
    SANDBOX_PID: process.pid,
    SANDBOX_CA: join(directory, 'ca.pem'),
    SANDBOX_CLIENTS_CA: join(directory, 'clients-ca.pem'),
    SANDBOX_CLIENTS_CA_KEY: join(directory, 'clients-ca.key'),
    SANDBOX_ISSUER: issuer,
    SANDBOX_TOKEN_URL: `${issuer}/oauth2/token`,
    SANDBOX_LEGACY_TOKEN_URL: `${issuer}/oauth/token`,
    SANDBOX_RESOURCE: RESOURCE,
    SANDBOX_API: `https://127.0.0.1:${await listen(servers.api)}`,
    SANDBOX_API_IPV6: await addressOn6(servers.api6),
    SANDBOX_API_HTTP: `http://127.0.0.1:${await listen(servers.apiHttp)}`,
    SANDBOX_API_HTTP2: `https://127.0.0.1:${await listen(servers.apiHttp2)}`,
    SANDBOX_BYSTANDER: `https://127.0.0.1:${await listen(servers.bystander)}`,
    SANDBOX_BYSTANDER_HTTP: `http://127.0.0.1:${await listen(servers.bystanderHttp)}`,
    SANDBOX_BYSTANDER_HTTP2: `https://127.0.0.1:${await listen(servers.bystanderHttp2)}`,
    SANDBOX_FILES: served.files,
    SANDBOX_GIT: served.git,
    SANDBOX_REGISTRY: served.registry,
    SANDBOX_ADMIN: `http://127.0.0.1:${await listen(http.createServer(createAdmin({ journal, faults, authority, gate, federation })))}`,
    SANDBOX_REQUESTS: journal.files.requests,
    SANDBOX_TOKEN_REQUESTS: journal.files.tokenRequests,
    ...Object.fromEntries(clients.flatMap(({ name, id, secret }) => {
      const prefix = ['SANDBOX', name].filter(Boolean).join('_');
      return [[`${prefix}_CLIENT_ID`, id], [`${prefix}_CLIENT_SECRET`, secret]];
    })),
  };
}

const shellQuoted = (value) => `'${String(value).replaceAll("'", "'\\''")}'`;

async function announce(directory, variables) {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${shellQuoted(value)}\n`);
  const unfinished = join(directory, '.sandbox.env');
  await writeFile(unfinished, lines.join(''), { mode: 0o600 });
  await rename(unfinished, join(directory, 'sandbox.env'));
}

const { values, positionals } = parseArgs({
  options: { parent: { type: 'string' } },
  allowPositionals: true,
});
if (positionals.length !== 1) {
  console.error('usage: node sandbox.mjs DIRECTORY [--parent PID]');
  process.exit(2);
}

endWith(Number(values.parent ?? process.ppid));
const directory = resolve(positionals[0]);
await mkdir(directory, { recursive: true });
await announce(directory, await start(directory));
