// The clients the sandbox knows: one usual, and one for each way a client can differ.
import { randomBytes } from 'node:crypto';

export const SCOPES = ['fileupload:all', 'result:all', 'validate:annotation'];

const HOUR_S = 3600;
const fresh = () => randomBytes(24).toString('base64url');

const usual = { scope: SCOPES.join(' '), method: 'client_secret_basic', lifetime: HOUR_S };

// name is the word in the variables of sandbox.env; the usual client has none.
export const clients = [
  { ...usual, name: '', id: 'sandbox-client', secret: fresh() },
  { ...usual, name: 'SHORT', id: 'short-client', secret: fresh(), lifetime: 12 },
  // Sent as it is in Basic, this secret is read as another one: + is a space there, %26 is &.
  { ...usual, name: 'ODD', id: 'odd-client', secret: `we+ird%26/${fresh()}=?` },
  { ...usual, name: 'NARROW', id: 'narrow-client', secret: fresh(), scope: 'result:all' },
  { ...usual, name: 'JWT', id: 'jwt-client', secret: fresh(), jwt: true },
  { ...usual, name: 'LEGACY', id: 'legacy-client', secret: fresh(), method: 'client_secret_post' },
  // Called as in the README, whose commands then work as they are written.
  { ...usual, name: 'README', id: 'client_id', secret: 'client_secret' },
];

// The API itself is a client too: it asks the provider about the tokens it is shown.
export const inspector = { ...usual, id: 'sandbox-api', secret: fresh(), scope: undefined };

const originalLifetimes = new Map(clients.map(({ id, lifetime }) => [id, lifetime]));

export const clientById = (id) => clients.find((client) => client.id === id);

export function restoreLifetimes() {
  for (const client of clients) client.lifetime = originalLifetimes.get(client.id);
}
