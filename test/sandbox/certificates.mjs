// A certificate authority that lives as long as the sandbox, and one leaf, for loopback unless
// other names are given. Another authority is for the certificates of clients; its key stays, so
// that a test can sign with it.
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DAYS = '30';
// The last is for curl that --connect-to leads here, as scripts/demo --shell has it.
const NAMES = 'IP:127.0.0.1,IP:::1,DNS:localhost,DNS:api.sypht.com';
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

// Leaves ca.pem in the directory and returns { key, cert } for TLS servers. The private keys
// are gone from the disk before anything is served.
export async function makeCertificates(directory, names = NAMES) {
  const at = (name) => join(directory, name);
  const openssl = (...args) => run('openssl', args);

  await openssl('req', '-x509', ...KEY, '-days', DAYS, '-subj', '/CN=Sandbox CA',
    '-addext', 'keyUsage=critical,keyCertSign,cRLSign',
    '-keyout', at('ca.key'), '-out', at('ca.pem'));
  await openssl('req', '-x509', ...KEY, '-days', DAYS, '-subj', '/CN=localhost',
    '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-addext', `subjectAltName=${names}`,
    '-addext', 'basicConstraints=critical,CA:FALSE',
    '-addext', 'keyUsage=critical,digitalSignature', '-addext', 'extendedKeyUsage=serverAuth',
    '-keyout', at('leaf.key'), '-out', at('leaf.pem'));

  await openssl('req', '-x509', ...KEY, '-days', DAYS, '-subj', '/CN=Sandbox CA of clients',
    '-keyout', at('clients-ca.key'), '-out', at('clients-ca.pem'));

  const [key, cert] = await Promise.all([readFile(at('leaf.key')), readFile(at('leaf.pem'))]);
  await Promise.all(['ca.key', 'leaf.key', 'leaf.pem'].map((name) => rm(at(name))));
  return { key, cert };
}
