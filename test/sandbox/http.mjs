// What every server here shares: loopback, whole bodies, and answers as plain values
// { status, headers, body }.
import http from 'node:http';

const BODY_MAX_BYTES = 64 * 1024 * 1024;

// Never anything but loopback. Resolves to the port the kernel chose.
export function listen(server, host = '127.0.0.1') {
  server.keepAliveTimeout = 60_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve(server.address().port));
  });
}

export async function readBody(stream) {
  const chunks = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > BODY_MAX_BYTES) throw new Error('body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function json(status, value, headers = {}) {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(`${JSON.stringify(value)}\n`),
  };
}

const agent = new http.Agent({ keepAlive: true });

// One request to the provider behind our TLS front, answered as a value.
export function ask(port, { method = 'GET', path, headers = {} }, body = '') {
  return new Promise((resolve, reject) => {
    const request = http.request({
      agent, host: '127.0.0.1', port, method, path,
      headers: { ...headers, 'x-forwarded-proto': 'https' },
    });
    // The provider may end a connection that was idle just as it is used again.
    request.on('error', (error) => (
      request.reusedSocket ? ask(port, { method, path, headers }, body).then(resolve, reject) : reject(error)));
    request.on('response', (response) => {
      readBody(response).then(
        (read) => resolve({ status: response.statusCode, headers: response.headers, body: read }),
        reject,
      );
    });
    request.end(body);
  });
}
