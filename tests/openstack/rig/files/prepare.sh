#!/bin/bash
# Prepares the rig, inside its container: network, databases, message queue, and keystone, which answers
# when this ends.
#
#   prepare.sh GATEWAY/PREFIX BRIDGE PASSWORD_FILE KEYSTONE_URL
set -euo pipefail

readonly gateway=$1 bridge=$2 password_file=$3 keystone_url=$4
password=$(<"$password_file")
readonly password
readonly logs=/var/log/rig

# Waits until a command succeeds; two minutes at most.
until_it_works() {
  local end=$((SECONDS + 120))
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS > end)); then
      echo "not within two minutes: $*" >&2
      return 1
    fi
    sleep 0.3
  done
}

folders() {
  mkdir -p /srv/cinder /var/lib/nova/{tmp,instances,mnt} /var/lib/cinder/{tmp,mnt} /var/lib/neutron/tmp \
    /var/lib/glance/images
  chmod 0777 /srv/cinder
}

# The external network: a bridge on which the container is everybody's way out.
network() {
  sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
  ip link add "$bridge" type bridge
  ip address add "$gateway" dev "$bridge"
  ip link set "$bridge" up
  iptables -t nat -A POSTROUTING -s "$gateway" ! -d "$gateway" -o eth0 -j MASQUERADE
}

databases() {
  local name user
  until_it_works mysql -uroot -e 'select 1'
  for name in keystone glance placement nova nova_api nova_cell0 neutron cinder; do
    user=${name%%_*}
    echo "create database $name;"
    echo "grant all on $name.* to '$user'@'127.0.0.1' identified by '$password';"
  done | mysql -uroot
}

queue() {
  rabbitmqctl await_startup --timeout 120
  rabbitmqctl add_user openstack "$password"
  rabbitmqctl set_permissions openstack '.*' '.*' '.*'
}

keystone() {
  local key
  chown -R keystone:keystone /var/log/keystone
  keystone-manage db_sync
  for key in fernet credential; do
    install -d -o keystone -g keystone -m 0700 "/etc/keystone/$key-keys"
    keystone-manage "${key}_setup" --keystone-user keystone --keystone-group keystone
  done
  keystone-manage bootstrap --bootstrap-password "$password" --bootstrap-region-id RegionOne \
    --bootstrap-admin-url "$keystone_url" --bootstrap-internal-url "$keystone_url" \
    --bootstrap-public-url "$keystone_url"
  supervisorctl start services:keystone
  until_it_works curl --fail --silent "$keystone_url"
}

nova() {
  nova-manage api_db sync
  nova-manage cell_v2 map_cell0 --database_connection "mysql+pymysql://nova:$password@127.0.0.1/nova_cell0"
  nova-manage db sync
  nova-manage cell_v2 create_cell --name=cell1
}

neutron() {
  neutron-db-manage --config-file /etc/neutron/neutron.conf \
    --config-file /etc/neutron/plugins/ml2/ml2_conf.ini upgrade head
}

glance() { glance-manage db_sync; }
placement() { placement-manage db sync; }
cinder() { cinder-manage db sync; }

folders
network
databases

# Side by side. A function's failure must end it, so each is a shell of its own.
declare -A running
for step in queue keystone nova neutron glance placement cinder; do
  (
    set -e
    "$step"
  ) >"$logs/prepare-$step.log" 2>&1 &
  running[$step]=$!
done
failed=
for step in "${!running[@]}"; do
  if ! wait "${running[$step]}"; then failed+=" $step"; fi
done
for step in $failed; do
  echo "prepare.sh: $step failed:" >&2
  tail -n 20 "$logs/prepare-$step.log" >&2
done
[[ -z $failed ]]
