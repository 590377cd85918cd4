#!/bin/bash
# Turns a bare Linux, of those that its settings list, into a Docker host. Runs as root at every boot; what is done already is left alone.
#
# Says how far it is in /var/lib/cyberhub/first-boot. Ends with 75 when it is worth trying again (a
# mirror is down, the data disk is not attached), with 2 when somebody must do something first.
set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C

readonly kept=/var/lib/cyberhub
readonly status=$kept/first-boot
readonly log=/var/log/cyberhub-first-boot.log

USER_NAME='' DATA_DIR='' DATA_DISK='' OURS_ALONE='' DIGEST='' SYSTEMS='' OLD_CODENAMES='' TAKEN=''
# shellcheck source=/dev/null
. /etc/cyberhub/first-boot.conf
# shellcheck source=/dev/null
. /etc/os-release

stage=start family='' wrote=no answer='' apt_updated=no

say() { printf '%(%FT%TZ)T %s\n' -1 "$*"; }

report() {
  printf 'state=%s\nstage=%s\nmessage=%s\ndigest=%s\n' "$1" "$stage" "${2:-}" "$DIGEST" >"$status.new"
  mv -f "$status.new" "$status"
}

begin() {
  stage=$1
  say "== $stage"
  report running
}

try_again_later() {
  say "$*"
  report waiting "$*"
  exit 75
}

give_up() {
  say "$*"
  report failed "$*"
  exit 2
}

unforeseen() {
  local code=$? line=$1
  trap - ERR
  try_again_later "line $line of first-boot.sh failed with $code"
}

# Mirrors and networks come back: five tries in about three minutes, then again from the start.
persist() {
  local pause
  for pause in 5 15 45 90 0; do
    if "$@"; then
      report running
      return 0
    fi
    say "failed: $*"
    report running "a mirror does not answer, or not rightly; trying again"
    sleep "$pause"
  done
  return 1
}

# Writes its input to a file, and says in `wrote` whether that changed anything: services are restarted
# only for a change.
write() {
  local path=$1 text
  text=$(cat)
  wrote=no
  if [[ -f $path && $(<"$path") == "$text" ]]; then return 0; fi
  mkdir -p "$(dirname "$path")"
  printf '%s\n' "$text" >"$path"
  wrote=yes
}

