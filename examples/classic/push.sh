#!/bin/sh
# Pushes a message by the classic call: a form whose `sign` is the MD5 of its fields and the secret.
# Usage: push.sh ACCOUNT MESSAGE        e.g.  ./push.sh user_1 '{"text":"hi"}'
# Environment: URL, APP_KEY, APP_SECRET (defaults: the sample application of conf.yaml). Needs curl and openssl.
set -eu

url=${URL:-http://127.0.0.1:8090}
app_key=${APP_KEY:-test}
app_secret=${APP_SECRET:-j8jasd98efan9sdfj89asjdf}
send_to=${1:?whom to push to}
message=${2:?a JSON object}
nonce=$(openssl rand -hex 8)

# Fields in the order of their names, values raw: the URL-encoding below is the transport's and is not signed.
sign=$(printf 'app_key=%s&message=%s&nonce=%s&send_to=%s&key=%s' "$app_key" "$message" "$nonce" "$send_to" "$app_secret" |
  openssl md5 -r | cut -c1-32 | tr a-f A-F)

curl -sS "$url/api/v1/im/push" \
  --data-urlencode "app_key=$app_key" \
  --data-urlencode "send_to=$send_to" \
  --data-urlencode "message=$message" \
  --data-urlencode "nonce=$nonce" \
  --data-urlencode "sign=$sign"
echo
