// openid-client 5: discovery, code with PKCE and nonce, a verified identity token, claims, refresh.
import { Issuer, generators } from 'openid-client';

const url = process.argv[2];
const issuer = await Issuer.discover(url);
const app = new issuer.Client({ client_id: 'app', client_secret: 'secret', redirect_uris: ['http://127.0.0.1:9/cb'] });
const [verifier, state, nonce] = [generators.codeVerifier(), generators.state(), generators.nonce()];
const login = app.authorizationUrl({
  scope: 'openid email',
  code_challenge: generators.codeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
});
const back = await fetch(login, { redirect: 'manual' });
const parameters = app.callbackParams(back.headers.get('location'));
const tokens = await app.callback('http://127.0.0.1:9/cb', parameters, { code_verifier: verifier, state, nonce });
const user = await app.userinfo(tokens);
if (user.sub !== tokens.claims().sub) throw new Error('another user');
await app.refresh(tokens);
const api = await fetch(url + '/accounts', { headers: { authorization: `Bearer ${tokens.access_token}` } });
if (api.status !== 200) throw new Error(`the API answers ${api.status}`);
console.log('discovery, code with PKCE, id_token, userinfo, refresh');