# Whether a release is older than another, number by number.
older() {
  local -a have least
  local place
  IFS=. read -ra have <<<"$1"
  IFS=. read -ra least <<<"$2"
  for place in "${!least[@]}"; do
    if ((10#${have[place]:-0} != 10#${least[place]})); then
      ((10#${have[place]:-0} < 10#${least[place]}))
      return
    fi
  done
  return 1
}

choose_family() {
  local name=${PRETTY_NAME:-$ID} each known kind least codename old
  for each in $SYSTEMS; do
    IFS=: read -r known kind least <<<"$each"
    if [[ $known != "$ID" ]]; then continue; fi
    family=$kind
    # Those that are still being made have no number.
    if [[ ${VERSION_ID:-} =~ ^[0-9.]+$ ]] && older "$VERSION_ID" "$least"; then
      give_up "$name is too old; use $TAKEN"
    fi
  done
  if [[ -z $family && " ${ID_LIKE:-} " == *" debian "* ]]; then
    family=apt
    for codename in "${UBUNTU_CODENAME:-}" "${DEBIAN_CODENAME:-}" "${VERSION_CODENAME:-}"; do
      for old in $OLD_CODENAMES; do
        if [[ $codename == "$old" ]]; then give_up "$name is too old; use $TAKEN"; fi
      done
    done
  fi
  [[ -n $family ]] || give_up "$name is not supported; use $TAKEN"
}

memory_mb() { awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo; }

# --- small machines -------------------------------------------------------------------------------

# Package managers alone can exhaust 1 GB, so this comes first. Compressed memory is fast and comes
# before the disk; the kernel may lack it.
small_memory() {
  (($(memory_mb) < 2000)) || return 0
  if [[ -z $(swapon --show=NAME --noheadings) ]]; then
    local swap=/var/cyberhub.swap free_mb
    free_mb=$(df --output=avail -BM / | tail -1 | tr -dc 0-9)
    if [[ ! -f $swap ]] && ((free_mb > 3000)); then
      dd if=/dev/zero of="$swap.new" bs=1M count=1024 status=none
      chmod 0600 "$swap.new"
      mkswap -q "$swap.new" || mkswap "$swap.new" >/dev/null
      mv "$swap.new" "$swap"
      printf '%s none swap defaults,nofail,pri=10 0 0\n' "$swap" >>/etc/fstab
    fi
    if [[ -f $swap ]]; then swapon -p 10 "$swap" || say "no swap file can be used on this filesystem"; fi
  fi
  if ! grep -q zram /proc/swaps && modprobe zram num_devices=1 && [[ -e /sys/block/zram0/disksize ]]; then
    printf '%sM' $(($(memory_mb) / 2)) >/sys/block/zram0/disksize
    mkswap /dev/zram0 >/dev/null
    swapon -p 100 /dev/zram0
  fi
  # Values above 100 prefer compressing idle memory to dropping the files that programs run from.
  write /etc/sysctl.d/91-cyberhub-memory.conf <<'EOF'
vm.swappiness = 120
vm.page-cluster = 0
EOF
  sysctl -q -e -p /etc/sysctl.d/91-cyberhub-memory.conf
}

# --- packages -------------------------------------------------------------------------------------

apt_get() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -q -y \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -o Acquire::Retries=3 "$@"
}

# The lists are fetched once; after a failure they are fetched anew, since a mirror may have moved on.
apt_all() {
  [[ $apt_updated == yes ]] || apt_get update || return 1
  apt_updated=no
  apt_get "$@" || return 1
  apt_updated=yes
}

packages_apt() {
  dpkg --configure -a # a reboot may have cut an installation short
  local ours=()
  if [[ $OURS_ALONE == yes ]]; then
    persist apt_all --with-new-pkgs upgrade || return 1
    ours=(unattended-upgrades)
  fi
  persist apt_all install --no-install-recommends git wget ca-certificates e2fsprogs xfsprogs sshfs iptables \
    "${ours[@]}"
}

packages_dnf() {
  if [[ $ID == amzn && $OURS_ALONE == yes ]]; then
    # Amazon Linux stays at the release it was installed with, without security updates, unless told.
    write /etc/dnf/vars/releasever <<<latest
  fi
  local ours=()
  if [[ $OURS_ALONE == yes ]]; then
    persist dnf -y upgrade || return 1
    ours=(dnf-automatic)
  fi
  persist dnf -y install git wget e2fsprogs xfsprogs iptables "${ours[@]}" || return 1
  dnf -y install fuse-sshfs || say "this distribution has no sshfs"
}

packages() {
  local done_for=$kept/packages
  if [[ -f $done_for && $(<"$done_for") == "$DIGEST" ]]; then return; fi
  "packages_$family" || try_again_later "packages cannot be fetched: no mirror answers"
  printf '%s\n' "$DIGEST" >"$done_for"
}

# --- the data disk --------------------------------------------------------------------------------

disk() {
  if [[ -n $DATA_DISK ]]; then
    local names device
    read -ra names <<<"$DATA_DISK"
    run_disk find 600 "${names[@]}"
    device=$answer
    run_disk prepare "$device"
    run_disk mount "$device" "$DATA_DIR"
    run_disk grow "$DATA_DIR"
  fi
  # The layout of the cyberhubs' /mnt: data for everybody to read, user for everybody to share.
  mkdir -p "$DATA_DIR"/{var/lib,tmp,data,user,jupyterhub_users,cyberhub/spaces}
  # The shared folder is everybody's (all servers run as uid 1000, group 100); new files keep the group.
  chown 1000:100 "$DATA_DIR/user"
  chmod 2775 "$DATA_DIR/user"
  chmod 1777 "$DATA_DIR/tmp"
}

# Runs data-disk.sh; what it prints is in `answer`, and its complaint goes to the operator.
run_disk() {
  local words code=0
  words=$(mktemp)
  answer=$(cyberhub-data-disk "$@" 2>"$words") || code=$?
  cat "$words" >&2
  case $code in
    0) rm "$words" ;;
    3) try_again_later "$(tail -1 "$words")" ;;
    4) give_up "$(tail -1 "$words")" ;;
    *) try_again_later "the data disk: $(tail -1 "$words")" ;;
  esac
}

# --- Docker ---------------------------------------------------------------------------------------

has_docker() { command -v dockerd >/dev/null && command -v docker >/dev/null; }

docker_is_ours() { [[ $OURS_ALONE == yes || -e $kept/docker-is-ours ]]; }

