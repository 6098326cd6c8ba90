// Repositories below a directory, served by git itself: http-backend as a CGI program.
import { spawn } from 'node:child_process';
import { readBody } from './http.mjs';

function environment(directory, request, path) {
  const { headers } = request;
  return {
    PATH: process.env.PATH,
    GIT_PROJECT_ROOT: directory,
    GIT_HTTP_EXPORT_ALL: '1',
    REMOTE_USER: 'caller',
    REQUEST_METHOD: request.method,
    PATH_INFO: `/${path}`,
    QUERY_STRING: request.url.split('?')[1] ?? '',
    CONTENT_TYPE: headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
    GIT_PROTOCOL: headers['git-protocol'] ?? '',
  };
}

// A CGI answer: header lines, among them perhaps a status, an empty line, the body.
function parse(output) {
  const end = output.indexOf('\r\n\r\n');
  const headers = Object.fromEntries(output.subarray(0, end).toString().split('\r\n')
    .map((line) => /^([^:]+): *(.*)$/.exec(line).slice(1)));
  const { Status: status = '200', ...rest } = headers;
  return { status: parseInt(status, 10), headers: rest, body: output.subarray(end + 4) };
}

export function createGit(directory) {
  return async function respond(request, body, [path]) {
    const backend = spawn('git', ['http-backend'], {
      env: environment(directory, request, path),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    backend.stdin.on('error', () => {});    // it need not read what it has no use for
    backend.stdin.end(body);
    return parse(await readBody(backend.stdout));
  };
}
