#!/bin/sh
# Makes the secrets of compose.yaml and compose.rabbitmq.yaml in ./secrets, beside this script. What is there already stays.
set -eu
cd "$(dirname "$0")"
# Nobody else may enter; the files themselves are readable, because the containers run as other users.
mkdir -p secrets
chmod 700 secrets
umask 022
random() { openssl rand -hex "$1"; }
make() { [ -e "secrets/$1" ] || cat > "secrets/$1"; }

echo "*" | make .gitignore
random 32 | make redis_password
random 32 | make rabbitmq_password
redis_password=$(cat secrets/redis_password)
rabbitmq_password=$(cat secrets/rabbitmq_password)

# The user may do what xlvein does, under xlvein's names, and nothing else.
make redis_users.acl <<EOF
user default off
user xlvein on >$redis_password ~xlvein:* &xlvein:* +ping +role +info +select +client|setname +get +set +exists +del +pexpire +pttl +rpush +ltrim +llen +lrange +sadd +srem +scard +sismember +smembers +zadd +zrem +zrange +eval +evalsha +publish +subscribe +unsubscribe
EOF
echo "redis://xlvein:$redis_password@redis:6379/0" | make redis_url
make rabbitmq.conf <<EOF
default_user = xlvein
default_pass = $rabbitmq_password
default_user_tags.administrator = false
default_permissions.configure = ^xlvein\.
default_permissions.write = ^xlvein\.
default_permissions.read = ^xlvein\.
loopback_users = none
EOF
echo "amqp://xlvein:$rabbitmq_password@rabbitmq:5672/" | make rabbitmq_url
echo "{\"revision\":1,\"applications\":[{\"app_key\":\"shop\",\"app_secret\":\"$(random 32)\"}]}" | make applications.json