# Docker's data on the data disk, where there is one. /var/lib/docker is a link, as cyberhubs had it.
link_docker_data() {
  local target=$DATA_DIR/var/lib/docker place=/var/lib/docker
  mkdir -p "$target"
  chmod 0710 "$target"
  if [[ -L $place && $(readlink -f "$place") == "$(readlink -f "$target")" ]]; then return 0; fi
  if systemctl --quiet is-active docker.service; then docker ps --quiet | xargs -r docker stop; fi
  stop_docker
  if [[ -d $place && ! -L $place ]]; then
    if [[ -z $(ls -A "$target") ]]; then
      cp -a --sparse=always "$place/." "$target/"
      rm -rf "$place"
    else
      mv "$place" "$place.unused" # the machine's image had one; the disk's is the one with our images
    fi
  fi
  ln -sfn "$target" "$place"
  if command -v semanage >/dev/null && semanage fcontext -a -e "$place" "$target"; then
    restorecon -R "$target"
  fi
}

docker_settings() {
  # Never on an empty folder where the disk should be.
  write /etc/systemd/system/docker.service.d/50-cyberhub.conf <<EOF
[Unit]
RequiresMountsFor=$DATA_DIR
EOF
  if [[ $wrote == yes ]]; then systemctl daemon-reload; fi
  # live-restore: containers go on while Docker itself is updated. The classic image store keeps all in
  # one folder; Docker 29 would put images beside it, on the machine's own disk.
  write /etc/docker/daemon.json <<'EOF'
{
  "log-driver": "json-file",
  "log-opts": {"max-size": "10m", "max-file": "3"},
  "live-restore": true,
  "features": {"containerd-snapshotter": false}
}
EOF
  if [[ $wrote == yes ]] && has_docker; then systemctl try-restart docker.service; fi
}

install_docker_apt() {
  # Debian 13 has the docker command in a package of its own. Where the kernel has AppArmor, Docker starts
  # no container without AppArmor's own programs.
  local command=()
  if apt-cache show docker-cli >/dev/null 2>&1; then command=(docker-cli); fi
  persist apt_all install --no-install-recommends docker.io apparmor "${command[@]}"
}

install_docker_dnf() {
  if [[ $ID == amzn ]]; then
    persist dnf -y install docker
    return
  fi
  write /etc/yum.repos.d/docker-ce.repo <<'EOF'
[docker-ce-stable]
name=Docker CE Stable
baseurl=https://download.docker.com/linux/centos/$releasever/$basearch/stable
enabled=1
gpgcheck=1
gpgkey=https://download.docker.com/linux/centos/gpg
EOF
  # Podman's runc and Docker's containerd.io exclude each other.
  persist dnf -y install --allowerasing docker-ce docker-ce-cli containerd.io policycoreutils-python-utils
}

docker_answers() { timeout 20 docker version --format '{{.Server.Version}}'; }

stop_docker() { systemctl stop docker.socket docker.service 2>/dev/null || true; }

start_docker() {
  local tries
  systemctl reset-failed docker.service 2>/dev/null || true
  systemctl enable docker.service && systemctl start docker.service || return 1
  for ((tries = 0; tries < 15; tries++)); do
    if docker_answers; then return 0; fi
    sleep 2
  done
  return 1
}

docker_engine() {
  if ! has_docker; then
    touch "$kept/docker-is-ours"
  elif ! docker_is_ours; then
    # Somebody runs their own things on it: its settings and its data stay where they are.
    say "Docker was here before and is left as it is"
    start_docker || give_up "Docker is installed and does not start; see: journalctl -u docker"
    return
  fi
  if [[ -n $DATA_DISK ]]; then link_docker_data; fi
  docker_settings
  if on_new_machine; then quieten_containers; fi
  if ! has_docker; then
    "install_docker_$family" || try_again_later "Docker's packages cannot be fetched: no mirror answers"
  fi
  if on_new_machine; then
    start_docker || start_docker_afresh
    remove_containers
  else
    start_docker || try_again_later "Docker does not start; see: journalctl -u docker"
  fi
}

# Containers that another machine left on this disk are made anew by the next `pulumi up`. Left alone
# they would come up by themselves, with that machine's settings and under the names that are wanted.
# Images stay, and all data stay.
on_new_machine() { [[ -n $DATA_DISK ]] && ! cmp -s /etc/machine-id "$DATA_DIR/cyberhub/machine-id"; }

