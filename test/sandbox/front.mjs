// The TLS front of the token server. It passes everything on to the provider, with two things a
// real Sypht endpoint does and oidc-provider does not: a request without scope gets all the
// scopes its client has, and /oauth/token is the token endpoint of old.
import { clientById } from './clients.mjs';
import { PATHS as FEDERATED } from './federation.mjs';
import { ask } from './http.mjs';
import { CERTIFICATE, VERIFIED } from './provider.mjs';

const TOKEN_PATHS = new Set(['/oauth2/token', '/oauth/token']);
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'content-length'];

const pathOf = (request) => request.url.split('?')[0];

export const serverOf = (request) => (
  request.method === 'POST' && (TOKEN_PATHS.has(pathOf(request)) || FEDERATED.test(pathOf(request)))
    ? 'token' : 'issuer');

function withDefaultScope(request, body) {
  const form = new URLSearchParams(body.toString());
  const basic = /^basic +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const id = form.get('client_id') ?? Buffer.from(basic, 'base64').toString().split(':')[0];
  const client = clientById(id);

  if (form.has('scope') || !client) return body;
  return Buffer.concat([body, Buffer.from(`&scope=${encodeURIComponent(client.scope)}`)]);
}

// What the client showed in TLS, which only we can know.
function withCertificate(headers, { socket }) {
  const { raw } = socket.getPeerCertificate();
  delete headers[CERTIFICATE];
  delete headers[VERIFIED];
  if (!raw) return;
  headers[CERTIFICATE] = raw.toString('base64');
  headers[VERIFIED] = String(socket.authorized);
}

export function createFront(providerPort, federation) {
  return async function respond(request, body) {
    if (FEDERATED.test(pathOf(request))) return federation.respond(providerPort, body);
    const isToken = serverOf(request) === 'token';
    const sent = isToken ? withDefaultScope(request, body) : body;
    const headers = { ...request.headers };
    [...HOP_BY_HOP, 'expect'].forEach((name) => delete headers[name]);
    withCertificate(headers, request);
    if (sent.length > 0) headers['content-length'] = sent.length;

    const answer = await ask(providerPort, {
      method: request.method,
      path: isToken ? '/oauth2/token' : request.url,
      headers,
    }, sent);
    HOP_BY_HOP.forEach((name) => delete answer.headers[name]);
    return answer;
  };
}
