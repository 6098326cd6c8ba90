// An endpoint that takes assertions of another issuer, as those of Entra ID and Keycloak do for the
// tokens of a Kubernetes cluster. It trusts one issuer, subject, audience and key, as the test says,
// and gives a token of the client that the README names.
import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import { clients } from './clients.mjs';
import { ask, json } from './http.mjs';

export const PATHS = /^\/(tenant-of-the-test\/oauth2\/v2\.0|realms\/main\/protocol\/openid-connect)\/token$/;

const refuse = (description) => json(401, { error: 'invalid_client', error_description: description });

// In the words of Entra ID.
const WORDS = {
  aud: 'AADSTS700212: No matching federated identity record found for presented assertion audience.',
  sub: 'AADSTS700213: No matching federated identity record found for presented assertion subject.',
  iss: 'AADSTS700211: No matching federated identity record found for presented assertion issuer.',
  exp: 'AADSTS700024: Client assertion is not within its valid time range.',
};

export class Federation {
  #trust;

  // { client_id, issuer, subject, audience, public_key, assertion_type }
  trust(trust) {
    this.#trust = { ...trust, key: createPublicKey(trust.public_key) };
  }

  async respond(providerPort, body) {
    const form = new URLSearchParams(body.toString());
    const { client_id: id, issuer, subject, audience, key, assertion_type: type } = this.#trust;

    if (form.get('client_id') !== id) return refuse('AADSTS700016: Application was not found.');
    if (form.get('client_assertion_type') !== type) return refuse('unknown client_assertion_type');
    try {
      await jwtVerify(form.get('client_assertion') ?? '', key, { issuer, subject, audience });
    } catch (error) {
      return refuse(WORDS[error.claim] ?? 'AADSTS700027: Client assertion failed signature validation.');
    }
    return this.#grant(providerPort);
  }

  #grant(providerPort) {
    const { id, secret, scope } = clients.find(({ name }) => name === 'README');
    const pair = Buffer.from(`${id}:${secret}`).toString('base64');
    return ask(providerPort, {
      method: 'POST',
      path: '/oauth2/token',
      headers: {
        authorization: `Basic ${pair}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
    }, new URLSearchParams({ grant_type: 'client_credentials', scope }).toString());
  }
}
