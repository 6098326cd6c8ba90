// The levers for tests, over plain http on loopback.
import { clientById, restoreLifetimes } from './clients.mjs';
import { json, readBody } from './http.mjs';
import { addKeyClient, addTlsClient } from './provider.mjs';

export function createAdmin({ journal, faults, authority, gate, federation }) {
  const count = () => {
    const { token, api, bystander, issuer, issued } = journal.counts;
    return {
      token_requests: token, tokens_issued: issued, api_requests: api,
      bystander_requests: bystander, issuer_requests: issuer,
    };
  };

  const levers = {
    'GET /count': count,

    // As just started, but for the tokens, which live on.
    'POST /reset': () => {
      journal.reset();
      faults.plan({});
      restoreLifetimes();
      gate.open = false;
      return count();
    },

    // {"token": "…"}, or all of them.
    'POST /revoke': ({ token }) => ({ revoked: authority.revoke(token) }),

    // {"token": {"status": 500, "times": 2}, "api": […]}; {} ends them all. See faults.mjs.
    'PUT /faults': (planned) => {
      faults.plan(planned);
      return {};
    },

    // {"client_id": "…", "public_key": "PEM", "key_id": "…"}: a client that signs instead of
    // showing a secret.
    'PUT /key-client': ({ client_id: id, public_key: key, key_id: keyId }) => {
      addKeyClient(id, key, keyId);
      return {};
    },

    // {"client_id": "…", "subject": "CN=…"} or {…, "certificate": "PEM"}: a client that shows a
    // certificate.
    'PUT /tls-client': ({ client_id: id, ...shown }) => {
      addTlsClient(id, shown);
      return {};
    },

    // Whose assertions are taken; see federation.mjs.
    'PUT /trust': (trust) => {
      federation.trust(trust);
      return {};
    },

    // {"open": true}: the API asks nobody for a token.
    'PUT /gate': ({ open }) => {
      gate.open = open;
      return {};
    },

    // {"client_id": "…", "seconds": 12}: how long tokens issued from now on live.
    'PUT /lifetime': ({ client_id: id, seconds }) => {
      clientById(id).lifetime = seconds;
      return {};
    },
  };

  return async function handle(request, response) {
    const answer = await readBody(request)
      .then((body) => {
        const lever = levers[`${request.method} ${request.url}`];
        if (!lever) return json(404, { levers: Object.keys(levers) });
        return json(200, lever(body.length > 0 ? JSON.parse(body) : {}));
      })
      .catch((error) => json(400, { error: error.message }));
    response.writeHead(answer.status, answer.headers).end(answer.body);
  };
}
