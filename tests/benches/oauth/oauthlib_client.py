"""requests-oauthlib: code with PKCE, refresh, client credentials, password, implicit."""

import sys

import requests
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, MobileApplicationClient
from requests_oauthlib import OAuth2Session

url = sys.argv[1]
client = OAuth2Session("app", redirect_uri="http://127.0.0.1:9/cb", scope=["read"], pkce="S256")
login, state = client.authorization_url(url + "/oauth/authorize")
back = requests.get(login, allow_redirects=False)
token = client.fetch_token(
    url + "/oauth/token", authorization_response=back.headers["location"], client_secret="secret"
)
assert token["scope"] == ["read"], token
assert client.get(url + "/accounts").json() == [{"id": 1}]
client.refresh_token(url + "/oauth/token", client_id="app", client_secret="secret")
assert client.get(url + "/accounts").status_code == 200
machine = OAuth2Session(client=BackendApplicationClient("machine"))
machine.fetch_token(url + "/oauth/token", client_id="machine", client_secret="secret")
assert machine.get(url + "/accounts").status_code == 200
person = OAuth2Session(client=LegacyApplicationClient("app"))
person.fetch_token(url + "/oauth/token", username="ada", password="x", client_id="app", client_secret="secret")
assert person.get(url + "/accounts").status_code == 200
phone = OAuth2Session(client=MobileApplicationClient("app"), redirect_uri="http://127.0.0.1:9/cb", scope=["read"])
login, state = phone.authorization_url(url + "/oauth/authorize")
back = requests.get(login, allow_redirects=False)
phone.token_from_fragment(back.headers["location"])
assert phone.get(url + "/accounts").status_code == 200
print("code with PKCE, refresh, client credentials, password, implicit")
