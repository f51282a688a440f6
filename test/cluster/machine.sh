#!/bin/sh
# machine.sh FOLDER NODE-ADDRESS: the first process of a test machine, in network, mount and process namespaces of its own (see machine.ts).
# What is mounted here is seen by nobody else, and gone with this process; so is every other process of the namespace.
set -eu
folder=$1 address=$2

mount --make-rshared /
# Kubernetes' programs write to places of their own choice: here they find empty ones.
mount -t tmpfs tmpfs /run
mkdir -p /run/netns
mount -t tmpfs tmpfs /var/log
mkdir -p "$folder/var-lib/upper" "$folder/var-lib/work"
mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$folder/var-lib/upper,workdir=$folder/var-lib/work" /var/lib

# The kubelet demands these values, which belong to the whole kernel: it reads and writes a file of ours instead.
mkdir "$folder/sys"
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
  name=${setting%=*}
  file=$folder/sys/$(echo "$name" | tr / _)
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/$name"
done

ip link set lo up
ip link add node0 type bridge
ip addr add "$address/24" dev node0
ip link set node0 up
echo 1 >/proc/sys/net/ipv4/ip_forward
# Nothing leaves: a bridge swallows what is not for a machine of this cluster.
ip route add default dev node0

echo ready
# The shell waits for whatever loses its parent.
while :; do
  sleep 1000 &
  wait $! || true
done
