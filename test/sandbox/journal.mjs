// What was asked of the servers, in two files of one JSON object a line. A line is written
// before its answer is sent, so whoever has the answer finds the line.
import { createHash } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';

// Enough to tell tokens apart, too little to use one.
export function fingerprint(token) {
  return createHash('sha256').update(token).digest('hex').slice(0, 8);
}

export function bearerOf(request) {
  return /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? null;
}

function issuedToken(answer) {
  try {
    const { access_token: token } = JSON.parse(answer.body);
    return typeof token === 'string' ? token : null;
  } catch {
    return null;
  }
}

function rawHeaders(request) {
  const { rawHeaders: raw } = request;
  return raw.filter((_, i) => i % 2 === 0).map((name, i) => `${name}: ${raw[2 * i + 1]}`);
}

export class Journal {
  constructor({ requests, tokenRequests }) {
    this.files = { requests, tokenRequests };
    this.reset();
  }

  reset() {
    this.counts = { token: 0, api: 0, bystander: 0, issuer: 0, issued: 0 };
    Object.values(this.files).forEach((file) => writeFileSync(file, ''));
  }

  // A request has come. Its line waits for the answer.
  open(server, request) {
    this.counts[server] += 1;
    return { server, request, time: new Date().toISOString() };
  }

  // The answer is about to go out; none, if the connection is dropped instead. For the token
  // endpoint the token is the one answered, for all others the one shown.
  close({ server, request, time }, body, answer) {
    const { method, url } = request;
    const token = server === 'token' ? answer && issuedToken(answer) : bearerOf(request);
    const scheme = /^\S+/.exec(request.headers.authorization ?? '')?.[0] ?? null;

    this.#append('requests', {
      time, server, method, path: url, status: answer?.status ?? null,
      token: token ? fingerprint(token) : null, scheme, body_bytes: body.length,
    });
    if (server === 'token') {
      this.#append('tokenRequests', {
        time,
        line: `${method} ${url} HTTP/${request.httpVersion}`,
        headers: rawHeaders(request),
        body: body.toString('latin1'),
      });
    }
  }

  #append(file, entry) {
    appendFileSync(this.files[file], `${JSON.stringify(entry)}\n`);
  }
}
