// A server that has nothing to do with Sypht. It answers anybody, and what matters is what its
// lines in the journal show: no token.
import { echo, redirect } from './echo.mjs';

export async function respond(request, body) {
  return request.url.startsWith('/redirect?') ? redirect(request) : echo(request, body);
}
