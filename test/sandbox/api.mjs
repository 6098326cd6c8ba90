// An API of Sypht's shape. It lets in whoever shows a token the authority calls live, and lets
// them do what the token's scopes say.
import { randomUUID } from 'node:crypto';
import { echo, redirect } from './echo.mjs';
import { extract, wantedPrefixes } from './extraction.mjs';
import { createFiles } from './files.mjs';
import { createGit } from './git.mjs';
import { json } from './http.mjs';
import { bearerOf } from './journal.mjs';
import { createRegistry } from './registry.mjs';

const challenge = (status, error, details = '') => json(status, { error },
  { 'www-authenticate': `Bearer error="${error}"${details}` });

const notFound = () => json(404, { error: 'not_found' });

// For callers that know only user and password: the token as password.
const BASIC = '/basic';
const basicChallenge = { ...json(401, {}), headers: { 'www-authenticate': 'Basic realm="sandbox"' } };

function passwordOf(request) {
  const [, pair = ''] = /^basic +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return Buffer.from(pair, 'base64').toString().split(':').slice(1).join(':');
}

// What lies in the directories files and git is served under /files/ and /git/, and the image in
// registry under /v2/. Below /basic/ all is as it is without, but by Basic.
export function createApi(authority, { files, git, registry }, gate) {
  const results = new Map();

  async function upload(request, body) {
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const form = await new Response(body, { headers }).formData().catch(() => null);
    const file = form?.get('fileToUpload');
    if (!(file instanceof Blob)) return json(400, { error: 'fileToUpload is missing' });

    const prefixes = wantedPrefixes({
      fieldSets: form.get('fieldSets'),
      products: form.get('products') ?? '',
    });
    if (!prefixes) return json(400, { error: 'fieldSets or products: missing or unknown' });

    const fileId = randomUUID();
    results.set(fileId, extract(Buffer.from(await file.arrayBuffer()), prefixes));
    return json(200, { fileId, uploadedAt: new Date().toISOString(), status: 'RECEIVED' });
  }

  function result(request, body, [fileId]) {
    if (!results.has(fileId)) return notFound();
    return json(200, { fileId, status: 'FINALISED', results: results.get(fileId) });
  }

  function annotate(request, body, [fileId]) {
    if (!results.has(fileId)) return notFound();
    return json(200, { fileId, annotations: JSON.parse(body).annotations ?? [] });
  }

  function company(request, body, [clientId], caller) {
    if (clientId !== caller?.client) return notFound();
    return json(200, { clientId, id: 'company-1', name: 'Example Widgets Pty Ltd' });
  }

  // A token is wanted unless a row says open, and that scope of it if a row names one.
  const routes = [
    { is: 'POST', path: /^\/fileupload$/, scope: 'fileupload:all', answer: upload },
    { is: 'GET', path: /^\/result\/final\/([^/]+)$/, scope: 'result:all', answer: result },
    { is: 'PUT', path: /^\/validate\/document\/([^/]+)\/annotations$/, scope: 'validate:annotation', answer: annotate },
    { is: 'GET', path: /^\/app\/company\/byclientid\/([^/]+)$/, answer: company },
    { path: /^\/echo(?:\/.*)?$/, answer: echo },
    { path: /^\/redirect$/, answer: redirect },
    { path: /^\/files\/(.+)$/, answer: createFiles(files) },
    { path: /^\/git\/(.+)$/, answer: createGit(git) },
    { path: /^\/v2\/(.*)$/, answer: createRegistry(registry), basic: true },
    { path: /^\/open(?:\/.*)?$/, answer: echo, open: true },
    { path: /^/, answer: notFound },
  ];

  return async function respond(request, body) {
    const url = new URL(request.url, 'http://localhost');
    const below = url.pathname.startsWith(`${BASIC}/`);
    const pathname = below ? url.pathname.slice(BASIC.length) : url.pathname;
    const route = routes.find(({ is, path }) => (is ?? request.method) === request.method && path.test(pathname));
    const parts = route.path.exec(pathname).slice(1);
    if (route.open || gate.open) return route.answer(request, body, parts);

    const basic = below || route.basic;
    const token = basic ? passwordOf(request) : bearerOf(request);
    const caller = token && await authority.examine(token);
    if (!caller && basic) return basicChallenge;
    if (!caller) return challenge(401, 'invalid_token');
    if (route.scope && !caller.scopes.includes(route.scope)) {
      return challenge(403, 'insufficient_scope', `, scope="${route.scope}"`);
    }
    return route.answer(request, body, parts, caller);
  };
}
