"""Authlib: discovery, code with PKCE, a verified identity token, claims, refresh, client credentials, password."""

import sys

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, jwt
from authlib.oidc.core import CodeIDToken

url = sys.argv[1]
metadata = requests.get(url + "/.well-known/openid-configuration").json()
verifier, nonce = generate_token(48), generate_token(20)
client = OAuth2Session(
    "app",
    "secret",
    scope="openid profile email",
    redirect_uri="http://127.0.0.1:9/cb",
    code_challenge_method="S256",
)
login, state = client.create_authorization_url(
    metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
)
back = requests.get(login, allow_redirects=False)
assert back.status_code == 302, back
token = client.fetch_token(
    metadata["token_endpoint"], authorization_response=back.headers["location"], state=state, code_verifier=verifier
)
keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"]).json())
claims = jwt.decode(
    token["id_token"],
    keys,
    claims_cls=CodeIDToken,
    claims_options={"iss": {"values": [metadata["issuer"]]}, "aud": {"value": "app"}},
    claims_params={"nonce": nonce, "client_id": "app", "access_token": token["access_token"]},
)
claims.validate()
assert client.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]
assert client.get(url + "/accounts").json() == [{"id": 1}]
fresh = client.refresh_token(metadata["token_endpoint"])
assert fresh["access_token"] != token["access_token"]
machine = OAuth2Session("machine", "secret", token_endpoint_auth_method="client_secret_post")
machine.fetch_token(url + "/oauth/token", grant_type="client_credentials")
assert machine.get(url + "/accounts").status_code == 200
person = OAuth2Session("app", "secret")
person.fetch_token(url + "/oauth/token", username="ada", password="x")
assert person.get(url + "/accounts").status_code == 200
print("code with PKCE, id_token, userinfo, refresh, client credentials, password")
