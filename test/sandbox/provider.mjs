// The token server: oidc-provider as it is, told about our clients.
import { X509Certificate, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { Provider, errors } from 'oidc-provider';
import { SCOPES, clientById, clients, inspector } from './clients.mjs';

// The headers by which the front passes on what the client showed in TLS: DER in base64, and
// whether a CA that we trust signed it.
export const CERTIFICATE = 'x-client-certificate';
export const VERIFIED = 'x-client-verified';

// What a JWT is for. The JWT client gets one unasked, any other with resource= and this.
export const RESOURCE = 'https://api.sandbox.example';

const DAY_S = 86_400;

// Where oidc-provider keeps its tokens. The store it brings along forgets after a thousand.
const stored = new Map();

class Store {
  constructor(model) {
    this.prefix = `${model}:`;
  }

  async upsert(id, payload) {
    stored.set(this.prefix + id, payload);
  }

  async find(id) {
    return stored.get(this.prefix + id);
  }

  async destroy(id) {
    stored.delete(this.prefix + id);
  }
}

const lifetime = (client) => clientById(client.clientId)?.lifetime ?? DAY_S;

function metadata({ id, secret, scope, method }) {
  return {
    client_id: id,
    client_secret: secret,
    token_endpoint_auth_method: method,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    ...(scope && { scope }),
  };
}

// A client that proves itself by a key instead of a secret, known from now on. publicKey is PEM.
export function addKeyClient(id, publicKey, kid) {
  const jwk = createPublicKey(publicKey).export({ format: 'jwk' });
  const client = { id, scope: SCOPES.join(' '), method: 'private_key_jwt', lifetime: 3600 };

  if (!clientById(id)) clients.push(client);
  stored.set(`Client:${id}`, { ...metadata(client), jwks: { keys: [kid ? { ...jwk, kid } : jwk] } });
}

// A client that shows a certificate: { subject: 'CN=…' } of one that the CA signed, or { certificate }
// in PEM, its own.
export function addTlsClient(id, { subject, certificate }) {
  const client = {
    id, scope: SCOPES.join(' '), lifetime: 3600,
    method: subject ? 'tls_client_auth' : 'self_signed_tls_client_auth',
  };
  const jwk = certificate && {
    ...new X509Certificate(certificate).publicKey.export({ format: 'jwk' }),
    x5c: [new X509Certificate(certificate).raw.toString('base64')],
  };

  if (!clientById(id)) clients.push(client);
  stored.set(`Client:${id}`, {
    ...metadata(client),
    ...(subject ? { tls_client_auth_subject_dn: subject } : { jwks: { keys: [jwk] } }),
  });
}

const shown = (ctx) => {
  const der = ctx.get(CERTIFICATE);
  return der ? new X509Certificate(Buffer.from(der, 'base64')) : undefined;
};

const mutualTls = {
  enabled: true,
  tlsClientAuth: true,
  selfSignedTlsClientAuth: true,
  getCertificate: (ctx) => shown(ctx)?.toString(),
  certificateAuthorized: (ctx) => ctx.get(VERIFIED) === 'true',
  certificateSubjectMatches: (ctx, property, expected) => shown(ctx).subject === expected,
};

function resourceServer(ctx, resource, client) {
  if (resource !== RESOURCE) throw new errors.InvalidTarget();
  return {
    scope: SCOPES.join(' '),
    accessTokenTTL: lifetime(client),
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}

function signingKeys() {
  const pairs = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }),    // the provider insists on one
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ];
  return { keys: pairs.map(({ privateKey }) => privateKey.export({ format: 'jwk' })) };
}

function configuration() {
  return {
    adapter: Store,
    clients: [...clients, inspector].map(metadata),
    scopes: SCOPES,
    jwks: signingKeys(),
    cookies: { keys: ['unused'] },
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt',
      'tls_client_auth', 'self_signed_tls_client_auth'],
    enabledJWA: {
      clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    },
    routes: { token: '/oauth2/token' },
    ttl: { ClientCredentials: (ctx, token, client) => lifetime(client) },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      mTLS: mutualTls,
      introspection: { enabled: true, allowedPolicy: (ctx, client) => client.clientId === inspector.id },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client) => (clientById(client.clientId)?.jwt ? RESOURCE : undefined),
        getResourceServerInfo: resourceServer,
      },
    },
  };
}

// The provider speaks plain http to the TLS front that owns the issuer's address; see front.mjs.
export function createProvider(issuer) {
  const provider = new Provider(issuer, configuration());
  provider.proxy = true;
  provider.on('server_error', (ctx, error) => console.error(error));
  return provider;
}

// Ends opaque tokens: one, or all. Says how many.
export function destroyStored(token) {
  const doomed = [...stored.keys()].filter((key) => key.startsWith('ClientCredentials:')
    && (token === undefined || key === `ClientCredentials:${token}`));
  doomed.forEach((key) => stored.delete(key));
  return doomed.length;
}
