// Is this token live, and what may it do? Opaque tokens are put to the provider's introspection
// endpoint. A JWT speaks for itself: its signature, and our list of those not yet revoked.
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose';
import { inspector } from './clients.mjs';
import { ask } from './http.mjs';
import { RESOURCE, destroyStored } from './provider.mjs';

const looksLikeJwt = (token) => token.split('.').length === 3;

const basic = ({ id, secret }) => {
  const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
};

export async function createAuthority(provider, providerPort, issuer) {
  const jwks = createLocalJWKSet(JSON.parse((await ask(providerPort, { path: '/jwks' })).body));
  const liveJwts = new Set();

  // Only tokens the provider does not store are announced so.
  provider.on('client_credentials.issued', (token) => liveJwts.add(token.jti));

  async function introspect(token) {
    const answer = await ask(providerPort, {
      method: 'POST',
      path: '/token/introspection',
      headers: {
        authorization: basic(inspector),
        'content-type': 'application/x-www-form-urlencoded',
      },
    }, new URLSearchParams({ token }).toString());
    const claims = JSON.parse(answer.body);
    return claims.active ? claims : null;
  }

  async function verify(token) {
    try {
      const { payload } = await jwtVerify(token, jwks, { issuer, audience: RESOURCE });
      return liveJwts.has(payload.jti) ? payload : null;
    } catch {
      return null;
    }
  }

  // { client, scopes } of a live token, or null.
  async function examine(token) {
    const claims = await (looksLikeJwt(token) ? verify(token) : introspect(token));
    return claims && { client: claims.client_id, scopes: (claims.scope ?? '').split(' ') };
  }

  // Ends one token, or all there are. Says how many.
  function revoke(token) {
    if (token === undefined) {
      const jwts = liveJwts.size;
      liveJwts.clear();
      return jwts + destroyStored();
    }
    return looksLikeJwt(token) ? Number(liveJwts.delete(decodeJwt(token).jti)) : destroyStored(token);
  }

  return { examine, revoke };
}
