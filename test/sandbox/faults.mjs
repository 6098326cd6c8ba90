// Misbehaviour on order: what a real server never does when a test wants it.
//
// A fault is an object. How often and for what:
//   times     how many requests it spoils: a number (1 if absent) or "all"
//   path      only requests for this path
// Instead of the real answer:
//   status, headers, body     an answer of one's own; body is sent as it stands if it is a
//                             string, as JSON otherwise
//   huge      a body of that many bytes
//   close     true: the connection ends without an answer;  reset: true: by RST
// To whatever answer there is:
//   early     true: answered before the request's body is read
//   delay_ms  it comes late
//   truncate  only that many bytes of its body arrive, then the connection ends
//   drip_ms   that pause before each byte of its body
//   chunked   true: without Content-Length
const KNOWN = new Set(['times', 'path', 'status', 'headers', 'body', 'huge', 'close', 'reset',
  'early', 'delay_ms', 'truncate', 'drip_ms', 'chunked']);

function check(fault) {
  const unknown = Object.keys(fault).find((key) => !KNOWN.has(key));
  if (unknown) throw new Error(`no such fault: ${unknown}`);
  return { ...fault, times: fault.times === 'all' ? Infinity : fault.times ?? 1 };
}

export class Faults {
  #planned = {};

  // { server: fault or list of faults, … } replaces all that was planned.
  plan(faultsByServer) {
    this.#planned = Object.fromEntries(Object.entries(faultsByServer)
      .map(([server, faults]) => [server, [faults].flat().map(check)]));
  }

  // What is to happen to this request, if anything.
  next(server, request) {
    const [path] = request.url.split('?');
    const fault = this.#planned[server]
      ?.find((each) => each.times > 0 && (each.path ?? path) === path);
    if (!fault) return {};
    fault.times -= 1;
    return fault;
  }
}

// The answer a fault gives in place of the real one, or null.
export function substitute({ status, headers, body, huge }) {
  if (status === undefined && body === undefined && huge === undefined) return null;

  const text = typeof body === 'string' ? body : JSON.stringify(body ?? '');
  return {
    status: status ?? 200,
    headers: { 'content-type': 'application/json', ...headers },
    body: huge === undefined ? Buffer.from(body === undefined ? '' : text) : Buffer.alloc(huge, ' '),
  };
}
