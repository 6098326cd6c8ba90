// Answers that say what was asked, for tests that look at the request from the far side.
import { createHash } from 'node:crypto';
import { bearerOf, fingerprint } from './journal.mjs';
import { json } from './http.mjs';

export function echo(request, body) {
  const token = bearerOf(request);
  return json(200, {
    method: request.method,
    path: request.url,
    headers: request.rawHeaders.filter((_, i) => i % 2 === 0),
    token: token && fingerprint(token),
    body_bytes: body.length,
    body_sha256: createHash('sha256').update(body).digest('hex'),
  });
}

// /redirect?to=URL&status=302
export function redirect(request) {
  const { searchParams } = new URL(request.url, 'http://localhost');
  const location = searchParams.get('to');
  if (!location) return json(400, { error: 'to is missing' });
  return json(Number(searchParams.get('status') ?? 302), { location }, { location });
}
