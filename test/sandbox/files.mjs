// Files below a directory, whole or in ranges: what clients that read images, indexes and
// archives over HTTP expect of a server.
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { json } from './http.mjs';

// [first, last] of each range asked for, null where the header is absent or no list of ranges.
function rangesOf(header, size) {
  const list = /^bytes=(.+)$/.exec(header ?? '')?.[1].split(',').map((each) => /^\s*(\d*)-(\d*)\s*$/.exec(each));
  if (!list?.every((match) => match && (match[1] || match[2]))) return null;
  return list
    .map(([, first, last]) => (first
      ? [Number(first), Math.min(last ? Number(last) : Infinity, size - 1)]
      : [Math.max(size - Number(last), 0), size - 1]))
    .filter(([first, last]) => first <= last);
}

const contentRange = ([first, last], size) => `bytes ${first}-${last}/${size}`;

function multipart(body, ranges, headers) {
  const boundary = randomUUID();
  const parts = ranges.flatMap((range) => [
    Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${headers['content-type']}\r\n`
      + `Content-Range: ${contentRange(range, body.length)}\r\n\r\n`),
    body.subarray(range[0], range[1] + 1),
  ]);
  return {
    status: 206,
    headers: { ...headers, 'content-type': `multipart/byteranges; boundary=${boundary}` },
    body: Buffer.concat([...parts, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}

function answer(body, ranges, headers) {
  if (!ranges) return { status: 200, headers, body };
  if (ranges.length === 0) {
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${body.length}` }, body: Buffer.alloc(0) };
  }
  if (ranges.length > 1) return multipart(body, ranges, headers);
  const [first, last] = ranges[0];
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange(ranges[0], body.length) },
    body: body.subarray(first, last + 1),
  };
}

export function createFiles(directory) {
  return async function respond(request, body, [name]) {
    // A name that starts with a slash has no way up once it is normal.
    const path = join(directory, normalize(`/${decodeURIComponent(name)}`));
    const read = await readFile(path).catch(() => null);
    if (!read || !['GET', 'HEAD'].includes(request.method)) return json(404, { error: 'not_found' });

    const headers = {
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      'last-modified': (await stat(path)).mtime.toUTCString(),
    };
    return answer(read, rangesOf(request.headers.range, read.length), headers);
  };
}
