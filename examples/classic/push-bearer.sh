#!/bin/sh
# Pushes a message by the HTTP API, with a bearer token made by hand: what to do where no JWT library is at hand.
# Usage: push-bearer.sh ACCOUNT DATA    e.g.  ./push-bearer.sh user_1 '{"text":"hi"}'
# Environment: URL, APP_KEY, APP_SECRET (defaults: the sample application of conf.yaml). Needs curl and openssl.
set -eu

url=${URL:-http://127.0.0.1:8090}
app_key=${APP_KEY:-test}
app_secret=${APP_SECRET:-j8jasd98efan9sdfj89asjdf}
account=${1:?whom to push to}
data=${2:?a JSON object}

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

header=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url)
claims=$(printf '{"iss":"%s","aud":"xlvein-api","exp":%d,"jti":"%s"}' "$app_key" "$(($(date +%s) + 60))" "$(openssl rand -hex 16)" | base64url)
signature=$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha256 -hmac "$app_secret" -binary | base64url)

curl -sS "$url/api/v1/messages" \
  -H "Authorization: Bearer $header.$claims.$signature" \
  -H "Content-Type: application/json" \
  -d "{\"accounts\":[\"$account\"],\"data\":$data}"
echo