quieten_containers() {
  local config
  stop_docker
  for config in "$DATA_DIR"/var/lib/docker/containers/*/config.v2.json; do
    if [[ -f $config ]] && grep -q '"cyberhubs\.stack"' "$config"; then
      sed -i 's/"RestartPolicy":{"Name":"[a-z-]*"/"RestartPolicy":{"Name":"no"/' "${config%/*}/hostconfig.json"
    fi
  done
}

remove_containers() {
  docker ps --all --quiet --filter label=cyberhubs.stack | xargs -r docker rm --force
  docker network ls --quiet --filter label=cyberhubs.stack | xargs -r docker network rm
  cp /etc/machine-id "$DATA_DIR/cyberhub/machine-id"
}

# Another distribution's older Docker may not read what a newer one left. Images can be had again.
start_docker_afresh() {
  local place=$DATA_DIR/var/lib/docker aside
  [[ -n $(ls -A "$place") ]] || try_again_later "Docker does not start; see: journalctl -u docker"
  aside=$place.unreadable-$(date +%s)
  say "Docker does not start with the data of the disk's last machine; they are set aside as $aside"
  stop_docker
  mv "$place" "$aside"
  mkdir -m 0710 "$place"
  start_docker || try_again_later "Docker does not start; see: journalctl -u docker"
}

# --- the machine itself ---------------------------------------------------------------------------

machine() {
  id "$USER_NAME" >/dev/null || give_up "the user $USER_NAME does not exist on this machine; correct cloud.sshUser"
  if [[ $USER_NAME != root ]]; then usermod -aG docker "$USER_NAME"; fi

  # Every Docker call over SSH is a session of its own, and many come at once.
  local passwords=''
  if [[ $OURS_ALONE == yes ]]; then passwords=$'PasswordAuthentication no\nKbdInteractiveAuthentication no'; fi
  write /etc/ssh/sshd_config.d/10-cyberhub.conf <<EOF
MaxStartups 100:30:200
PerSourceMaxStartups 60
LoginGraceTime 30
MaxSessions 100
$passwords
EOF
  if [[ $wrote == yes ]]; then reload_sshd; fi

  # The limit that many users' processes and kernels met on cyberhubs. Below: what all users share because they
  # have one number inside their containers, or because there is one kernel; each server's memory bounds it.
  write /etc/security/limits.d/90-cyberhub.conf <<'EOF'
* soft nofile 65536
* hard nofile 1048576
* soft nproc unlimited
* hard nproc unlimited
EOF
  write /etc/sysctl.d/90-cyberhub.conf <<'EOF'
fs.inotify.max_user_instances = 1048576
fs.inotify.max_user_watches = 16777216
kernel.pty.max = 1048576
net.bridge.bridge-nf-call-iptables = 1
net.netfilter.nf_conntrack_max = 262144
EOF
  # For sshfs, which opens /dev/fuse; for the fence; for what is set above.
  write /etc/modules-load.d/cyberhub.conf <<<$'fuse\nbr_netfilter\nnf_conntrack'
  modprobe fuse || say "this kernel has no fuse: sshfs cannot work"
  modprobe br_netfilter || say "this kernel has no br_netfilter: servers cannot be kept from each other"
  modprobe nf_conntrack || say "this kernel does not track connections"
  sysctl -q -e -p /etc/sysctl.d/90-cyberhub.conf

  # A volume that was made larger is filled at once, without a reboot.
  write /etc/udev/rules.d/90-cyberhub-grow.rules <<'EOF'
ACTION=="change", SUBSYSTEM=="block", ENV{RESIZE}=="1", RUN+="/bin/systemctl --no-block start cyberhub-grow.service"
EOF
  if [[ $wrote == yes ]]; then udevadm control --reload; fi

  systemctl enable --now cyberhub-metadata.service
  if [[ $OURS_ALONE == yes ]]; then "updates_$family"; fi
}

reload_sshd() {
  mkdir -p /run/sshd
  sshd -t || give_up "sshd does not take its settings: see sshd -t"
  systemctl try-reload-or-restart ssh.service 2>/dev/null || systemctl try-reload-or-restart sshd.service
}

updates_apt() {
  write /etc/apt/apt.conf.d/90-cyberhub <<'EOF'
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
EOF
}

updates_dnf() {
  sed -i -e 's/^upgrade_type *=.*/upgrade_type = security/' -e 's/^apply_updates *=.*/apply_updates = yes/' \
    /etc/dnf/automatic.conf
  systemctl enable --now dnf-automatic.timer
}

# --------------------------------------------------------------------------------------------------

umask 022
mkdir -p "$kept"
if [[ -f $log ]] && (($(stat -c %s "$log") > 4000000)); then mv -f "$log" "$log.1"; fi
exec >>"$log" 2>&1
trap 'unforeseen "$LINENO"' ERR
set -E

[[ -d /run/systemd/system ]] || give_up "this machine does not run systemd, which keeps Docker running"
choose_family
begin memory
small_memory
begin packages
packages
begin disk
disk
begin docker
docker_engine
begin machine
machine
say "ready"
report "done"
