// One container image below a directory, as a registry shows it (/v2/…): manifests/TAG and
// blobs/DIGEST, under whatever name they are asked for.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { json } from './http.mjs';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export function createRegistry(directory) {
  return async function respond(request, body, [path]) {
    const [, kind, name] = /\/(manifests|blobs)\/([\w:.-]+)$/.exec(path) ?? [];
    if (path === '') return json(200, {});
    if (!kind) return json(404, { errors: [{ code: 'NAME_UNKNOWN' }] });

    const content = await readFile(join(directory, kind, name)).catch(() => null);
    if (!content) return json(404, { errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    const type = kind === 'manifests' ? MANIFEST : 'application/octet-stream';
    return { status: 200, headers: { 'content-type': type }, body: content };
  };
}
