// openid-client 6: discovery, code with PKCE and nonce, claims, refresh, client credentials.
import * as client from 'openid-client';

const url = process.argv[2];
const insecure = { execute: [client.allowInsecureRequests] };
const config = await client.discovery(new URL(url), 'app', 'secret', undefined, insecure);
const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const login = client.buildAuthorizationUrl(config, {
  redirect_uri: 'http://127.0.0.1:9/cb',
  scope: 'openid email',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
});
const back = await fetch(login, { redirect: 'manual' });
const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, new URL(back.headers.get('location')), checks);
const { sub } = tokens.claims();
const user = await client.fetchUserInfo(config, tokens.access_token, sub);
if (!user.email) throw new Error('no claims');
const api = await client.fetchProtectedResource(config, tokens.access_token, new URL(url + '/accounts'), 'GET');
if (api.status !== 200) throw new Error(`the API answers ${api.status}`);
await client.refreshTokenGrant(config, tokens.refresh_token);
await client.clientCredentialsGrant(config);
console.log('discovery, code with PKCE, id_token, userinfo, refresh, client credentials');
